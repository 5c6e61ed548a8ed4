// SPDX-License-Identifier: Apache-2.0
//
// Every instruction of the control core: encoded by LLVM's assembler, run by
// the interpreter, compared with the meaning in the RISC-V manual written out
// here on 128-bit integers and bit loops.
#include "simulator/core/control_core.h"
#include "tests/engines/support/assembled.h"
#include "tests/engines/support/engine_bench.h"

#include <functional>
#include <random>

namespace kiln::test {
namespace {

__extension__ using I128 = __int128;
__extension__ using U128 = unsigned __int128;
using U64 = uint64_t;
using I64 = int64_t;
using Meaning = std::function<U64(U64, U64)>;

struct Case {
  const char *text; // reads a1, a2, writes a0
  Meaning meaning;
};

U64 word(U64 v) {
  return static_cast<U64>(static_cast<I64>(static_cast<int32_t>(v)));
}
I64 s(U64 v) { return static_cast<I64>(v); }
I64 sw(U64 v) { return static_cast<int32_t>(v); }
U64 uw(U64 v) { return v & 0xffff'ffff; }

U64 rotateLeft(U64 v, unsigned n, unsigned bits) {
  for (n %= bits; n; --n) {
    U64 top = v >> (bits - 1) & 1;
    v = v << 1 | top;
    if (bits < 64) {
      v &= (U64{1} << bits) - 1;
    }
  }
  return v;
}
U64 count(U64 v, unsigned bits, bool leading) {
  for (unsigned i = 0; i < bits; ++i) {
    if (v >> (leading ? bits - 1 - i : i) & 1) {
      return i;
    }
  }
  return bits;
}
U64 ones(U64 v) {
  U64 n = 0;
  for (; v; v >>= 1) {
    n += v & 1;
  }
  return n;
}
U64 mapBytes(U64 v, const std::function<U64(U64, unsigned)> &f) {
  U64 out = 0;
  for (unsigned i = 0; i < 8; ++i) {
    out |= f(v >> 8 * i & 0xff, i);
  }
  return out;
}
I128 divide(I128 a, I128 b, U64 ifZero) {
  return b == 0 ? static_cast<I128>(ifZero) : a / b;
}
I128 modulo(I128 a, I128 b) { return b == 0 ? a : a % b; }

const Case kBase[] = {
    {"add a0, a1, a2", [](U64 a, U64 b) { return a + b; }},
    {"sub a0, a1, a2", [](U64 a, U64 b) { return a - b; }},
    {"sll a0, a1, a2", [](U64 a, U64 b) { return a << (b & 63); }},
    {"srl a0, a1, a2", [](U64 a, U64 b) { return a >> (b & 63); }},
    {"sra a0, a1, a2", [](U64 a, U64 b) { return U64(s(a) >> (b & 63)); }},
    {"slt a0, a1, a2", [](U64 a, U64 b) { return U64(s(a) < s(b)); }},
    {"sltu a0, a1, a2", [](U64 a, U64 b) { return U64(a < b); }},
    {"xor a0, a1, a2", [](U64 a, U64 b) { return a ^ b; }},
    {"or a0, a1, a2", [](U64 a, U64 b) { return a | b; }},
    {"and a0, a1, a2", [](U64 a, U64 b) { return a & b; }},
    {"addw a0, a1, a2", [](U64 a, U64 b) { return word(a + b); }},
    {"subw a0, a1, a2", [](U64 a, U64 b) { return word(a - b); }},
    {"sllw a0, a1, a2", [](U64 a, U64 b) { return word(a << (b & 31)); }},
    {"srlw a0, a1, a2", [](U64 a, U64 b) { return word(uw(a) >> (b & 31)); }},
    {"sraw a0, a1, a2",
     [](U64 a, U64 b) { return word(U64(sw(a) >> (b & 31))); }},
    {"addi a0, a1, -2048", [](U64 a, U64) { return a - 2048; }},
    {"slti a0, a1, -5", [](U64 a, U64) { return U64(s(a) < -5); }},
    {"sltiu a0, a1, -5", [](U64 a, U64) { return U64(a < U64(-5)); }},
    {"xori a0, a1, -1", [](U64 a, U64) { return ~a; }},
    {"ori a0, a1, 0x555", [](U64 a, U64) { return a | 0x555; }},
    {"andi a0, a1, 0x555", [](U64 a, U64) { return a & 0x555; }},
    {"slli a0, a1, 63", [](U64 a, U64) { return a << 63; }},
    {"srli a0, a1, 33", [](U64 a, U64) { return a >> 33; }},
    {"srai a0, a1, 40", [](U64 a, U64) { return U64(s(a) >> 40); }},
    {"addiw a0, a1, 7", [](U64 a, U64) { return word(a + 7); }},
    {"slliw a0, a1, 31", [](U64 a, U64) { return word(a << 31); }},
    {"srliw a0, a1, 3", [](U64 a, U64) { return word(uw(a) >> 3); }},
    {"sraiw a0, a1, 3", [](U64 a, U64) { return word(U64(sw(a) >> 3)); }},
    {"lui a0, 0x80000", [](U64, U64) { return 0xffff'ffff'8000'0000u; }},
};

const Case kMultiply[] = {
    {"mul a0, a1, a2", [](U64 a, U64 b) { return a * b; }},
    {"mulh a0, a1, a2",
     [](U64 a, U64 b) { return U64(I128(s(a)) * s(b) >> 64); }},
    {"mulhu a0, a1, a2", [](U64 a, U64 b) { return U64(U128(a) * b >> 64); }},
    {"mulhsu a0, a1, a2",
     [](U64 a, U64 b) { return U64(I128(s(a)) * I128(b) >> 64); }},
    {"mulw a0, a1, a2", [](U64 a, U64 b) { return word(a * b); }},
    {"div a0, a1, a2",
     [](U64 a, U64 b) { return U64(divide(s(a), s(b), ~U64{0})); }},
    {"divu a0, a1, a2",
     [](U64 a, U64 b) { return U64(divide(a, b, ~U64{0})); }},
    {"rem a0, a1, a2", [](U64 a, U64 b) { return U64(modulo(s(a), s(b))); }},
    {"remu a0, a1, a2", [](U64 a, U64 b) { return U64(modulo(a, b)); }},
    {"divw a0, a1, a2",
     [](U64 a, U64 b) { return word(U64(divide(sw(a), sw(b), ~U64{0}))); }},
    {"divuw a0, a1, a2",
     [](U64 a, U64 b) { return word(U64(divide(uw(a), uw(b), ~U64{0}))); }},
    {"remw a0, a1, a2",
     [](U64 a, U64 b) { return word(U64(modulo(sw(a), sw(b)))); }},
    {"remuw a0, a1, a2",
     [](U64 a, U64 b) { return word(U64(modulo(uw(a), uw(b)))); }},
};

const Case kBitManipulation[] = {
    {"add.uw a0, a1, a2", [](U64 a, U64 b) { return uw(a) + b; }},
    {"sh1add a0, a1, a2", [](U64 a, U64 b) { return 2 * a + b; }},
    {"sh2add a0, a1, a2", [](U64 a, U64 b) { return 4 * a + b; }},
    {"sh3add a0, a1, a2", [](U64 a, U64 b) { return 8 * a + b; }},
    {"sh1add.uw a0, a1, a2", [](U64 a, U64 b) { return 2 * uw(a) + b; }},
    {"sh2add.uw a0, a1, a2", [](U64 a, U64 b) { return 4 * uw(a) + b; }},
    {"sh3add.uw a0, a1, a2", [](U64 a, U64 b) { return 8 * uw(a) + b; }},
    {"slli.uw a0, a1, 35", [](U64 a, U64) { return uw(a) << 35; }},
    {"andn a0, a1, a2", [](U64 a, U64 b) { return a & ~b; }},
    {"orn a0, a1, a2", [](U64 a, U64 b) { return a | ~b; }},
    {"xnor a0, a1, a2", [](U64 a, U64 b) { return ~(a ^ b); }},
    {"clz a0, a1", [](U64 a, U64) { return count(a, 64, true); }},
    {"clzw a0, a1", [](U64 a, U64) { return count(uw(a), 32, true); }},
    {"ctz a0, a1", [](U64 a, U64) { return count(a, 64, false); }},
    {"ctzw a0, a1", [](U64 a, U64) { return count(uw(a), 32, false); }},
    {"cpop a0, a1", [](U64 a, U64) { return ones(a); }},
    {"cpopw a0, a1", [](U64 a, U64) { return ones(uw(a)); }},
    {"max a0, a1, a2", [](U64 a, U64 b) { return s(a) < s(b) ? b : a; }},
    {"maxu a0, a1, a2", [](U64 a, U64 b) { return a < b ? b : a; }},
    {"min a0, a1, a2", [](U64 a, U64 b) { return s(a) < s(b) ? a : b; }},
    {"minu a0, a1, a2", [](U64 a, U64 b) { return a < b ? a : b; }},
    {"sext.b a0, a1",
     [](U64 a, U64) { return U64(I64(static_cast<int8_t>(a))); }},
    {"sext.h a0, a1",
     [](U64 a, U64) { return U64(I64(static_cast<int16_t>(a))); }},
    {"zext.h a0, a1", [](U64 a, U64) { return a & 0xffff; }},
    {"rol a0, a1, a2", [](U64 a, U64 b) { return rotateLeft(a, b & 63, 64); }},
    {"ror a0, a1, a2",
     [](U64 a, U64 b) { return rotateLeft(a, 64 - (b & 63), 64); }},
    {"rori a0, a1, 13", [](U64 a, U64) { return rotateLeft(a, 51, 64); }},
    {"rolw a0, a1, a2",
     [](U64 a, U64 b) { return word(rotateLeft(uw(a), b & 31, 32)); }},
    {"rorw a0, a1, a2",
     [](U64 a, U64 b) { return word(rotateLeft(uw(a), 32 - (b & 31), 32)); }},
    {"roriw a0, a1, 5",
     [](U64 a, U64) { return word(rotateLeft(uw(a), 27, 32)); }},
    {"orc.b a0, a1",
     [](U64 a, U64) {
       return mapBytes(a, [](U64 byte, unsigned i) {
         return byte ? U64{0xff} << 8 * i : 0;
       });
     }},
    {"rev8 a0, a1",
     [](U64 a, U64) {
       return mapBytes(
           a, [](U64 byte, unsigned i) { return byte << (56 - 8 * i); });
     }},
};

const Case kMemoryAndBranches[] = {
    {"sd a1, -8(sp)\n lb a0, -8(sp)",
     [](U64 a, U64) { return U64(I64(static_cast<int8_t>(a))); }},
    {"sd a1, -8(sp)\n lbu a0, -7(sp)",
     [](U64 a, U64) { return a >> 8 & 0xff; }},
    {"sd a1, -8(sp)\n lh a0, -6(sp)",
     [](U64 a, U64) { return U64(I64(static_cast<int16_t>(a >> 16))); }},
    {"sd a1, -8(sp)\n lhu a0, -8(sp)", [](U64 a, U64) { return a & 0xffff; }},
    {"sd a1, -8(sp)\n lw a0, -4(sp)", [](U64 a, U64) { return word(a >> 32); }},
    {"sd a1, -8(sp)\n lwu a0, -4(sp)", [](U64 a, U64) { return a >> 32; }},
    {"sd a1, -8(sp)\n sb a2, -8(sp)\n ld a0, -8(sp)",
     [](U64 a, U64 b) { return (a & ~U64{0xff}) | (b & 0xff); }},
    {"sd a1, -8(sp)\n sh a2, -6(sp)\n ld a0, -8(sp)",
     [](U64 a, U64 b) { return (a & ~U64{0xffff'0000}) | (b & 0xffff) << 16; }},
    {"sd a1, -8(sp)\n sw a2, -4(sp)\n ld a0, -8(sp)",
     [](U64 a, U64 b) { return uw(a) | b << 32; }},
    {"li a0, 1\n beq a1, a2, 1f\n li a0, 0\n1:",
     [](U64 a, U64 b) { return U64(a == b); }},
    {"li a0, 1\n bne a1, a2, 1f\n li a0, 0\n1:",
     [](U64 a, U64 b) { return U64(a != b); }},
    {"li a0, 1\n blt a1, a2, 1f\n li a0, 0\n1:",
     [](U64 a, U64 b) { return U64(s(a) < s(b)); }},
    {"li a0, 1\n bge a1, a2, 1f\n li a0, 0\n1:",
     [](U64 a, U64 b) { return U64(s(a) >= s(b)); }},
    {"li a0, 1\n bltu a1, a2, 1f\n li a0, 0\n1:",
     [](U64 a, U64 b) { return U64(a < b); }},
    {"li a0, 1\n bgeu a1, a2, 1f\n li a0, 0\n1:",
     [](U64 a, U64 b) { return U64(a >= b); }},
    {"li a0, 0\n j 2f\n1: addi a0, a0, 2\n j 3f\n2: addi a0, a0, 1\n j 1b\n3:",
     [](U64, U64) { return U64{3}; }},
    {"la t0, 1f\n mv t1, ra\n jalr t0\n1: sub a0, ra, t0\n mv ra, t1",
     [](U64, U64) { return U64{0}; }},
    {"add zero, a1, a2\n mv a0, zero", [](U64, U64) { return U64{0}; }},
    {"mv a0, a1\n fence", [](U64 a, U64) { return a; }},
    {"csrr a0, 0xcc0", [](U64, U64) { return U64{3}; }},
    {"csrr a0, 0xcc1", [](U64, U64) { return U64{8}; }},
    {"csrr a0, 0xcc2", [](U64, U64) { return U64{5}; }},
};

class ControlCoreTest : public testing::Test {
protected:
  ControlCoreTest() : ram_(32 * 1024), ub_(1024) {
    core_.attach(ram_, ub_);
    core_.setTiming(isa::loadArchSpec("k1")->timing.control);
    std::mt19937_64 random(11);
    const U64 kEdges[] = {0,           1,           ~U64{0},     U64{1} << 63,
                          0x7fff'ffff, 0x8000'0000, 0xffff'ffff, 64,
                          31};
    for (U64 a : kEdges) {
      for (U64 b : kEdges) {
        operands_.push_back({a, b});
      }
    }
    for (int i = 0; i < 50; ++i) {
      operands_.push_back({random() >> random() % 64, random()});
    }
    operands_.push_back({5, 5});
  }

  template <size_t N> void check(const Case (&cases)[N]) {
    for (const Case &c : cases) {
      auto program = assembleProgram(
          std::string("  .globl kernel\nkernel:\n  ld a1, 0(a0)\n"
                      "  ld a2, 8(a0)\n  ") +
              c.text + "\n  ret\n",
          "case.s", 0);
      ASSERT_NE(program, nullptr);
      for (auto [a, b] : operands_) {
        for (bool timed : {false, true}) {
          ASSERT_EQ(run(*program, a, b, timed), c.meaning(a, b))
              << c.text << " of " << a << ", " << b;
        }
      }
    }
  }

  U64 run(const sim::Program &program, U64 a, U64 b, bool timed) {
    const U64 at = program.stackTop();
    std::memcpy(&ram_[at - isa::kScalarRamBase], &a, 8);
    std::memcpy(&ram_[at - isa::kScalarRamBase + 8], &b, 8);
    core_.start(program, program.image().entry, at, {3, 8, 5});
    sim::Stop stop = timed ? core_.runTimed(1000) : core_.run(1000);
    EXPECT_EQ(stop, sim::Stop::kCommand);
    EXPECT_EQ(core_.command().op, isa::Opcode::kKend);
    return core_.reg(10);
  }

private:
  std::vector<std::byte> ram_, ub_;
  sim::ControlCore core_;
  std::vector<std::pair<U64, U64>> operands_;
};

TEST_F(ControlCoreTest, BaseInstructions) { check(kBase); }
TEST_F(ControlCoreTest, MultiplicationAndDivision) { check(kMultiply); }
TEST_F(ControlCoreTest, BitManipulation) { check(kBitManipulation); }
TEST_F(ControlCoreTest, MemoryBranchesAndCsrs) { check(kMemoryAndBranches); }

} // namespace
} // namespace kiln::test
