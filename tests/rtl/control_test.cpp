// SPDX-License-Identifier: Apache-2.0
//
// S of the core in SystemVerilog: each operation's result and each rule of its
// timing, on small programs.
#include "tests/rtl/comparison.h"

#include "tests/engines/support/program_builder.h"

#include <random>

namespace kiln::test {
namespace {

using isa::Pipe;

constexpr unsigned kA0 = 10, kT0 = 5, kT1 = 6, kT2 = 7;

uint32_t reg(uint32_t f7, uint32_t f3, uint32_t op, unsigned rd, unsigned a,
             unsigned b) {
  return f7 << 25 | b << 20 | a << 15 | f3 << 12 | rd << 7 | op;
}

std::string check(ProgramBuilder &b) {
  b.barrier();
  b.end();
  static Comparison comparison;
  return comparison.difference(b.program(), {});
}

TEST(RtlControl, AnEmptyKernelEnds) {
  ProgramBuilder b;
  EXPECT_EQ(check(b), "");
}

/// Every operation on operands that meet its edges; results go to the scalar
/// RAM, which is compared.
TEST(RtlControl, EveryOperationGivesTheBitsOfTheEngine) {
  struct Form {
    uint32_t f7, f3, op;
  };
  std::vector<Form> forms;
  for (uint32_t f3 = 0; f3 < 8; ++f3) {
    forms.push_back({0x00, f3, 0x33});
    forms.push_back({0x01, f3, 0x33});
  }
  for (Form f : std::initializer_list<Form>{
           {0x20, 0, 0x33}, {0x20, 5, 0x33}, {0x10, 2, 0x33}, {0x10, 4, 0x33},
           {0x10, 6, 0x33}, {0x20, 7, 0x33}, {0x20, 6, 0x33}, {0x20, 4, 0x33},
           {0x05, 6, 0x33}, {0x05, 7, 0x33}, {0x05, 4, 0x33}, {0x05, 5, 0x33},
           {0x30, 1, 0x33}, {0x30, 5, 0x33}, {0x00, 0, 0x3b}, {0x20, 0, 0x3b},
           {0x00, 1, 0x3b}, {0x00, 5, 0x3b}, {0x20, 5, 0x3b}, {0x01, 0, 0x3b},
           {0x01, 4, 0x3b}, {0x01, 5, 0x3b}, {0x01, 6, 0x3b}, {0x01, 7, 0x3b},
           {0x04, 0, 0x3b}, {0x10, 2, 0x3b}, {0x10, 4, 0x3b}, {0x10, 6, 0x3b},
           {0x30, 1, 0x3b}, {0x30, 5, 0x3b}}) {
    forms.push_back(f);
  }
  // Immediate forms: bits 31 to 20 as they are.
  struct Immediate {
    uint32_t imm, f3, op;
  };
  std::vector<Immediate> immediates;
  for (uint32_t f3 : {0u, 2u, 3u, 4u, 6u, 7u}) {
    for (uint32_t imm : {0u, 1u, 0x7ffu, 0x800u, 0xfffu}) {
      immediates.push_back({imm, f3, 0x13});
    }
  }
  for (uint32_t imm : {0u, 1u, 0x7ffu, 0x800u, 0xfffu}) {
    immediates.push_back({imm, 0, 0x1b});
  }
  for (uint32_t shift : {0u, 1u, 31u}) {
    for (Immediate f : std::initializer_list<Immediate>{{0x000, 1, 0x1b},
                                                        {0x000, 5, 0x1b},
                                                        {0x400, 5, 0x1b},
                                                        {0x600, 5, 0x1b}}) {
      immediates.push_back({f.imm | shift, f.f3, f.op});
    }
  }
  for (uint32_t shift : {0u, 1u, 32u, 63u}) {
    for (Immediate f : std::initializer_list<Immediate>{{0x000, 1, 0x13},
                                                        {0x000, 5, 0x13},
                                                        {0x400, 5, 0x13},
                                                        {0x600, 5, 0x13},
                                                        {0x080, 1, 0x1b}}) {
      immediates.push_back({f.imm | shift, f.f3, f.op});
    }
  }
  for (Immediate f : std::initializer_list<Immediate>{{0x600, 1, 0x13},
                                                      {0x601, 1, 0x13},
                                                      {0x602, 1, 0x13},
                                                      {0x604, 1, 0x13},
                                                      {0x605, 1, 0x13},
                                                      {0x287, 5, 0x13},
                                                      {0x6b8, 5, 0x13},
                                                      {0x600, 1, 0x1b},
                                                      {0x601, 1, 0x1b},
                                                      {0x602, 1, 0x1b},
                                                      {0x080, 4, 0x3b}}) {
    immediates.push_back(f);
  }
  const std::pair<uint64_t, uint64_t> kValues[] = {
      {0, 0},
      {1, ~0ull},
      {~0ull, 1},
      {uint64_t{1} << 63, ~0ull},
      {0xffff'ffff'8000'0000, ~0ull},
      {0x0123'4567'89ab'cdef, 0xfedc'ba98'7654'3210},
      {0x7fff'ffff'ffff'ffff, 63},
      {0x0000'00ff'0000'8000, 0x8000'0000'0000'0021},
      {uint64_t{1} << 63, 0}};
  for (auto [x, y] : kValues) {
    ProgramBuilder b;
    // Results from the start of the scalar RAM on; nothing else is there.
    b.li(20, isa::kScalarRamBase);
    b.li(kT0, x);
    b.li(kT1, y);
    int at = 0;
    auto keep = [&] {
      b.store(3, kT2, 20, at);
      at += 8;
      if (at == 1024) {
        b.li(21, 1024);
        b.word(reg(0, 0, 0x33, 20, 20, 21));
        at = 0;
      }
    };
    for (const Form &f : forms) {
      b.word(reg(f.f7, f.f3, f.op, kT2, kT0, kT1));
      keep();
    }
    for (const Immediate &f : immediates) {
      b.word(f.imm << 20 | kT0 << 15 | f.f3 << 12 | kT2 << 7 | f.op);
      keep();
    }
    EXPECT_EQ(check(b), "") << std::hex << x << ", " << y;
  }
}

TEST(RtlControl, LoadsAndStoresOfEverySize) {
  ProgramBuilder b;
  b.li(kT0, 0x8182'8384'8586'8788);
  b.li(20, isa::kScalarRamBase + 256);
  b.store(3, kT0, 20, 0);
  for (unsigned f3 : {0u, 1u, 2u, 3u, 4u, 5u, 6u}) {
    b.load(f3, kT1, 20, 0);
    b.store(3, kT1, 20, 8 + 8 * static_cast<int>(f3));
  }
  for (unsigned f3 : {0u, 1u, 2u, 3u}) {
    b.store(f3, kT0, 20, 128 + 8 * static_cast<int>(f3) + 8 - (1 << f3));
  }
  b.li(21, isa::kUbWindowBase + 64);
  for (unsigned f3 : {0u, 1u, 2u, 3u}) {
    b.store(f3, kT0, 21, 8 * static_cast<int>(f3));
  }
  for (unsigned f3 : {0u, 1u, 2u, 3u, 4u, 5u, 6u}) {
    b.load(f3, kT1, 21, 24);
    b.store(3, kT1, 20, 256 + 8 * static_cast<int>(f3));
  }
  EXPECT_EQ(check(b), "");
}

/// The stamps of flags around a sequence give its length in cycles.
TEST(RtlControl, StampsOfFlagsShowTheTimingOfEveryKindOfInstruction) {
  ProgramBuilder b;
  b.li(20, isa::kScalarRamBase + 512);
  b.li(21, isa::kUbWindowBase);
  b.li(kA0, 0);
  auto mark = [&] { // does not wait for anything
    b.npuWord({.op = isa::Opcode::kKset,
               .sub = static_cast<uint8_t>(Pipe::V),
               .f3 = static_cast<uint8_t>(Pipe::MTE2)});
    b.npuWord({.op = isa::Opcode::kKwait,
               .sub = static_cast<uint8_t>(Pipe::V),
               .f3 = static_cast<uint8_t>(Pipe::MTE2)});
    b.barrier();
  };
  auto add = [&](unsigned rd, unsigned x, unsigned y) {
    b.word(reg(0, 0, 0x33, rd, x, y));
  };
  for (bool use : {false, true}) {
    unsigned source = use ? kT1 : 0;
    mark();
    b.load(3, kT1, 20, 0);
    add(kT2, source, 0);
    mark();
    b.load(3, kT1, 21, 0);
    add(kT2, 0, source);
    mark();
    b.word(reg(1, 0, 0x33, kT1, 20, 21)); // mul
    add(kT2, source, 0);
    mark();
    b.word(reg(1, 4, 0x33, kT1, 20, 21)); // div
    add(kT2, source, 0);
    mark();
    b.csrRead(kT1, isa::kCsrCycle);
    b.store(3, kT1, 20, use ? 8 : 16);
    add(kT2, source, 0);
    mark();
    b.branch(use ? 0 : 1, 0, 0, b.size() + 1); // beq taken, bne not
    mark();
    b.store(3, 20, 21, 0);
    b.set(Pipe::S, Pipe::V, 1); // waits for the store
    b.wait(Pipe::S, Pipe::V, 1);
    b.li(kA0, 0);
    mark();
  }
  b.word(0x6f | 8 << 20 | kT1 << 7); // jal over one instruction
  b.word(0);
  mark();
  b.word(0x17 | kT0 << 7);                         // auipc
  b.word(16u << 20 | kT0 << 15 | kT1 << 7 | 0x67); // jalr 16 further
  b.word(0);
  b.word(0);
  mark();
  b.word(0x0ff0'000f); // fence
  for (unsigned csr = 0xcc0; csr <= 0xcc3; ++csr) {
    b.csrRead(kT1, csr);
    b.store(3, kT1, 20, 64 + static_cast<int>(csr & 3) * 8);
  }
  mark();
  EXPECT_EQ(check(b), "");
}

TEST(RtlControl, BranchesOfEveryKind) {
  const uint64_t kValues[] = {0, 1, ~0ull, uint64_t{1} << 63};
  ProgramBuilder b;
  b.li(20, isa::kScalarRamBase + 512);
  b.li(22, 0);
  for (unsigned f3 : {0u, 1u, 4u, 5u, 6u, 7u}) {
    for (uint64_t x : kValues) {
      for (uint64_t y : kValues) {
        b.li(kT0, x);
        b.li(kT1, y);
        b.addi(22, 22, 1);
        b.branch(f3, kT0, kT1, b.size() + 2);
        b.addi(22, 22, 64);
      }
    }
  }
  b.store(3, 22, 20, 0);
  EXPECT_EQ(check(b), "");
}

TEST(RtlControl, ALoopCountsDown) {
  ProgramBuilder b;
  b.li(20, isa::kScalarRamBase + 512);
  b.li(kT0, 100);
  b.li(kT1, 0);
  size_t top = b.size();
  b.word(reg(0, 0, 0x33, kT1, kT1, kT0));
  b.addi(kT0, kT0, -1);
  b.branch(1, kT0, 0, top);
  b.store(3, kT1, 20, 0);
  EXPECT_EQ(check(b), "");
}

} // namespace
} // namespace kiln::test
