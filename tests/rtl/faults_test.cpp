// SPDX-License-Identifier: Apache-2.0
//
// What the core in SystemVerilog refuses: it stops with a fault where the
// cycle engine does, and on instructions it does not have.
#include "tests/rtl/comparison.h"

#include "isa/gen/operands.h"
#include "tests/engines/support/program_builder.h"

namespace kiln::test {
namespace {

using isa::Opcode;
using isa::Pipe;

// fault_e of kiln_rtl_pkg.sv.
enum : unsigned {
  kIllegal = 1,
  kFetch,
  kAccess,
  kCsr,
  kTrap,
  kFlagId,
  kFlagSet,
  kResidue
};

class RtlFaults : public testing::Test {
protected:
  /// The RTL's fault; `both`: the engine faults too.
  unsigned fault(ProgramBuilder &b, bool both = true) {
    b.end();
    auto program = b.program();
    sim::LaunchRequest request = bench.request(program, {});
    request.budget = 1'000'000;
    if (both) {
      EXPECT_FALSE(bench.cycle->run(request).isOk());
    }
    RtlLaunch launch;
    launch.argumentBlock = isa::buildArgumentBlock({}, {}, 0);
    launch.budget = 10'000;
    return runRtl(bench.arch, *bench.gm, *program, launch).fault;
  }
  unsigned faultOf(uint32_t word, bool both = true) {
    ProgramBuilder b;
    b.li(10, 0);
    b.word(word);
    return fault(b, both);
  }

