// SPDX-License-Identifier: Apache-2.0
//
// Pipes that meet in the banks of L0C, UB and L1 (rules 35 to 39), on k1, by
// hand. A bank of L0C is 64 KiB, M works on one cell per cycle, FIX reads 64
// elements of one cell in a beat. A bank of UB is 64 KiB in 16 groups of
// blocks. A beat of V on rows of 256 bytes takes half of the groups, the other
// half in the next cycle; a beat of the other pipes takes a quarter.
#include "tests/timing/commands.h"
#include "tests/timing/stamps.h"

namespace kiln::test {
namespace {

using isa::Opcode;
using isa::Pipe;
using sim::CommandStamp;

constexpr uint8_t kF16 = 5, kF32 = 7;
constexpr uint32_t kL0cBank = 0x10000;

/// Registers first, so that what follows is issued in one cycle each.
struct Meeting {
  CommandStamp m, fix;
  sim::LaunchReport report;
};

/// An mmad and, `delay` cycles after it has been issued and at least two, a
/// FIX command on a tile of 16 columns.
Meeting meet(EngineBench &bench, isa::CubeShape shape,
             isa::AccumulatorTile tile, unsigned delay,
             Opcode op = Opcode::kFixUb) {
  uint64_t gm = bench.allocate(64 * 1024);
  ProgramBuilder b;
  b.configure(Pipe::FIX, 0,
              isa::FixConfig0{isa::ElementType::F16, isa::Activation::kNone, 16}
                  .pack());
  b.li(13, op == Opcode::kFixGm ? gm : 0);
  b.li(14, tile.pack());
  b.li(15, isa::FixStrides{32768, 32}.pack());
  b.npu({.op = Opcode::kMmad, .f3 = kF16}, shape.pack(), 0, 0);
  b.addi(10, 13, 0);
  b.addi(11, 14, 0);
  b.addi(12, 15, 0);
  for (unsigned i = 4; i < delay; ++i) {
    b.addi(5, 5, 1);
  }
  b.npuWord({.op = op, .f3 = kF32});
  TimedRun run = runTimed(bench, b, {gm});
  return {run.stamps.of(Pipe::M, 1)[0], run.stamps.of(Pipe::FIX, 1)[0],
          run.report};
}

uint64_t lost(const Meeting &r) { return r.report.pipes[4].bankCycles; }

TEST(BankTraffic, FixWaitsForAnMmadInItsBankAndInNoOther) {
  // 64 x 64 x 512: 512 cycles in bank 0. Four beats of FIX.
  for (uint32_t at : {kL0cBank - 1024, kL0cBank}) {
    EngineBench bench;
    Meeting r = meet(bench, {0, 64, 64, 512}, {at, 16, 16}, 8);
    ASSERT_EQ(r.m.busyEnd, r.m.start + 512);
    ASSERT_EQ(r.fix.start, r.m.start + 8);
    const bool same = at < kL0cBank;
    EXPECT_EQ(r.fix.busyEnd, (same ? r.m.busyEnd : r.fix.start) + 4);
    EXPECT_EQ(r.fix.retire, r.fix.busyEnd + 20);
    EXPECT_EQ(lost(r), same ? 512u - 8 : 0u);
    EXPECT_EQ(r.fix.bankCycles, lost(r));
  }
}

TEST(BankTraffic, FixGoesWhileTheMmadIsInAnotherBank) {
  // 256 x 128 is 128 cells, half in bank 0: in each of the four k steps M is
  // in bank 0 for 64 cycles and in bank 1 for 64.
  const isa::CubeShape shape{0, 256, 128, 64};
  struct Case {
    uint32_t address, rows;
    unsigned delay;
    uint64_t end; // after the start of the mmad
  };
  for (Case c : {
           Case{0, 16, 8, 64 + 4},          // its bank is free from 64 on
           Case{0, 16, 124, 128},           // four beats are just left
           Case{0, 16, 125, 192 + 1},       // three: the last one waits
           Case{kL0cBank, 16, 8, 8 + 4},    // its bank is free now
           Case{kL0cBank, 16, 60, 64},      // for just four beats
           Case{kL0cBank, 16, 61, 128 + 1}, // for three
           Case{0, 512, 8, 192 + 64},       // 128 beats: two turns
           // A cell of each bank: four beats when M is in bank 1, four in 0.
           Case{kL0cBank - 1024, 32, 8, 128 + 4},
           Case{kL0cBank - 1024, 32, 70, 128 + 4},
           Case{kL0cBank - 1024, 32, 125, 256 + 4},
       }) {
    EngineBench bench;
    Meeting r = meet(bench, shape, {c.address, c.rows, 16}, c.delay);
    ASSERT_EQ(r.fix.start, r.m.start + c.delay);
    EXPECT_EQ(r.fix.busyEnd, r.m.start + c.end)
        << c.address << " from " << c.delay;
  }
}

TEST(BankTraffic, StoresOfFixWaitToo) {
  // 64 rows of 16: 16 beats, 2 KiB in four bursts of four beats of the port.
  for (uint32_t at : {0x8000u, kL0cBank}) {
    EngineBench bench;
    Meeting r = meet(bench, {0, 64, 64, 512}, {at, 64, 16}, 8, Opcode::kFixGm);
    if (at == kL0cBank) {
      EXPECT_EQ(r.fix.busyEnd, r.fix.start + 16);
      EXPECT_EQ(lost(r), 0u);
    } else {
      EXPECT_EQ(r.fix.busyEnd, r.m.busyEnd + 16);
      EXPECT_EQ(lost(r), 512u - 8);
    }
    EXPECT_EQ(r.fix.retire, r.fix.busyEnd + 110 + 20);
  }
}

TEST(BankTraffic, WithoutBanksOfL0cNothingWaits) {
  EngineBench bench;
  bench.arch.timing.banks.l0cBanks = 0;
  Meeting r = meet(bench, {0, 64, 64, 512}, {0, 16, 16}, 8);
  EXPECT_EQ(r.fix.busyEnd, r.fix.start + 4);
  EXPECT_EQ(lost(r), 0u);
}

constexpr uint32_t kUbBank = 0x10000;

/// A command with its operands.
struct Issued {
  isa::Instruction instruction;
  uint64_t rs1 = 0, rs2 = 0, rs3 = 0;
};

/// V's sum of rows of 256 bytes: half of the groups per cycle.
Issued rowSums(uint32_t dst, uint32_t src0, uint32_t src1, uint32_t rows) {
  return {{.op = Opcode::kVadd, .f3 = kF16},
          view(dst, rows),
          view(src0, 128),
          view(src1, 0)};
}
Issued store512(uint64_t gm, uint32_t ub) {
  isa::StoreGeometry g;
  g.rowBytes = 512;
  return {{.op = Opcode::kStUb, .f3 = 1}, gm, view(ub, 1, 0), g.pack()};
}
Issued load512(uint64_t gm, uint32_t ub) {
  return {{.op = Opcode::kLdUb},
          view(ub, 1, 16),
          gm,
          isa::LoadGeometry{512, 0}.pack()};
}
/// 16-bit results of `rows` rows of 16, one block each.
Issued fixRows(uint32_t ub, uint32_t rows) {
  return {{.op = Opcode::kFixUb, .f3 = kF32},
          ub,
          isa::AccumulatorTile{0, rows, 16}.pack(),
          isa::FixStrides{32768, 32}.pack()};
}

/// Issues the second command `delay` (at least 4) cycles after the first.
std::pair<CommandStamp, CommandStamp>
runPair(EngineBench &bench, uint64_t gm, const Issued &first,
        const Issued &second, unsigned delay, sim::LaunchReport *report = {}) {
  ProgramBuilder b;
  b.configure(Pipe::FIX, 0,
              isa::FixConfig0{isa::ElementType::F16, isa::Activation::kNone, 16}
                  .pack());
  b.li(13, second.rs1);
  b.li(14, second.rs2);
  b.li(15, second.rs3);
  b.npu(first.instruction, first.rs1, first.rs2, first.rs3);
  b.addi(10, 13, 0);
  b.addi(11, 14, 0);
  b.addi(12, 15, 0);
  for (unsigned i = 4; i < delay; ++i) {
    b.addi(5, 5, 1);
  }
  b.npuWord(second.instruction);
  TimedRun run = runTimed(bench, b, {gm});
  if (report) {
    *report = run.report;
  }
  auto stamps = run.stamps.all;
  std::sort(stamps.begin(), stamps.end(),
            [](const auto &a, const auto &b) { return a.issue < b.issue; });
  EXPECT_EQ(stamps.size(), 2u);
  stamps.resize(2);
  return {stamps[0], stamps[1]};
}

/// Four beats of a quarter of the groups from cycle `t` on, two of each half,
/// while V takes the halves in turn, the first half in cycle `v`: a beat that
/// comes with V in its half is served a cycle later. So the last one is late,
/// or the two in the middle are, which nobody sees.
uint64_t lateInTurns(uint64_t v, uint64_t t) { return (t - v) % 2 ? 0 : 1; }

TEST(BankTraffic, StoresWaitForReadsOfVInTheirBank) {
  for (unsigned delay : {8u, 9u}) {
    // In V's bank; in none; where V writes, before it does; in none, but V
    // has taken both reads of the group.
    for (auto [at, second] :
         {std::pair{0x8000u, 0u}, std::pair{kUbBank, 0u},
          std::pair{3 * kUbBank, 0u}, std::pair{3 * kUbBank, kUbBank}}) {
      EngineBench bench;
      uint64_t gm = bench.allocate(4096);
      sim::LaunchReport report;
      auto [v, s] = runPair(bench, gm, rowSums(2 * kUbBank, 0, second, 100),
                            store512(gm, at), delay, &report);
      ASSERT_EQ(s.start, v.start + delay);
      const bool meets = at == 0x8000u || second == kUbBank;
      const uint64_t late = meets ? lateInTurns(v.start, s.start) : 0;
      EXPECT_EQ(s.busyEnd, s.start + 4); // nothing on the port
      EXPECT_EQ(s.retire, s.busyEnd + late + 110) << at << " " << second;
      EXPECT_EQ(s.bankCycles, late);
      EXPECT_EQ(report.pipes[6].bankCycles, late);
      EXPECT_EQ(v.busyEnd, v.start + 100); // V never waits
    }
  }
}

TEST(BankTraffic, StoresWaitForTheWritesThatComeBehindV) {
  // One row: one write of half of the groups, 21 cycles after the start. The
  // last two beats are of that half: the last one is late when it meets it,
  // the one before has its turn in the last one's cycle.
  for (unsigned delay : {16u, 17u, 18u, 19u, 20u}) {
    EngineBench bench;
    uint64_t gm = bench.allocate(4096);
    auto [v, s] = runPair(bench, gm, rowSums(2 * kUbBank, 0, 0, 1),
                          store512(gm, 2 * kUbBank + 0x8100), delay);
    ASSERT_EQ(s.start, v.start + delay);
    EXPECT_EQ(s.busyEnd, s.start + 4);
    EXPECT_EQ(s.retire, s.busyEnd + (delay == 18) + 110) << delay;
  }
}

TEST(BankTraffic, AGroupServesOneBankOfAStorePerCycle) {
  // Four blocks of one group, or of four, are one beat; the port is busy for
  // two cycles.
  for (uint32_t apart : {kUbBank / 32, 1u}) {
    EngineBench bench;
    uint64_t gm = bench.allocate(4096);
    ProgramBuilder b;
    isa::StoreGeometry g;
    g.rowBytes = 32;
    g.gmStride = 32;
    b.npu({.op = Opcode::kStUb, .f3 = 1}, gm, view(0, 4, apart), g.pack());
    const auto s = runTimed(bench, b, {gm}).stamps.of(Pipe::MTE3, 1)[0];
    const uint64_t late = apart == 1 ? 0 : 2; // cycles 0 to 3 of a port's two
    EXPECT_EQ(s.busyEnd, s.start + 2);
    EXPECT_EQ(s.retire, s.busyEnd + late + 110);
    EXPECT_EQ(s.bankCycles, late);
  }
}

TEST(BankTraffic, LoadsWaitForWritesOfVInTheirGroup) {
  // The load's beats come in the four cycles before 304 after its start.
  for (unsigned delay : {200u, 201u}) {
    for (bool meets : {false, true}) {
      EngineBench bench;
      uint64_t gm = bench.allocate(4096);
      auto [l, v] =
          runPair(bench, gm, load512(gm, 3 * kUbBank),
                  rowSums(2 * kUbBank, 0, 0, meets ? 200 : 60), delay);
      ASSERT_EQ(v.start, l.start + delay);
      const uint64_t late =
          meets ? lateInTurns(v.start + 21, l.start + 300) : 0;
      EXPECT_EQ(l.busyEnd, l.start + 4); // nothing on the port
      EXPECT_EQ(l.retire, l.start + 304 + late) << delay;
      EXPECT_EQ(l.bankCycles, late);
    }
  }
}

TEST(BankTraffic, LoadsIntoTheBankOfASourceWaitUntilVHasReadIt) {
  // Reads and writes of V are in different halves: no cycle is left while it
  // reads. V's last read is 140 cycles after its start, that is 340 after
  // that of the load; then all blocks of the half without a write have their
  // turn, and in the next cycle those of the other half.
  EngineBench bench;
  uint64_t gm = bench.allocate(4096);
  auto [l, v] = runPair(bench, gm, load512(gm, 0x8000),
                        rowSums(2 * kUbBank, 0, 0, 141), 200);
  ASSERT_EQ(v.start, l.start + 200);
  const uint64_t free = v.start + 141;
  EXPECT_EQ(l.retire, free + 2);
  EXPECT_EQ(l.bankCycles, free + 2 - (l.start + 304));
}

TEST(BankTraffic, FixWaitsForWritesOfVInItsGroup) {
  for (unsigned delay : {30u, 31u}) {
    for (bool meets : {false, true}) {
      EngineBench bench;
      uint64_t gm = bench.allocate(4096);
      auto [v, f] =
          runPair(bench, gm, rowSums(2 * kUbBank, 0, 0, meets ? 100 : 4),
                  fixRows(3 * kUbBank, 16), delay);
      ASSERT_EQ(f.start, v.start + delay);
      const uint64_t late = meets ? lateInTurns(v.start + 21, f.start) : 0;
      EXPECT_EQ(f.busyEnd, f.start + 4);
      EXPECT_EQ(f.retire, f.busyEnd + late + 20);
      EXPECT_EQ(f.bankCycles, late);
    }
  }
}

TEST(BankTraffic, LoadsWaitForFix) {
  // FIX takes quarter i % 4 in its cycle i, the load quarters 0 to 3: it is
  // behind FIX, or in the same quarter and a cycle later behind it.
  for (unsigned delay : {200u, 201u, 202u, 203u}) {
    EngineBench bench;
    uint64_t gm = bench.allocate(4096);
    auto [l, f] = runPair(bench, gm, load512(gm, 3 * kUbBank),
                          fixRows(2 * kUbBank, 1024), delay);
    ASSERT_EQ(f.start, l.start + delay);
    const bool same = (l.start + 300 - f.start) % 4 == 0;
    EXPECT_EQ(l.retire, l.start + 304 + same) << delay;
    EXPECT_EQ(f.busyEnd, f.start + 256);
  }
}

TEST(BankTraffic, StoresWaitForLoadsInTheirBank) {
  // The load's beats are in quarters 0 to 3 in cycles 300 to 303, the store's
  // in its first four.
  for (unsigned delay : {296u, 299u, 300u, 301u}) {
    for (uint32_t at : {0x8000u, kUbBank}) {
      EngineBench bench;
      uint64_t gm = bench.allocate(8192);
      auto [l, s] =
          runPair(bench, gm, load512(gm, 0), store512(gm + 4096, at), delay);
      ASSERT_EQ(s.start, l.start + delay);
      const bool meets = delay == 300 && at == 0x8000;
      EXPECT_EQ(s.busyEnd, s.start + 4);
      EXPECT_EQ(s.bankCycles, meets ? 1u : 0u) << delay;
      EXPECT_EQ(s.retire, s.busyEnd + meets + 110) << delay;
      EXPECT_EQ(l.retire, l.start + 304);
    }
  }
}

TEST(BankTraffic, MovesToL1WaitToo) {
  isa::RowBlocks blocks;
  blocks.blocks = 16;
  EngineBench bench;
  uint64_t gm = bench.allocate(4096);
  auto [v, s] = runPair(bench, gm, rowSums(2 * kUbBank, 0, 0, 100),
                        {{.op = Opcode::kStL1},
                         view(0, 1, 16),
                         view(0x8000, 0, 16),
                         blocks.pack()},
                        8);
  EXPECT_EQ(s.busyEnd, s.start + 4);
  EXPECT_EQ(lateInTurns(v.start, s.start), 1u);
  EXPECT_EQ(s.retire, s.busyEnd + 1 + 20);
}

TEST(BankTraffic, WithoutMeetingInUbNothingWaits) {
  EngineBench bench;
  bench.arch.timing.banks.ubPipesMeet = 0;
  uint64_t gm = bench.allocate(4096);
  auto [v, s] = runPair(bench, gm, rowSums(2 * kUbBank, 0, 0, 100),
                        store512(gm, 0x8000), 8);
  EXPECT_EQ(s.retire, s.start + 4 + 110);
  EXPECT_EQ(s.bankCycles, 0u);
}

/// cp.l0a of 16-row fractals: half of L1's 16 banks per cycle, in turn.
Issued fractals(uint32_t l1, uint32_t count) {
  return {{.op = Opcode::kCpL0a},
          isa::FractalTarget{0, 1, count}.pack(),
          isa::FractalSource{l1, count, 1}.pack(),
          0};
}
Issued loadL1(uint64_t gm, uint32_t l1, uint32_t bytes = 512) {
  return {{.op = Opcode::kLdL1},
          view(l1, 1, bytes / 32),
          gm,
          isa::LoadGeometry{bytes, 0}.pack()};
}

TEST(BankTraffic, LoadsToL1WaitForMte1) {
  // 100 fractals: 200 cycles; 20: over before the load's beats come.
  for (unsigned delay : {200u, 201u}) {
    for (uint32_t count : {100u, 20u}) {
      EngineBench bench;
      uint64_t gm = bench.allocate(4096);
      auto [l, c] =
          runPair(bench, gm, loadL1(gm, 0x40000), fractals(0, count), delay);
      ASSERT_EQ(c.start, l.start + delay);
      const uint64_t late =
          count == 100 ? lateInTurns(c.start, l.start + 300) : 0;
      EXPECT_EQ(l.busyEnd, l.start + 4);
      EXPECT_EQ(l.retire, l.start + 304 + late) << delay;
      EXPECT_EQ(l.bankCycles, late);
      EXPECT_EQ(c.busyEnd, c.start + 2 * count);
    }
  }
}

TEST(BankTraffic, Mte1ReadsOneBankOfL1PerCycleForTheBiasTable) {
  // cp.bt takes bank i % 16 in its cycle i. The load has two beats: in cycle
  // 300 in banks 0 to 3, in 301 in banks 4 to 7; one of these is late when it
  // is taken in 301.
  for (unsigned delay : {196u, 197u, 198u, 199u, 200u, 201u, 202u, 203u}) {
    EngineBench bench;
    uint64_t gm = bench.allocate(4096);
    auto [l, c] = runPair(
        bench, gm, loadL1(gm, 0x40000, 256),
        {{.op = Opcode::kCpBt}, 0, 0, isa::ByteCount{4096}.pack()}, delay);
    ASSERT_EQ(c.start, l.start + delay);
    const uint64_t bank = (l.start + 301 - c.start) % 16;
    const bool late = bank >= 4 && bank < 8;
    EXPECT_EQ(l.retire, l.start + 302 + late) << delay;
  }
}

TEST(BankTraffic, FixAndMovesToL1WaitForMte1) {
  isa::RowBlocks blocks;
  blocks.blocks = 16;
  const Issued move{{.op = Opcode::kStL1},
                    view(0x40000, 1, 16),
                    view(0, 0, 16),
                    blocks.pack()};
  Issued fix = fixRows(0x40000, 16);
  fix.instruction.op = Opcode::kFixL1;
  for (const Issued &other : {move, fix}) {
    for (unsigned delay : {8u, 9u}) {
      EngineBench bench;
      uint64_t gm = bench.allocate(4096);
      auto [c, o] = runPair(bench, gm, fractals(0, 60), other, delay);
      ASSERT_EQ(o.start, c.start + delay);
      const uint64_t late = lateInTurns(c.start, o.start);
      EXPECT_EQ(o.busyEnd, o.start + 4);
      EXPECT_EQ(o.retire, o.busyEnd + late + 20);
      EXPECT_EQ(o.bankCycles, late);
    }
  }
}

TEST(BankTraffic, InL1LoadsGoBeforeFix) {
  // Beat i of FIX is in quarter i of the banks, as is that of the load, there
  // in cycle 300.
  for (unsigned delay : {296u, 299u, 300u, 301u}) {
    EngineBench bench;
    uint64_t gm = bench.allocate(4096);
    Issued fix = fixRows(0x40000, 16);
    fix.instruction.op = Opcode::kFixL1;
    auto [l, f] = runPair(bench, gm, loadL1(gm, 0), fix, delay);
    ASSERT_EQ(f.start, l.start + delay);
    EXPECT_EQ(l.retire, l.start + 304);
    EXPECT_EQ(f.busyEnd, f.start + 4);
    EXPECT_EQ(f.retire, f.busyEnd + (delay == 300) + 20) << delay;
  }
}

TEST(BankTraffic, RowsOfIm2colAreReadBankByBank) {
  // Stride 8 of pixels of 32 bytes: eight rows in two banks, four cycles of
  // reads of two banks each. Two groups of 8 rows: banks 0 and 8 in cycles 0
  // to 3, again in 4 to 7.
  for (uint32_t quarter : {0u, 1u, 2u, 3u}) {
    EngineBench bench;
    uint64_t gm = bench.allocate(4096);
    ProgramBuilder b;
    isa::RowBlocks blocks;
    blocks.blocks = 4;
    im2col(b,
           {.height = 8, .width = 160, .perRow = 16, .stride = 8, .count = 64});
    b.npu({.op = Opcode::kStL1}, view(0x40000 + 128 * quarter, 1, 4),
          view(0, 0, 4), blocks.pack());
    TimedRun run = runTimed(bench, b, {gm});
    auto i = run.stamps.of(Pipe::MTE1, 1)[0];
    auto s = run.stamps.of(Pipe::MTE3, 1)[0];
    ASSERT_LT(s.start, i.busyEnd);
    EXPECT_EQ(i.busyEnd, i.start + 32);
    const bool meets = quarter % 2 == 0;
    EXPECT_EQ(s.busyEnd, s.start + 1);
    EXPECT_EQ(s.retire, (meets ? i.busyEnd + 1 : s.busyEnd) + 20) << quarter;
  }
}

TEST(BankTraffic, WithoutMeetingInL1NothingWaits) {
  EngineBench bench;
  bench.arch.timing.banks.l1PipesMeet = 0;
  uint64_t gm = bench.allocate(4096);
  auto [l, c] = runPair(bench, gm, loadL1(gm, 0x40000), fractals(0, 100), 200);
  EXPECT_EQ(l.retire, l.start + 304);
}

} // namespace
} // namespace kiln::test
