// SPDX-License-Identifier: Apache-2.0
//
// The operations of the control core, each listed once with its meaning:
// RV64IM_Zba_Zbb_Zicsr. The decoder names them, the interpreter makes one
// handler of each.
// Source: The RISC-V Instruction Set Manual, volume I; Zba/Zbb: bit
// manipulation extension 1.0.0.
#pragma once

#include <cstdint>

// KILN_RV_ALU(name, expression): a = rs1, b = rs2, i = sign-extended immediate.
#define KILN_RV_ALU_OPS(X)                                                     \
  X(Li, i)                                                                     \
  X(Addi, a + i)                                                               \
  X(Slti, int64_t(a) < int64_t(i))                                             \
  X(Sltiu, a < i)                                                              \
  X(Xori, a ^ i)                                                               \
  X(Ori, a | i)                                                                \
  X(Andi, a &i)                                                                \
  X(Slli, a << i)                                                              \
  X(Srli, a >> i)                                                              \
  X(Srai, int64_t(a) >> i)                                                     \
  X(Addiw, int32_t(a + i))                                                     \
  X(Slliw, int32_t(uint32_t(a) << i))                                          \
  X(Srliw, int32_t(uint32_t(a) >> i))                                          \
  X(Sraiw, int32_t(a) >> i)                                                    \
  X(Add, a + b)                                                                \
  X(Sub, a - b)                                                                \
  X(Sll, a << (b & 63))                                                        \
  X(Slt, int64_t(a) < int64_t(b))                                              \
  X(Sltu, a < b)                                                               \
  X(Xor, a ^ b)                                                                \
  X(Srl, a >> (b & 63))                                                        \
  X(Sra, int64_t(a) >> (b & 63))                                               \
  X(Or, a | b)                                                                 \
  X(And, a &b)                                                                 \
  X(Addw, int32_t(a + b))                                                      \
  X(Subw, int32_t(a - b))                                                      \
  X(Sllw, int32_t(uint32_t(a) << (b & 31)))                                    \
  X(Srlw, int32_t(uint32_t(a) >> (b & 31)))                                    \
  X(Sraw, int32_t(a) >> (b & 31))                                              \
  X(AddUw, uint32_t(a) + b)                                                    \
  X(Sh1add, (a << 1) + b)                                                      \
  X(Sh2add, (a << 2) + b)                                                      \
  X(Sh3add, (a << 3) + b)                                                      \
  X(Sh1addUw, (uint64_t(uint32_t(a)) << 1) + b)                                \
  X(Sh2addUw, (uint64_t(uint32_t(a)) << 2) + b)                                \
  X(Sh3addUw, (uint64_t(uint32_t(a)) << 3) + b)                                \
  X(SlliUw, uint64_t(uint32_t(a)) << i)                                        \
  X(Andn, a & ~b)                                                              \
  X(Orn, a | ~b)                                                               \
  X(Xnor, ~(a ^ b))                                                            \
  X(Clz, uint64_t(std::countl_zero(a)))                                        \
  X(Ctz, uint64_t(std::countr_zero(a)))                                        \
  X(Cpop, uint64_t(std::popcount(a)))                                          \
  X(Clzw, uint64_t(std::countl_zero(uint32_t(a))))                             \
  X(Ctzw, uint64_t(std::countr_zero(uint32_t(a))))                             \
  X(Cpopw, uint64_t(std::popcount(uint32_t(a))))                               \
  X(Max, int64_t(a) > int64_t(b) ? a : b)                                      \
  X(Maxu, a > b ? a : b)                                                       \
  X(Min, int64_t(a) < int64_t(b) ? a : b)                                      \
  X(Minu, a < b ? a : b)                                                       \
  X(SextB, int8_t(a))                                                          \
  X(SextH, int16_t(a))                                                         \
  X(ZextH, uint16_t(a))                                                        \
  X(Rol, std::rotl(a, int(b & 63)))                                            \
  X(Ror, std::rotr(a, int(b & 63)))                                            \
  X(Rori, std::rotr(a, int(i)))                                                \
  X(Rolw, int32_t(std::rotl(uint32_t(a), int(b & 31))))                        \
  X(Rorw, int32_t(std::rotr(uint32_t(a), int(b & 31))))                        \
  X(Roriw, int32_t(std::rotr(uint32_t(a), int(i))))                            \
  X(OrcB, orCombineBytes(a))                                                   \
  X(Rev8, __builtin_bswap64(a))