  EngineBench bench{"k1-nano"};
};

TEST_F(RtlFaults, WordsThatAreNoInstruction) {
  for (uint32_t word : {
           0x0000'0000u,
           0xffff'ffffu,
           0x0000'0073u,            // ecall
           0x0200'0033u | 1u << 26, // register form with another f7
           0x0200'003bu | 1u << 26, // the same, 32 bits
           0x0400'1013u,            // slli with a high bit
           0x7000'5013u,            // shift right of no kind
           0x0400'101bu,
           0x7000'501bu, // the same, 32 bits
           0x0000'201bu, // 32-bit immediate of no kind
           0x0810'403bu, // zext.h with a second source
           0x0000'7003u,
           0x0000'4023u, // a load and a store of no size
           0x0000'2063u, // a branch of no kind
           0x0000'1067u, // jalr of no kind
           0x0000'200fu, // fence of no kind
           0xcc00'1073u, // a CSR is written
       }) {
    EXPECT_EQ(faultOf(word), kIllegal) << std::hex << word;
  }
}

TEST_F(RtlFaults, NpuWordsThatAreNoInstruction) {
  for (uint32_t word : {
           0x0000'000bu | 3u << 7,            // kcfg of M
           0x0000'000bu | 1u << 7 | 1u << 12, // kcfg of a word MTE2 lacks
           0x0200'000bu | 1u << 7 | 1u << 12, // kset of a pipe to itself
           0x0200'000bu | 7u << 7,            // of a pipe that is not there
           0x0400'000bu | 1u << 7 | 7u << 12,
           0x0600'000bu | 1u << 15, // kbar with an operand
           0x0600'000bu | 9u << 7,
           0x0200'000bu | 1u << 7 | 1u << 20, // kset with a second operand
           0x0000'002bu | 1u << 12,           // ld.ub with a type
           0x0000'002bu | 9u << 7,
           0x0000'007bu | 31u << 7,
       }) {
    EXPECT_EQ(faultOf(word), kIllegal) << std::hex << word;
  }
}

TEST_F(RtlFaults, InstructionsThisCoreDoesNotHave) {
  struct Case {
    Opcode op;
    uint8_t f3;
  };
  for (Case c :
       {Case{Opcode::kLdL1, 0}, Case{Opcode::kStL1, 0}, Case{Opcode::kMmad, 5},
        Case{Opcode::kCpL0a, 0}, Case{Opcode::kFixUb, 7},
        Case{Opcode::kVexp, 7}, Case{Opcode::kVadd, 4}, Case{Opcode::kVcast, 0},
        Case{Opcode::kKdbar, 0}, Case{Opcode::kVsumR, 7}}) {
    ProgramBuilder b;
    b.npu({.op = c.op, .f3 = c.f3}, 0, 0, 0);
    EXPECT_EQ(fault(b, false), kIllegal) << isa::info(c.op).mnemonic;
  }
}

TEST_F(RtlFaults, AccessesOutsideTheMemoriesOfS) {
  for (uint64_t address :
       {uint64_t{0}, isa::kScalarRamBase + 8192, isa::kUbWindowBase + 32768,
        isa::kScalarRamBase + 4, isa::kUbWindowBase + 1}) {
    for (bool write : {false, true}) {
      ProgramBuilder b;
      b.li(5, address);
      write ? b.store(3, 6, 5, 0) : b.load(3, 6, 5, 0);
      EXPECT_EQ(fault(b), kAccess) << std::hex << address;
    }
  }
}

TEST_F(RtlFaults, FetchesOutsideTheProgram) {
  ProgramBuilder b;
  b.word(0x67); // jalr to 0
  EXPECT_EQ(fault(b), kFetch);
  ProgramBuilder odd;
  odd.li(5, isa::kInstructionRamBase + 2);
  odd.word(5u << 15 | 0x67);
  EXPECT_EQ(fault(odd), kFetch);
}

TEST_F(RtlFaults, Csrs) {
  ProgramBuilder b;
  b.csrRead(5, 0xcc4);
  EXPECT_EQ(fault(b), kCsr);
}

TEST_F(RtlFaults, Ktrap) {
  ProgramBuilder b;
  b.npu({.op = Opcode::kKtrap}, 7);
  EXPECT_EQ(fault(b), kTrap);
}

TEST_F(RtlFaults, FlagsMisused) {
  for (auto [source, destination] :
       {std::pair(Pipe::S, Pipe::V), std::pair(Pipe::V, Pipe::S),
        std::pair(Pipe::MTE2, Pipe::V)}) {
    for (bool set : {false, true}) {
      ProgramBuilder id;
      set ? id.set(source, destination, 8) : id.wait(source, destination, 8);
      EXPECT_EQ(fault(id), kFlagId);
    }
    ProgramBuilder twice;
    twice.set(source, destination, 3);
    twice.barrier();
    twice.set(source, destination, 3);
    twice.barrier();
    twice.wait(source, destination, 3);
    EXPECT_EQ(fault(twice), kFlagSet);
    ProgramBuilder left;
    left.set(source, destination, 3);
    EXPECT_EQ(fault(left), kResidue);
  }
}

/// vadd of `rows` rows of 64 halves.
void vadd(ProgramBuilder &b, uint32_t rows) {
  using isa::LocalView;
  b.npu({.op = Opcode::kVadd, .f3 = 5}, LocalView{0, 4, 1, rows}.pack(),
        LocalView{0, 4, 1, 64}.pack(), LocalView{0, 4, 1, 0}.pack());
}

/// Rule 7: both become visible flag_visible cycles after the vadd retires.
TEST_F(RtlFaults, TwoSetsOfOneFlagInOneCycle) {
  for (Pipe destination : {Pipe::MTE3, Pipe::S}) {
    ProgramBuilder b;
    vadd(b, 32);
    b.set(Pipe::V, destination, 2);
    b.set(Pipe::V, destination, 2);
    b.wait(Pipe::V, destination, 2);
    b.wait(Pipe::V, destination, 2);
    EXPECT_EQ(fault(b), kFlagSet);
  }
}

/// A wait takes a flag before, in or after the cycle in which the second set
/// of it becomes visible: only before it is right.
TEST_F(RtlFaults, AWaitInTheCycleOfTheNextSetIsTooLate) {
  unsigned right = 0, wrong = 0;
  for (unsigned delay = 0; delay < 12; ++delay) {
    ProgramBuilder b;
    b.set(Pipe::MTE2, Pipe::V, 1);
    b.set(Pipe::MTE2, Pipe::V, 1);
    for (unsigned i = 0; i < delay; ++i) {
      b.addi(5, 5, 1);
    }
    b.wait(Pipe::MTE2, Pipe::V, 1);
    b.wait(Pipe::MTE2, Pipe::V, 1);
    b.end();
    auto program = b.program();
    const bool ok = bench.cycle->run(bench.request(program, {})).isOk();
    RtlLaunch launch;
    launch.argumentBlock = isa::buildArgumentBlock({}, {}, 0);
    launch.budget = 10'000;
    EXPECT_EQ(runRtl(bench.arch, *bench.gm, *program, launch).fault,
              ok ? 0u : kFlagSet)
        << delay;
    ok ? ++right : ++wrong;
  }
  EXPECT_GT(right, 0u);
  EXPECT_GT(wrong, 0u);
}

} // namespace
} // namespace kiln::test
