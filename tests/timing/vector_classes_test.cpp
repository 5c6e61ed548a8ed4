// SPDX-License-Identifier: Apache-2.0
//
// Occupancy and latency of the vector classes on k1, by hand from k1_numbers:
// compare and select 128/128/64 elements per cycle, 24; sin and cos 16, 40;
// gather 5, 40; sort and merge 2, 40.
#include "tests/timing/commands.h"
#include "tests/timing/stamps.h"

#include <functional>

namespace kiln::test {
namespace {

using isa::LocalView;
using isa::Opcode;
using isa::Pipe;

constexpr uint8_t kI8 = 0, kI32 = 4, kF16 = 5, kF32 = 7;

struct Case {
  const char *what;
  std::function<void(ProgramBuilder &)> issue;
  uint64_t occupancy, latency;
};

// Operands in banks of their own: no conflicts.
const Case kCases[] = {
    {"3 rows of 2 beats of 128",
     [](ProgramBuilder &b) {
       b.npu({.op = Opcode::kVcmpLt, .f3 = kF16}, view(0x18000, 3, 1),
             view(0, 129, 9), view(0x24000, 0, 9));
     },
     6, 24},
    {"the same of 64",
     [](ProgramBuilder &b) {
       b.npu({.op = Opcode::kVcmpsGe, .f3 = kF32}, view(0x18000, 3, 1),
             view(0, 65, 9), 0);
     },
     6, 24},
    {"a select counts its elements, not its mask",
     [](ProgramBuilder &b) {
       b.npu({.op = Opcode::kVsel, .f3 = kI8}, view(0x18000, 2, 5),
             view(0, 129, 5), view(0x24000, 0x1800, 5));
     },
     4, 24},
    {"17 sines in two cycles",
     [](ProgramBuilder &b) {
       b.npu({.op = Opcode::kVsin, .f3 = kF16}, view(0x18000, 1), view(0, 17));
     },
     2, 40},
    {"one rsqrt beat of 64",
     [](ProgramBuilder &b) {
       b.npu({.op = Opcode::kVrsqrt, .f3 = kF32}, view(0x18000, 1),
             view(0, 64));
     },
     1, 32},
    {"33 logarithms in two cycles",
     [](ProgramBuilder &b) {
       b.npu({.op = Opcode::kVln, .f3 = kF32}, view(0x18000, 1), view(0, 33));
     },
     2, 32},
    {"11 elements gathered, 5 per cycle",
     [](ProgramBuilder &b) {
       b.npu({.op = Opcode::kVgather, .f3 = kF16}, view(0x18000, 2),
             view(0, 11), isa::Table{.addr = 0x24000, .count = 9}.pack());
     },
     6, 40},
    {"6 blocks gathered, 42 elements of 16 bits per cycle",
     [](ProgramBuilder &b) {
       b.npu({.op = Opcode::kVgatherb, .f3 = kF16}, view(0x18000, 2),
             view(0, 6), isa::Table{.addr = 0x24000, .count = 9}.pack());
     },
     6, 40},
    {"6 blocks gathered, 21 elements of 32 bits per cycle",
     [](ProgramBuilder &b) {
       b.npu({.op = Opcode::kVgatherb, .f3 = kF32}, view(0x18000, 1),
             view(0, 6), isa::Table{.addr = 0x24000, .count = 9}.pack());
     },
     3, 40},
    {"rows of a scatter are those of its table",
     [](ProgramBuilder &b) {
       b.npu({.op = Opcode::kVscatter, .f3 = kF32},
             isa::Table{.addr = 0x18000, .count = 9, .rows = 2}.pack(),
             view(0, 10), view(0x24000, 0));
     },
     4, 40},
    {"32 keys, 2 per cycle",
     [](ProgramBuilder &b) {
       b.npu({.op = Opcode::kVsort32, .f3 = kF16}, view(0x18000, 1),
             view(0, 32), view(0x24000, 0));
     },
     16, 40},
    {"a merge counts both lists",
     [](ProgramBuilder &b) {
       b.npu({.op = Opcode::kVmerge, .f3 = kF32}, view(0x18000, 1), view(0, 40),
             view(0x24000, 9));
     },
     25, 40},
    {"an arg reduction along a row is a reduction of its type",
     [](ProgramBuilder &b) {
       b.npu({.op = Opcode::kVargmaxL, .f3 = kF16},
             LocalView{0x18000, 1, 0, 4}.pack(), view(0, 128));
     },
     8, 36},
    {"8-bit sums add in 32 bits",
     [](ProgramBuilder &b) {
       b.npu({.op = Opcode::kVsumR, .f3 = kI8},
             LocalView{0x18000, 0, 1, 4}.pack(), view(0, 65));
     },
     8, 24},
    {"shifts are arithmetic",
     [](ProgramBuilder &b) {
       b.npu({.op = Opcode::kVshls, .f3 = kI32}, view(0x18000, 2), view(0, 64),
             3);
     },
     2, 24},
};

TEST(VectorClasses, TakeTheCyclesOfTheirClass) {
  for (const Case &c : kCases) {
    EngineBench bench;
    ProgramBuilder b;
    c.issue(b);
    const auto v = runTimed(bench, b).stamps.of(Pipe::V, 1);
    EXPECT_EQ(v[0].busyEnd, v[0].start + c.occupancy) << c.what;
    EXPECT_EQ(v[0].retire, v[0].start + c.occupancy + c.latency) << c.what;
  }
}

/// Every figure of the new classes counts: one more shows.
TEST(VectorClasses, EveryFigureCounts) {
  using Change = std::function<void(isa::VectorTiming &)>;
  const Change changes[] = {
      [](isa::VectorTiming &t) { t.elements16 -= 1; },
      [](isa::VectorTiming &t) { t.latencyCycles += 1; },
      [](isa::VectorTiming &t) { t.extraCyclesPerRow += 1; },
  };
  const std::pair<isa::VectorClass, Opcode> classes[] = {
      {isa::VectorClass::kCompare, Opcode::kVcmpEq},
      {isa::VectorClass::kTrigonometric, Opcode::kVcos},
      {isa::VectorClass::kGather, Opcode::kVgather},
      {isa::VectorClass::kSort, Opcode::kVsort32},
      {isa::VectorClass::kGatherBlocks, Opcode::kVgatherb},
  };
  for (const auto &[kind, op] : classes) {
    const auto cycles = [op = op](EngineBench &bench) {
      ProgramBuilder b;
      const bool gather = op == Opcode::kVgather || op == Opcode::kVgatherb;
      b.npu({.op = op, .f3 = kF16}, view(0x8000, 1, 64), view(0, 256, 16),
            op == Opcode::kVcos ? 0
            : gather            ? isa::Table{.addr = 0x6000, .count = 9}.pack()
                                : view(0x4000, 0));
      const auto v = runTimed(bench, b).stamps.of(Pipe::V, 1);
      return v[0].retire - v[0].start;
    };
    EngineBench plain;
    const uint64_t before = cycles(plain);
    for (const Change &change : changes) {
      EngineBench changed;
      change(changed.arch.timing.vector[static_cast<unsigned>(kind)]);
      EXPECT_GT(cycles(changed), before) << mnemonic(op);
    }
  }
}

} // namespace
} // namespace kiln::test
