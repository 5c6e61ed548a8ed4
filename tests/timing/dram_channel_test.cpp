// SPDX-License-Identifier: Apache-2.0
//
// One DRAM channel, command by command (rules 60 to 71), on a part with round
// figures so that every boundary can be computed by hand.
#include "simulator/memory/dram_channel.h"

#include <gtest/gtest.h>
#include <map>

namespace kiln::sim {
namespace {

/// 32 bytes a cycle: a line of 512 bytes takes 16 cycles of the bus.
DramCycles part() {
  DramCycles t;
  t.banks = 4;
  t.linesPerPage = 4;
  t.burstBytes = 64;
  t.rateBytes = 32;
  t.rcd = 14;
  t.rp = 13;
  t.ras = 34;
  t.cl = 12;
  t.cwl = 5;
  t.rrd = 4;
  t.faw = 30;
  t.rtp = 6;
  t.wr = 15;
  t.wtr = 8;
  t.rtw = 3;
  t.refi = 100'000;
  t.rfc = 260;
  return t;
}

struct Bench final : DramClient {
  explicit Bench(const DramCycles &timing = part(),
                 DramChannel::Options options = {16, 8, 2, 1'000'000})
      : channel(timing, options, wheel, *this) {}

  void dramDone(uint32_t tag, bool, uint64_t now) override { done[tag] = now; }
  /// Bank and row as the address map has them: page = row * banks + digits.
  static uint64_t line(uint32_t bank, uint64_t row, uint32_t column = 0) {
    for (uint64_t page = row * 4; page < row * 4 + 4; ++page) {
      if ((page % 4 + page / 4 % 4 + page / 16) % 4 == bank) {
        return page * 4 + column;
      }
    }
    return 0;
  }
  void at(uint64_t cycle, uint32_t tag, uint64_t line, bool write = false,
          uint32_t bytes = 512) {
    pending[cycle].push_back({line, bytes, write, tag, tag});
    wheel.at<&Bench::push>(cycle, Phase::kMain, this);
  }
  void push(uint64_t, uint64_t now) {
    for (const DramRequest &r : pending[now]) {
      channel.push(r, now);
    }
    pending[now].clear();
  }
  std::map<uint32_t, uint64_t> run() {
    while (wheel.runNext()) {
    }
    return done;
  }
  TimingWheel wheel;
  DramChannel channel;
  std::map<uint64_t, std::vector<DramRequest>> pending;
  std::map<uint32_t, uint64_t> done;
};

TEST(DramChannel, AClosedRowCostsActivationAndReadLatency) {
  Bench b;
  b.at(100, 1, Bench::line(0, 0));
  EXPECT_EQ(b.run()[1], 100u + 14 + 12 + 16);
}

TEST(DramChannel, AWriteHasItsOwnLatency) {
  Bench b;
  b.at(100, 1, Bench::line(0, 0), true);
  EXPECT_EQ(b.run()[1], 100u + 14 + 5 + 16);
}

TEST(DramChannel, BytesAreRoundedUpToBursts) {
  Bench b;
  b.at(100, 1, Bench::line(0, 0), false, 65); // two bursts of 64: 4 cycles
  EXPECT_EQ(b.run()[1], 100u + 14 + 12 + 4);
}

TEST(DramChannel, OpenRowsFollowWithoutAGap) {
  Bench b;
  for (uint32_t i = 0; i < 4; ++i) {
    b.at(100, i, Bench::line(0, 0, i));
  }
  b.run();
  for (uint32_t i = 0; i < 4; ++i) {
    EXPECT_EQ(b.done[i], 100u + 14 + 12 + 16 * (i + 1));
  }
}

TEST(DramChannel, PartsOfACycleOfTheBusAddUp) {
  DramCycles t = part();
  t.rateBytes = 75; // 37.5 bytes a cycle: 13.65 cycles a line
  t.rateCycles = 2;
  Bench b(t);
  for (uint32_t i = 0; i < 4; ++i) {
    b.at(100, i, Bench::line(0, 0, i));
  }
  b.run();
  EXPECT_EQ(b.done[0], 100u + 26 + 14);
  EXPECT_EQ(b.done[1], 100u + 26 + 28);
  EXPECT_EQ(b.done[2], 100u + 26 + 41);
  EXPECT_EQ(b.done[3], 100u + 26 + 55);
}

TEST(DramChannel, AnotherRowIsPrechargedFirst) {
  Bench b;
  b.at(100, 1, Bench::line(0, 0));
  b.at(200, 2, Bench::line(0, 1)); // long after tRAS
  EXPECT_EQ(b.run()[2], 200u + 13 + 14 + 12 + 16);
}

TEST(DramChannel, APrechargeWaitsForTheActivationsMinimum) {
  // 64 bytes: the read's end + rtp, 100 + 14 + 2 + 6, is before ras.
  Bench b;
  b.at(100, 1, Bench::line(0, 0), false, 64);
  b.at(101, 2, Bench::line(0, 1), false, 64);
  EXPECT_EQ(b.run()[2], 100u + 34 + 13 + 14 + 12 + 2);
}

TEST(DramChannel, APrechargeWaitsForTheRead) {
  // 1024 bytes: the read ends on the command side at 100 + 14 + 32.
  Bench b;
  b.at(100, 1, Bench::line(0, 0), false, 1024);
  b.at(101, 2, Bench::line(0, 1), false, 64);
  EXPECT_EQ(b.run()[2], 100u + 14 + 32 + 6 + 13 + 14 + 12 + 2);
}

TEST(DramChannel, APrechargeWaitsForTheWriteToRecover) {
  Bench b;
  b.at(100, 1, Bench::line(0, 0), true);
  b.at(101, 2, Bench::line(0, 1), true);
  EXPECT_EQ(b.run()[2], 100u + 14 + 5 + 16 + 15 + 13 + 14 + 5 + 16);
}

TEST(DramChannel, ActivationsOfTwoBanksKeepTheirDistance) {
  Bench b;
  b.at(100, 1, Bench::line(0, 0), false, 64);
  b.at(100, 2, Bench::line(1, 0), false, 64);
  b.run();
  EXPECT_EQ(b.done[2], 100u + 4 + 14 + 12 + 2);
}

TEST(DramChannel, FourActivationsFillTheirWindow) {
  DramCycles t = part();
  t.banks = 8;
  Bench b(t);
  // Pages 0 to 4 are banks 0 to 4.
  for (uint32_t bank = 0; bank < 5; ++bank) {
    b.at(100, bank, 4 * bank, false, 64);
  }
  b.run();
  EXPECT_EQ(b.done[3], 100u + 3 * 4 + 14 + 12 + 2);
  EXPECT_EQ(b.done[4], 100u + 30 + 14 + 12 + 2);
}

TEST(DramChannel, AReadAfterAWriteWaitsForTheTurn) {
  Bench b;
  b.at(100, 1, Bench::line(0, 0), true);
  b.at(115, 2, Bench::line(0, 0, 1)); // the write has been issued
  EXPECT_EQ(b.run()[2], 100u + 14 + 5 + 16 + 8 + 12 + 16);
}

TEST(DramChannel, AWriteAfterAReadLeavesTheBusAGap) {
  Bench b;
  b.at(100, 1, Bench::line(0, 0));
  b.at(101, 2, Bench::line(0, 0, 1), true);
  EXPECT_EQ(b.run()[2], 100u + 14 + 12 + 16 + 3 + 16);
}

TEST(DramChannel, AnOpenRowGoesBeforeAnOlderRequest) {
  Bench b;
  b.at(100, 1, Bench::line(0, 0));
  b.at(101, 2, Bench::line(0, 1));
  b.at(102, 3, Bench::line(0, 0, 1));
  b.run();
  EXPECT_EQ(b.done[3], 100u + 14 + 12 + 32);
  EXPECT_GT(b.done[2], b.done[3]);
}

TEST(DramChannel, TheSchedulerLooksAtItsWindowOnly) {
  for (uint32_t depth : {1u, 2u}) {
    Bench b(part(), {depth, 8, 2, 1'000'000});
    b.at(100, 1, Bench::line(0, 0));
    b.at(114, 2, Bench::line(0, 1)); // the first has just been issued
    b.at(114, 3, Bench::line(0, 0, 1));
    b.run();
    EXPECT_EQ(b.done[3] < b.done[2], depth == 2) << depth;
  }
}

TEST(DramChannel, WritesWaitForReadsUntilThereAreMany) {
  for (uint32_t high : {2u, 3u}) {
    Bench b(part(), {16, high, 1, 1'000'000});
    b.at(100, 1, Bench::line(0, 0));
    b.at(101, 11, Bench::line(1, 0), true);
    b.at(101, 12, Bench::line(1, 0, 1), true);
    b.at(102, 2, Bench::line(0, 0, 1));
    b.run();
    // With two of two the run of writes begins and ends with one left.
    EXPECT_EQ(b.done[11] < b.done[2], high == 2) << high;
    EXPECT_GT(b.done[12], b.done[2]);
  }
}

TEST(DramChannel, RefreshHoldsTheChannel) {
  // Due at 1000, all banks closed: until 1260.
  for (uint64_t arrival : {1000u, 1259u, 1260u, 1261u}) {
    Bench b(part(), {16, 8, 2, 1000});
    b.at(arrival, 1, Bench::line(0, 0));
    uint64_t begin = std::max<uint64_t>(arrival, 1260);
    EXPECT_EQ(b.run()[1], begin + 14 + 12 + 16) << arrival;
  }
}

TEST(DramChannel, RefreshPrechargesOpenRowsFirst) {
  Bench b(part(), {16, 8, 2, 1000});
  b.at(980, 1, Bench::line(0, 0)); // precharge not before 980 + 34 = 1014
  b.at(1100, 2, Bench::line(0, 0, 1));
  b.run();
  EXPECT_EQ(b.done[1], 980u + 14 + 12 + 16);
  // Read until 1010 on the command side, + rtp 6 = 1016.
  EXPECT_EQ(b.done[2], 1016u + 13 + 260 + 14 + 12 + 16);
}

TEST(DramChannel, RefreshWaitsForAPrechargeUnderWay) {
  // Row 0 may be precharged from 936 on: the second request does so when it
  // arrives, and rp = 13 cycles later its activation or the refresh can go.
  struct Case {
    uint64_t arrival, activation;
  };
  for (Case c :
       {Case{986, 999 + 34 + 13 + 260}, // activated before the due time
        Case{987, 1000 + 260}, Case{988, 1001 + 260}, Case{990, 1003 + 260},
        Case{999, 1012 + 260}, Case{1000, 1000 + 13 + 260}}) { // still open
    Bench b(part(), {16, 8, 2, 1000});
    b.at(900, 1, Bench::line(0, 0));
    b.at(c.arrival, 2, Bench::line(0, 1));
    EXPECT_EQ(b.run()[2], c.activation + 14 + 12 + 16) << c.arrival;
  }
}

TEST(DramChannel, RefreshComesEveryInterval) {
  DramCycles t = part();
  t.refi = 500;
  for (uint64_t arrival : {999u, 1000u}) { // the second is due at 1000
    Bench b(t, {16, 8, 2, 500});
    b.at(arrival, 1, Bench::line(0, 0));
    // Issued at 999 the activation holds the refresh back; the read waits for
    // it, as no command follows the due time.
    uint64_t done = b.run()[1];
    uint64_t begin = arrival == 999 ? 999 + 34 + 13 + 260 : 1260;
    EXPECT_EQ(done, begin + 14 + 12 + 16) << arrival;
  }
}

TEST(DramChannel, IdleIntervalsAreMadeUpFor) {
  DramCycles t = part();
  t.refi = 500;
  Bench b(t, {16, 8, 2, 500});
  b.at(100, 1, Bench::line(0, 0));
  b.at(100'600, 2, Bench::line(0, 0)); // refreshing since 100'500
  b.run();
  EXPECT_EQ(b.done[2], 100'760u + 14 + 12 + 16);
  const MemoryCounters &c = b.channel.counters();
  EXPECT_EQ(c.refreshes, 201u);
}

TEST(DramChannel, CountsHitsMissesAndConflicts) {
  Bench b;
  b.at(100, 1, Bench::line(0, 0));
  b.at(100, 2, Bench::line(0, 0, 1));
  b.at(200, 3, Bench::line(0, 1));
  b.run();
  const MemoryCounters &c = b.channel.counters();
  EXPECT_EQ(c.rowMisses, 2u);
  EXPECT_EQ(c.rowHits, 1u);
  EXPECT_EQ(c.rowConflicts, 1u);
  EXPECT_EQ(c.dramReadBytes, 3u * 512);
}

} // namespace
} // namespace kiln::sim
