// SPDX-License-Identifier: Apache-2.0
//
// Cycles of small programs on k1, computed by hand from k1_numbers. Where a
// rule has an edge, both sides are tested: ready at t, blocked at t - 1.
#include "tests/timing/commands.h"
#include "tests/timing/stamps.h"

namespace kiln::test {
namespace {

using isa::LocalView;
using isa::Opcode;
using isa::Pipe;

constexpr uint8_t kF16 = 5, kF32 = 7;

/// dst = src0 + src0 over rows of 128 halves: one beat a row.
void vadd(ProgramBuilder &b, uint32_t dst, uint32_t src, uint32_t rows) {
  b.npu({.op = Opcode::kVadd, .f3 = kF16}, view(dst, rows), view(src, 128),
        view(src, 0));
}

void mmad(ProgramBuilder &b, uint32_t c, uint32_t m, uint32_t n, uint32_t k,
          isa::CubeMode mode, uint8_t type = kF16) {
  isa::CubeB operand;
  operand.mode = mode;
  b.npu({.op = Opcode::kMmad, .f3 = type}, isa::CubeShape{c, m, n, k}.pack(), 0,
        operand.pack());
}

void load(ProgramBuilder &b, uint32_t ub, uint64_t gm, uint32_t rowBytes,
          uint32_t rows = 1, uint32_t stride = 0) {
  isa::LoadGeometry g{rowBytes, stride};
  b.npu({.op = Opcode::kLdUb}, view(ub, rows, (rowBytes + 31) / 32), gm,
        g.pack());
}

void store(ProgramBuilder &b, uint64_t gm, uint32_t ub, uint32_t bytes) {
  isa::StoreGeometry g;
  g.rowBytes = bytes;
  b.npu({.op = Opcode::kStUb, .f3 = 1}, gm, view(ub, 1, 0), g.pack());
}

TEST(PipeTiming, ACommandStartsTheCycleAfterItsIssue) {
  EngineBench bench;
  ProgramBuilder b;
  vadd(b, 0x1000, 0, 8);
  auto v = runTimed(bench, b).stamps.of(Pipe::V, 1);
  EXPECT_EQ(v[0].start, v[0].issue + 1);
}

TEST(PipeTiming, VectorOccupancyIsRowsTimesBeats) {
  EngineBench bench;
  ProgramBuilder b;
  vadd(b, 0x1000, 0, 8); // 8 rows of 256 bytes: 8 cycles, latency 24
  b.npu({.op = Opcode::kVexp, .f3 = kF32}, view(0x4000, 3, 9),
        view(0, 65, 9)); // 3 rows of 2 beats of 64: 6 cycles, latency 32
  b.npu({.op = Opcode::kVsumL, .f3 = kF32}, LocalView{0x8000, 1, 0, 4}.pack(),
        view(0, 64)); // 4 rows of 1 beat and 1 more: 8 cycles, latency 36
  auto v = runTimed(bench, b).stamps.of(Pipe::V, 3);
  EXPECT_EQ(v[0].busyEnd, v[0].start + 8);
  EXPECT_EQ(v[0].retire, v[0].start + 8 + 24);
  EXPECT_EQ(v[1].busyEnd, v[1].start + 6);
  EXPECT_EQ(v[1].retire, v[1].start + 6 + 32);
  EXPECT_EQ(v[2].retire, v[2].start + 8 + 36);
}

TEST(PipeTiming, AnIndependentCommandStartsWhenTheOccupancyEnds) {
  EngineBench bench;
  ProgramBuilder b;
  vadd(b, 0x8000, 0, 100);
  vadd(b, 0x18000, 0, 1);
  auto v = runTimed(bench, b).stamps.of(Pipe::V, 2);
  EXPECT_EQ(v[1].start, v[0].start + 100);
}

TEST(PipeTiming, ADependentCommandWaitsForRetirement) {
  EngineBench bench;
  ProgramBuilder b;
  vadd(b, 0x8000, 0, 100);
  vadd(b, 0x18000, 0x8000, 1);
  auto v = runTimed(bench, b).stamps.of(Pipe::V, 2);
  EXPECT_EQ(v[1].start, v[0].start + 100 + 24);
}

TEST(PipeTiming, InterlocksLookAtBoundingRanges) {
  EngineBench bench;
  // The first writes [0x4000, 0x4100) in its last row.
  for (uint32_t source : {0x4100u, 0x40e0u}) {
    ProgramBuilder b;
    vadd(b, 0x4000, 0, 1);
    b.npu({.op = Opcode::kVadd, .f3 = kF16}, view(0xc000, 1), view(source, 16),
          view(source, 0));
    auto v = runTimed(bench, b).stamps.of(Pipe::V, 2);
    uint64_t early = std::max(v[0].start + 1, v[1].issue + 1);
    EXPECT_EQ(v[1].start, source == 0x4100 ? early : v[0].retire);
  }
}

TEST(PipeTiming, TheWindowHoldsFourVectorCommands) {
  EngineBench bench;
  ProgramBuilder b;
  b.li(11, view(0, 128));
  b.li(12, view(0, 0));
  b.li(10, view(0x4000, 1));
  for (int i = 0; i < 5; ++i) {
    b.npuWord({.op = Opcode::kVadd, .f3 = kF16});
    b.addi(10, 10, 256);
  }
  auto v = runTimed(bench, b).stamps.of(Pipe::V, 5);
  EXPECT_EQ(v[3].start, v[3].issue + 1);
  EXPECT_LT(v[4].issue + 1, v[0].retire);
  EXPECT_EQ(v[4].start, v[0].retire); // the first of four has retired
}

TEST(PipeTiming, MmadTakesACellPerCycle) {
  EngineBench bench;
  ProgramBuilder b;
  mmad(b, 0, 64, 64, 64, isa::CubeMode::kZero);            // 4 * 4 * 4
  mmad(b, 0x10000, 17, 1, 33, isa::CubeMode::kZero);       // 2 * 1 * 3
  mmad(b, 0x20000, 16, 16, 8, isa::CubeMode::kZero, kF32); // 1 cell, twice
  auto m = runTimed(bench, b).stamps.of(Pipe::M, 3);
  EXPECT_EQ(m[0].busyEnd, m[0].start + 64);
  EXPECT_EQ(m[0].retire, m[0].start + 64 + 21);
  EXPECT_EQ(m[1].busyEnd, m[1].start + 6);
  EXPECT_EQ(m[2].busyEnd, m[2].start + 2);
}

TEST(PipeTiming, AnAccumulatingMmadHidesItsHeadInTheTile) {
  struct Case {
    uint32_t m, n;
    uint64_t gap; // max(0, 21 - cells of one k step)
  };
  // 16 cells, 20 cells and, at the edge, 21 cells.
  for (Case c : {Case{64, 64, 5}, Case{80, 64, 1}, Case{48, 112, 0}}) {
    EngineBench bench;
    ProgramBuilder b;
    mmad(b, 0, c.m, c.n, 64, isa::CubeMode::kZero);
    mmad(b, 0, c.m, c.n, 64, isa::CubeMode::kAccumulate);
    auto m = runTimed(bench, b).stamps.of(Pipe::M, 2);
    EXPECT_EQ(m[1].start, m[0].busyEnd + c.gap) << c.m << "x" << c.n;
  }
}

TEST(PipeTiming, AnMmadOnPartOfTheTileWaitsForRetirement) {
  EngineBench bench;
  ProgramBuilder b;
  mmad(b, 0, 64, 64, 64, isa::CubeMode::kZero);
  mmad(b, 0, 64, 32, 64, isa::CubeMode::kAccumulate);
  auto m = runTimed(bench, b).stamps.of(Pipe::M, 2);
  EXPECT_EQ(m[1].start, m[0].retire);
}

TEST(PipeTiming, FractalMovesRunAt256BytesPerCycle) {
  EngineBench bench;
  ProgramBuilder b;
  b.npu({.op = Opcode::kCpL0a}, isa::FractalTarget{0, 4, 4}.pack(),
        isa::FractalSource{0, 4, 1}.pack()); // 8 KiB: 32 cycles
  auto s = runTimed(bench, b).stamps.of(Pipe::MTE1, 1);
  EXPECT_EQ(s[0].busyEnd, s[0].start + 32);
  EXPECT_EQ(s[0].retire, s[0].start + 32 + 28);
}

TEST(PipeTiming, AFlagIsVisibleFourCyclesAfterTheLastEarlierRetirement) {
  EngineBench bench;
  ProgramBuilder b;
  mmad(b, 0, 64, 64, 64, isa::CubeMode::kZero);
  b.set(Pipe::M, Pipe::V, 3);
  b.wait(Pipe::M, Pipe::V, 3);
  vadd(b, 0x1000, 0, 1);
  TimedRun run = runTimed(bench, b);
  uint64_t retire = run.stamps.of(Pipe::M, 1)[0].retire;
  // The kwait takes the cycle in which the flag becomes visible.
  EXPECT_EQ(run.stamps.of(Pipe::V, 1)[0].start, retire + 4 + 1);
}

/// Rule 7. The sets leave their queue in t + 1 and t + 2 and are visible in
/// t + 5 and t + 6; the first wait takes the flag in t + 3 + addi, not before
/// t + 5, and has to be over when the second set comes.
TEST(PipeTiming, ASetInTheCycleOfTheWaitBeforeItIsAFault) {
  EngineBench bench;
  for (unsigned addi : {0u, 2u, 3u, 4u, 20u}) {
    ProgramBuilder b;
    b.li(10, 1);
    const auto sync = [&](Opcode op) {
      b.npuWord({.op = op,
                 .sub = static_cast<uint8_t>(Pipe::MTE2),
                 .f3 = static_cast<uint8_t>(Pipe::V)});
    };
    sync(Opcode::kKset);
    sync(Opcode::kKset);
    for (unsigned i = 0; i < addi; ++i) {
      b.addi(5, 5, 1);
    }
    sync(Opcode::kKwait);
    sync(Opcode::kKwait);
    sim::LaunchRequest request = bench.request(b.program(), {});
    if (addi <= 2) {
      bench.runCycle(request);
    } else {
      EXPECT_EQ(bench.fault(*bench.cycle, request).kind,
                isa::FaultKind::kFlagAlreadySet);
    }
  }
}

/// Rule 7: a wait between two sets of one cycle does not part them.
TEST(PipeTiming, TwoSetsOfOneFlagInOneCycleAreAFault) {
  for (Pipe destination : {Pipe::MTE3, Pipe::S}) {
    EngineBench bench;
    ProgramBuilder b;
    vadd(b, 0x8000, 0, 30);
    b.set(Pipe::V, destination, 2);
    b.set(Pipe::V, destination, 2);
    b.wait(Pipe::V, destination, 2);
    b.wait(Pipe::V, destination, 2);
    EXPECT_EQ(bench.fault(*bench.cycle, bench.request(b.program(), {})).kind,
              isa::FaultKind::kFlagAlreadySet);
  }
}

TEST(PipeTiming, AFlagThatIsVisibleCostsTheWaitItsOneCycle) {
  EngineBench bench;
  for (bool flag : {false, true}) {
    ProgramBuilder b;
    if (flag) {
      b.set(Pipe::M, Pipe::V, 0);
      for (int i = 0; i < 20; ++i) {
        b.addi(5, 5, 1);
      }
    }
    b.li(11, view(0, 128));
    b.li(12, view(0, 0));
    b.li(6, view(0x4000, 1));
    b.li(10, 0);
    if (flag) {
      b.npuWord({.op = Opcode::kKwait,
                 .sub = static_cast<uint8_t>(Pipe::M),
                 .f3 = static_cast<uint8_t>(Pipe::V)});
    }
    b.addi(10, 6, 0);
    b.npuWord({.op = Opcode::kVadd, .f3 = kF16});
    auto v = runTimed(bench, b).stamps.of(Pipe::V, 1);
    // The wait is issued two cycles before the command, so it is gone by then.
    EXPECT_EQ(v[0].start, v[0].issue + 1);
  }
}

TEST(PipeTiming, KbarGoesOnFourCyclesAfterTheLastRetirement) {
  EngineBench bench;
  ProgramBuilder b;
  vadd(b, 0x8000, 0, 100);
  b.barrier();
  b.npuWord({.op = Opcode::kVadd, .f3 = kF16});
  auto v = runTimed(bench, b).stamps.of(Pipe::V, 2);
  EXPECT_EQ(v[1].issue, v[0].retire + 4);
}

TEST(PipeTiming, ConfigurationDoesNotWaitForCommandsInFlight) {
  EngineBench bench;
  ProgramBuilder b;
  isa::AccumulatorTile tile{0, 256, 64};
  b.configure(Pipe::FIX, 0,
              isa::FixConfig0{isa::ElementType::F16, isa::Activation::kNone, 16}
                  .pack());
  b.npu({.op = Opcode::kFixUb, .f3 = kF32}, 0, tile.pack(),
        isa::FixStrides{8192, 32}.pack()); // 16384 elements / 64 = 256
  b.configure(Pipe::FIX, 1, 0);
  tile.addr = 0x20000;
  b.npu({.op = Opcode::kFixUb, .f3 = kF32}, 0x20000, tile.pack(),
        isa::FixStrides{8192, 32}.pack());
  auto f = runTimed(bench, b).stamps.of(Pipe::FIX, 2);
  EXPECT_EQ(f[0].busyEnd, f[0].start + 256);
  EXPECT_EQ(f[0].retire, f[0].start + 256 + 20);
  EXPECT_EQ(f[1].start, f[0].start + 256);
}

TEST(PipeTiming, AQueueOf32EntriesStopsSUntilOneIsFree) {
  EngineBench bench;
  uint64_t gm = bench.allocate(4096);
  for (size_t commands : {31, 32}) {
    ProgramBuilder b;
    load(b, 0x8000, gm, 4096);
    b.set(Pipe::MTE2, Pipe::V, 0);
    b.wait(Pipe::MTE2, Pipe::V, 0);
    b.li(10, view(0x4000, 1));
    b.li(11, view(0, 128));
    b.li(12, view(0, 0));
    for (size_t i = 0; i < commands; ++i) {
      b.npuWord({.op = Opcode::kVadd, .f3 = kF16});
    }
    TimedRun run = runTimed(bench, b, {gm});
    uint64_t visible = run.stamps.of(Pipe::MTE2, 1)[0].retire + 4;
    auto v = run.stamps.of(Pipe::V, commands);
    // The wait leaves when its flag is visible; its entry is free after that.
    if (commands == 31) {
      EXPECT_LT(v.back().issue, visible);
    } else {
      EXPECT_EQ(v.back().issue, visible + 1);
    }
  }
}

TEST(PipeTiming, ALoadRetiresAfterItsBeatsAndTheLatency) {
  struct Case {
    uint64_t offset;
    uint32_t bytes, rows, stride;
    uint64_t beats;
  };
  for (Case c : {Case{0, 512, 1, 0, 4}, Case{0, 4096, 1, 0, 32},
                 Case{64, 512, 1, 0, 5},   // not at a beat: one more
                 Case{0, 32, 1, 0, 2},     // a row costs two at least
                 Case{0, 32, 8, 256, 16},  // eight short rows
                 Case{0, 256, 8, 256, 16}, // touching rows are one
                 Case{0, 600, 1, 0, 5}}) {
    EngineBench bench;
    uint64_t gm = bench.allocate(8192);
    ProgramBuilder b;
    load(b, 0, gm + c.offset, c.bytes, c.rows, c.stride);
    auto s = runTimed(bench, b, {gm}).stamps.of(Pipe::MTE2, 1);
    EXPECT_EQ(s[0].busyEnd, s[0].start + c.beats) << c.bytes;
    EXPECT_EQ(s[0].retire, s[0].start + c.beats + 300) << c.bytes;
  }
}

TEST(PipeTiming, StoresToInterleavedRowsOfGmDoNotWaitForEachOther) {
  EngineBench bench;
  uint64_t gm = bench.allocate(64 * 1024);
  ProgramBuilder b;
  isa::StoreGeometry g;
  g.rowBytes = 512;
  g.gmStride = 1024;
  for (uint64_t half : {0, 512}) {
    b.npu({.op = Opcode::kStUb, .f3 = 1}, gm + half, view(0, 16, 16),
          g.pack()); // 16 rows of 4 beats
  }
  auto s = runTimed(bench, b, {gm}).stamps.of(Pipe::MTE3, 2);
  EXPECT_EQ(s[0].busyEnd, s[0].start + 64);
  EXPECT_EQ(s[1].start, s[0].busyEnd);
  EXPECT_EQ(s[1].retire, s[0].retire + 64);
}

TEST(PipeTiming, StoresAndFixShareTheWritePort) {
  EngineBench bench;
  uint64_t gm = bench.allocate(64 * 1024);
  ProgramBuilder b;
  b.configure(Pipe::FIX, 0,
              isa::FixConfig0{isa::ElementType::F16, isa::Activation::kNone, 16}
                  .pack());
  store(b, gm, 0, 8192); // 64 beats alone
  isa::AccumulatorTile tile{0, 256, 16};
  b.npu({.op = Opcode::kFixGm, .f3 = kF32}, gm + 32768, tile.pack(),
        isa::FixStrides{8192, 32}.pack()); // 8192 bytes: 64 beats alone
  TimedRun run = runTimed(bench, b, {gm});
  auto s = run.stamps.of(Pipe::MTE3, 1)[0], f = run.stamps.of(Pipe::FIX, 1)[0];
  ASSERT_LT(f.start, s.busyEnd);
  // Together 128 beats of the one port, without a gap.
  EXPECT_EQ(std::max(s.busyEnd, f.busyEnd), s.start + 128);
  // While both want it they take turns: the first ends after both have sent
  // what the other had not before.
  uint64_t alone = f.start - s.start;
  EXPECT_NEAR(static_cast<double>(std::min(s.busyEnd, f.busyEnd)),
              static_cast<double>(s.start + alone + 2 * (64 - alone)), 8.0);
  EXPECT_EQ(f.retire, f.busyEnd + 110 + 20);
  EXPECT_GT(
      run.report.pipes[6].stall[static_cast<unsigned>(sim::Stall::kGmPort)],
      0u);
}

TEST(PipeTiming, AnEmptyKernelCostsItsLaunch) {
  EngineBench bench;
  ProgramBuilder b;
  // 4000 + 800 + 32 + 4 bytes at 64 a cycle, then kend for one cycle.
  EXPECT_EQ(runTimed(bench, b).report.cycles, 4000u + 800 + 32 + 1 + 1);
}

TEST(PipeTiming, LoadAddStoreByHand) {
  EngineBench bench;
  uint64_t gm = bench.allocate(8192);
  ProgramBuilder b;
  load(b, 0, gm, 2048); // 16 beats
  b.set(Pipe::MTE2, Pipe::V);
  b.wait(Pipe::MTE2, Pipe::V);
  vadd(b, 0x1000, 0, 8); // 8 cycles, latency 24
  b.set(Pipe::V, Pipe::MTE3);
  b.wait(Pipe::V, Pipe::MTE3);
  store(b, gm + 4096, 0x1000, 2048); // 16 beats
  TimedRun run = runTimed(bench, b, {gm});
  uint64_t t = run.stamps.of(Pipe::MTE2, 1)[0].start;
  uint64_t loaded = t + 16 + 300;
  uint64_t added = loaded + 4 + 1 + 8 + 24;
  uint64_t stored = added + 4 + 1 + 16 + 110; // L2 acknowledges
  EXPECT_EQ(run.stamps.of(Pipe::MTE2, 1)[0].retire, loaded);
  EXPECT_EQ(run.stamps.of(Pipe::V, 1)[0].retire, added);
  EXPECT_EQ(run.stamps.of(Pipe::MTE3, 1)[0].retire, stored);
  EXPECT_EQ(run.report.kernelCycles, stored - t);
  // kend: S goes on four cycles after the last retirement.
  EXPECT_EQ(run.report.cycles, stored + 4);
}

TEST(PipeTiming, BlocksAreHandedOutInIndexOrder) {
  EngineBench bench;
  ProgramBuilder b;
  vadd(b, 0x8000, 0, 100);
  sim::LaunchRequest request = bench.request(b.program());
  Stamps stamps;
  request.listener = &stamps;
  request.blockDim = 3;
  request.cores = 2;
  sim::LaunchReport report = bench.runCycle(request);
  auto v = stamps.of(Pipe::V, 3);
  EXPECT_EQ(v[0].issue, v[1].issue); // both cores start together
  EXPECT_NE(v[0].core, v[1].core);
  // The third block: its core retires, +4 for kend, +32 to start again, then
  // the same instructions as from the launch to the first issue.
  uint64_t launch =
      4000 + 800 + 2 * 32 +
      ceilDiv(request.program->image().imageBytes(), uint64_t{64});
  EXPECT_EQ(v[2].issue, v[0].retire + 4 + 32 + (v[0].issue - launch));
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    EXPECT_EQ(report.pipes[p].total(), 2 * report.cycles);
  }
}

/// The occupancy of dst = src0 + src1 over 64 rows of 256 bytes.
uint64_t addCycles(uint32_t dst, uint32_t src0, uint32_t src1) {
  EngineBench bench;
  ProgramBuilder b;
  b.npu({.op = Opcode::kVadd, .f3 = kF16}, view(dst, 64), view(src0, 128),
        view(src1, 0));
  auto v = runTimed(bench, b).stamps.of(Pipe::V, 1)[0];
  return v.busyEnd - v.start;
}

// A bank of UB is 64 KiB; 16 groups of 32-byte blocks, so a row of 256 bytes
// takes half of them and the next row the other half.
TEST(PipeTiming, OperandsInBanksOfTheirOwnNeverMeet) {
  EXPECT_EQ(addCycles(0x20000, 0, 0x10000), 64u);
}

TEST(PipeTiming, SourcesInOneBankAndPhaseTakeTwoCyclesABeat) {
  EXPECT_EQ(addCycles(0x20000, 0, 0x4000), 128u);
  // In the other phase the two read other groups.
  EXPECT_EQ(addCycles(0x20000, 0, 0x4100), 64u);
  // The same block is read once.
  EXPECT_EQ(addCycles(0x20000, 0x4000, 0x4000), 64u);
}

TEST(PipeTiming, WritesComeBackAfterAnOddDelaySoThatInPlaceIsFree) {
  EXPECT_EQ(addCycles(0x4000, 0x4000, 0x10000), 64u);
  EngineBench bench;
  bench.arch.timing.banks.ubWriteDelayCycles = 20; // even: every beat meets
  ProgramBuilder b;
  b.npu({.op = Opcode::kVadd, .f3 = kF16}, view(0x4000, 64), view(0x4000, 128),
        view(0x10000, 0));
  auto v = runTimed(bench, b).stamps.of(Pipe::V, 1)[0];
  EXPECT_GT(v.busyEnd - v.start, 64u);
}

TEST(PipeTiming, WritesGoFirst) {
  // Reads of two sources in one bank take turns, 2 cycles a beat; the writes to
  // the same bank take further cycles of it.
  uint64_t cycles = addCycles(0x8000, 0, 0x4000);
  EXPECT_GT(cycles, 100u);
  EXPECT_LT(cycles, 192u);
}

TEST(PipeTiming, WithoutGroupsNoBankIsWaitedFor) {
  EngineBench bench;
  bench.arch.timing.banks.ubGroups = 0;
  ProgramBuilder b;
  b.npu({.op = Opcode::kVadd, .f3 = kF16}, view(0x20000, 64), view(0, 128),
        view(0x4000, 0));
  auto v = runTimed(bench, b).stamps.of(Pipe::V, 1)[0];
  EXPECT_EQ(v.busyEnd - v.start, 64u);
}

/// The occupancy of an im2col of 64 pixels of an image 64 wide, one k block.
uint64_t im2colCycles(uint32_t stride, bool c04) {
  EngineBench bench;
  ProgramBuilder b;
  im2col(b, {.height = 8,
             .width = 64 * stride,
             .perRow = 64,
             .stride = stride,
             .count = 64,
             .fourChannels = c04});
  auto s = runTimed(bench, b).stamps.of(Pipe::MTE1, 1)[0];
  return s.busyEnd - s.start;
}

TEST(PipeTiming, Im2colRowsInOneBankOfL1FollowEachOther) {
  // Eight rows a cycle; a bank is a 32-byte row of 16.
  EXPECT_EQ(im2colCycles(1, false), 8u);
  EXPECT_EQ(im2colCycles(2, false), 8u);  // every other bank
  EXPECT_EQ(im2colCycles(4, false), 16u); // four banks, two rows each
  EXPECT_EQ(im2colCycles(16, false), 64u);
  EXPECT_EQ(im2colCycles(2, true), 16u); // 8 bytes a pixel: 128 bytes a cycle
}

TEST(PipeTiming, StoresRetireInTheirOrder) {
  // Without an L2 the first waits for a refresh of DRAM longer than the second
  // would; both have left the port.
  EngineBench bench("k1-nano");
  uint64_t gm = bench.allocate(64 * 1024);
  ProgramBuilder b;
  store(b, gm, 0, 8192);
  store(b, gm + 8192, 0, 16);
  auto s = runTimed(bench, b, {gm}).stamps.of(Pipe::MTE3, 2);
  EXPECT_GE(s[1].retire, s[0].retire);
}

/// Each core loads the same or its own 128 KiB.
uint64_t loadByCores(EngineBench &bench, uint32_t cores, bool own) {
  constexpr uint32_t kBytes = 128 * 1024;
  uint64_t gm = bench.allocate(uint64_t{kBytes} * cores);
  ProgramBuilder b;
  b.csrRead(5, isa::kCsrBlockIndex);
  b.word(17u << 20 | 5u << 15 | 1u << 12 | 5u << 7 | 0x13); // slli x5, x5, 17
  for (uint32_t at = 0; at < kBytes; at += kBytes / 4) {
    isa::LoadGeometry g{kBytes / 4, 0};
    b.li(11, gm + at);
    if (own) {
      b.word(5u << 20 | 11u << 15 | 11u << 7 | 0x33); // add x11, x11, x5
    }
    b.li(10, view(at, 1, kBytes / 4 / 32));
    b.li(12, g.pack());
    b.npuWord({.op = Opcode::kLdUb});
  }
  b.note.bindingCount = 1;
  sim::LaunchRequest request = bench.request(b.program(), {gm});
  request.blockDim = request.cores = cores;
  return bench.runCycle(request).kernelCycles;
}

TEST(PipeTiming, CoresShareTheBandwidthOfDram) {
  EngineBench bench;
  bench.arch.timing.memory.dram.part.refiPs = 4'000'000'000;
  // Alone the port decides: 128 bytes a cycle.
  EXPECT_EQ(loadByCores(bench, 1, true), 128u * 1024 / 128 + 300);
  // Sixteen cores want 2048 bytes a cycle, the channels give 1200 at most.
  uint64_t bound = 16u * 128 * 1024 / 1200;
  // (dram_bandwidth_test measures the steady rate; here are fill and drain.)
  uint64_t together = loadByCores(bench, 16, true);
  EXPECT_GE(together, bound + 300);
  EXPECT_LE(together, 2 * bound);
  // The same bytes come from DRAM once.
  EXPECT_LE(loadByCores(bench, 16, false), 128u * 1024 / 128 + 300 + 100);
}

} // namespace
} // namespace kiln::test
