// SPDX-License-Identifier: Apache-2.0
//
// Issue cycles of the control core, by k1_numbers section 1: the cycle in
// which the NPU instruction after a sequence issues, when the first
// instruction issues in cycle 0.
#include "simulator/core/control_core.h"
#include "tests/engines/support/engine_bench.h"
#include "tests/engines/support/program_builder.h"

namespace kiln::test {
namespace {

constexpr unsigned kZero = 0, kT0 = 5, kT1 = 6, kT2 = 7, kArg = 10;

uint32_t mul(unsigned rd, unsigned a, unsigned b) {
  return 1u << 25 | b << 20 | a << 15 | rd << 7 | 0x33;
}
uint32_t divide(unsigned rd, unsigned a, unsigned b) {
  return mul(rd, a, b) | 4u << 12;
}

/// The cycle in which the final kend issues; a0 points into scalar RAM.
template <typename Fill> uint64_t endIssues(Fill fill) {
  isa::ArchSpec arch = *isa::loadArchSpec("k1");
  std::vector<std::byte> ram(arch.arch.scalarRamBytes), ub(4096);
  ProgramBuilder b;
  fill(b);
  auto program = b.program();
  sim::ControlCore core;
  core.attach(ram, ub);
  core.setTiming(arch.timing.control);
  core.start(*program, program->image().entry, isa::kScalarRamBase, {}, 0);
  sim::Stop stop = core.runTimed(1000);
  while (stop == sim::Stop::kWindow) {
    core.performWindowAccess();
    stop = core.runTimed(1000);
  }
  EXPECT_EQ(stop, sim::Stop::kCommand);
  return core.now();
}

TEST(ControlTiming, OneInstructionPerCycle) {
  EXPECT_EQ(endIssues([](ProgramBuilder &) {}), 0u);
  EXPECT_EQ(endIssues([](ProgramBuilder &b) {
              b.addi(kT0, kZero, 1);
              b.addi(kT0, kT0, 1);
              b.addi(kT0, kT0, 1);
            }),
            3u);
}

TEST(ControlTiming, ALoadIsReadyOneCycleLater) {
  EXPECT_EQ(endIssues([](ProgramBuilder &b) {
              b.load(3, kT0, kArg, 0);
              b.addi(kT1, kZero, 1); // does not use it
            }),
            2u);
  EXPECT_EQ(endIssues([](ProgramBuilder &b) {
              b.load(3, kT0, kArg, 0);
              b.addi(kT1, kT0, 1); // one bubble
            }),
            3u);
}

TEST(ControlTiming, AMultiplicationIsReadyAfterThreeCyclesAndPipelined) {
  EXPECT_EQ(endIssues([](ProgramBuilder &b) {
              b.word(mul(kT0, kZero, kZero));
              b.word(mul(kT1, kZero, kZero));
              b.word(mul(kT2, kZero, kZero));
            }),
            3u);
  EXPECT_EQ(endIssues([](ProgramBuilder &b) {
              b.word(mul(kT0, kZero, kZero)); // issues in 0, ready in 3
              b.addi(kT1, kT0, 1);
            }),
            4u);
}

TEST(ControlTiming, ADivisionBlocksForTwentyCycles) {
  EXPECT_EQ(
      endIssues([](ProgramBuilder &b) { b.word(divide(kT0, kZero, kZero)); }),
      20u);
}

TEST(ControlTiming, ATakenBranchCostsTwoMoreCycles) {
  EXPECT_EQ(endIssues([](ProgramBuilder &b) {
              b.branch(0, kZero, kZero, b.size() + 1); // beq, taken
            }),
            3u);
  EXPECT_EQ(endIssues([](ProgramBuilder &b) {
              b.branch(1, kZero, kZero, b.size() + 1); // bne, not taken
            }),
            1u);
}

TEST(ControlTiming, ACsrReadTakesOneCycle) {
  EXPECT_EQ(endIssues([](ProgramBuilder &b) {
              b.csrRead(kT0, isa::kCsrCycle);
              b.addi(kT1, kT0, 0);
            }),
            2u);
}

TEST(ControlTiming, AWindowLoadIsReadyAfterEightCyclesAndTheBubble) {
  auto sequence = [](ProgramBuilder &b, bool use) {
    b.li(kT0, isa::kUbWindowBase); // four instructions
    b.load(3, kT1, kT0, 0);
    b.addi(kT2, use ? kT1 : kZero, 0);
  };
  uint64_t unused = endIssues([&](ProgramBuilder &b) { sequence(b, false); });
  EXPECT_EQ(endIssues([&](ProgramBuilder &b) { sequence(b, true); }),
            unused + 8);
}

} // namespace
} // namespace kiln::test