// Multiplications: pipelined, their result comes later.
#define KILN_RV_MUL_OPS(X)                                                     \
  X(Mul, a *b)                                                                 \
  X(Mulh, mulHigh(int64_t(a), int64_t(b)))                                     \
  X(Mulhsu, mulHighSignedUnsigned(int64_t(a), b))                              \
  X(Mulhu, mulHighUnsigned(a, b))                                              \
  X(Mulw, int32_t(uint32_t(a) * uint32_t(b)))

// Divisions: block the control core.
#define KILN_RV_DIV_OPS(X)                                                     \
  X(Div, divide(int64_t(a), int64_t(b)))                                       \
  X(Divu, b ? a / b : ~uint64_t{0})                                            \
  X(Rem, remainder(int64_t(a), int64_t(b)))                                    \
  X(Remu, b ? a % b : a)                                                       \
  X(Divw, int32_t(divide(int32_t(a), int32_t(b))))                             \
  X(Divuw, int32_t(uint32_t(b) ? uint32_t(a) / uint32_t(b) : ~uint32_t{0}))    \
  X(Remw, int32_t(remainder(int32_t(a), int32_t(b))))                          \
  X(Remuw, int32_t(uint32_t(b) ? uint32_t(a) % uint32_t(b) : uint32_t(a)))

#define KILN_RV_BRANCH_OPS(X)                                                  \
  X(Beq, a == b)                                                               \
  X(Bne, a != b)                                                               \
  X(Blt, int64_t(a) < int64_t(b))                                              \
  X(Bge, int64_t(a) >= int64_t(b))                                             \
  X(Bltu, a < b)                                                               \
  X(Bgeu, a >= b)

#define KILN_RV_LOAD_OPS(X)                                                    \
  X(Lb, int8_t)                                                                \
  X(Lh, int16_t)                                                               \
  X(Lw, int32_t)                                                               \
  X(Ld, int64_t)                                                               \
  X(Lbu, uint8_t)                                                              \
  X(Lhu, uint16_t)                                                             \
  X(Lwu, uint32_t)

#define KILN_RV_STORE_OPS(X)                                                   \
  X(Sb, uint8_t)                                                               \
  X(Sh, uint16_t)                                                              \
  X(Sw, uint32_t)                                                              \
  X(Sd, uint64_t)

#define KILN_RV_OTHER_OPS(X)                                                   \
  X(Auipc, )                                                                   \
  X(Jal, )                                                                     \
  X(Jalr, )                                                                    \
  X(Csr, )                                                                     \
  X(Fence, )                                                                   \
  X(Ecall, )                                                                   \
  X(Ebreak, )                                                                  \
  X(Npu, )                                                                     \
  X(Illegal, )                                                                 \
  X(BadFetch, )

#define KILN_RV_ALL_OPS(X)                                                     \
  KILN_RV_ALU_OPS(X)                                                           \
  KILN_RV_MUL_OPS(X)                                                           \
  KILN_RV_DIV_OPS(X)                                                           \
  KILN_RV_BRANCH_OPS(X)                                                        \
  KILN_RV_LOAD_OPS(X)                                                          \
  KILN_RV_STORE_OPS(X)                                                         \
  KILN_RV_OTHER_OPS(X)

namespace kiln::sim {

enum class RvOp : uint8_t {
#define KILN_RV_NAME(name, meaning) k##name,
  KILN_RV_ALL_OPS(KILN_RV_NAME)
#undef KILN_RV_NAME
};

#define KILN_RV_COUNT(name, meaning) +1
constexpr unsigned kNumRvOps = 0 KILN_RV_ALL_OPS(KILN_RV_COUNT);
#undef KILN_RV_COUNT

} // namespace kiln::sim
