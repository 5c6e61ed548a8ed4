// SPDX-License-Identifier: Apache-2.0
//
// Network, L2 and DRAM together on k1 (rules 40 to 56), burst by burst.
#include "simulator/memory/l2_memory.h"

#include "simulator/memory/address_map.h"

#include <gtest/gtest.h>
#include <map>
#include <set>

namespace kiln::sim {
namespace {

constexpr uint64_t kGm = 0x1'0000'0000;
constexpr uint64_t kLine = 512;

struct Bench final : MemClient {
  explicit Bench(const char *machine = "k1", uint32_t cores = 32)
      : arch(*isa::loadArchSpec(machine)), cores(cores) {
    arch.timing.memory.dram.part.refiPs = 4'000'000'000; // out of the way
  }
  void burstDone(uint64_t tag, Cycle now) override { done[tag] = now.count(); }
  struct Issue {
    uint32_t core;
    MemRequest request;
  };
  /// A burst of whole beats that a core hands over at `cycle`.
  void at(uint64_t cycle, uint32_t core, uint64_t tag, uint64_t address,
          bool write = false, uint32_t bytes = 512) {
    uint32_t beat = write ? arch.timing.memory.portWriteBytesPerCycle
                          : arch.timing.memory.portReadBytesPerCycle;
    issues[cycle].push_back(
        {core,
         {GmAddr(address), bytes, (bytes + beat - 1) / beat, write, tag}});
  }
  std::map<uint64_t, uint64_t> run() {
    memory = std::make_unique<L2Memory>(arch, cores, wheel);
    for (auto &[cycle, list] : issues) {
      wheel.at<&Bench::issue>(cycle, Phase::kMain, this);
    }
    while (wheel.runNext()) {
    }
    return done;
  }
  void issue(uint64_t, uint64_t now) {
    for (const Issue &i : issues[now]) {
      memory->port(i.core).issue(i.request, *this, Cycle(now));
    }
  }
  /// Lines of one slice, the nth first.
  uint64_t lineOfSlice(uint32_t slice, uint32_t n) const {
    for (uint64_t line = kGm / kLine;; ++line) {
      if (spread(line, arch.timing.memory.l2.slices) == slice && n-- == 0) {
        return line * kLine;
      }
    }
  }
  /// Lines of one set of slice 0, the nth first.
  uint64_t lineOfSet(uint32_t n) const {
    const isa::L2Timing &l2 = arch.timing.memory.l2;
    uint32_t sets =
        static_cast<uint32_t>(l2.bytes / l2.lineBytes / l2.ways / l2.slices);
    for (uint64_t line = kGm / kLine;; ++line) {
      if (spread(line, l2.slices) == 0 && spread(line / l2.slices, sets) == 0 &&
          n-- == 0) {
        return line * kLine;
      }
    }
  }

  isa::ArchSpec arch;
  uint32_t cores;
  TimingWheel wheel;
  std::unique_ptr<L2Memory> memory;
  std::map<uint64_t, std::vector<Issue>> issues;
  std::map<uint64_t, uint64_t> done;
};

TEST(AddressMap, EveryBlockOfNumbersReachesEveryPlaceOnce) {
  for (uint32_t n : {1u, 2u, 6u, 32u}) {
    for (uint64_t block : {0ull, 5ull, 31ull, 12345ull}) {
      std::set<uint32_t> places;
      for (uint64_t i = 0; i < n; ++i) {
        places.insert(spread(block * n + i, n));
      }
      EXPECT_EQ(places.size(), n);
    }
  }
}

TEST(AddressMap, StridesOfThePlacesReachEveryPlace) {
  for (uint32_t n : {2u, 6u, 32u}) {
    for (uint64_t stride : {uint64_t{n}, uint64_t{n} * n}) {
      std::set<uint32_t> places;
      for (uint64_t i = 0; i < n; ++i) {
        places.insert(spread(i * stride, n));
      }
      EXPECT_EQ(places.size(), n);
    }
  }
}

TEST(L2Memory, UnloadedMissesAndHitsOfEveryMachine) {
  struct Case {
    const char *machine;
    uint64_t miss, hit;
  };
  for (Case c : {Case{"k1", 300, 110}, Case{"k1-edge", 200, 80},
                 Case{"k1-nano", 60, 0}}) {
    Bench b(c.machine, 1);
    b.at(1000, 0, 1, kGm);
    b.at(3000, 0, 2, kGm);
    b.run();
    uint64_t beats = 512 / b.arch.timing.memory.portReadBytesPerCycle;
    EXPECT_EQ(b.done[1], 1000 + beats + c.miss) << c.machine;
    if (c.hit) {
      EXPECT_EQ(b.done[2], 3000 + beats + c.hit) << c.machine;
    }
  }
}

TEST(L2Memory, AWriteIsAcknowledgedByL2WhetherTheLineIsThereOrNot) {
  Bench b;
  b.at(1000, 0, 1, kGm, true);
  b.at(2000, 0, 2, kGm, true);
  b.run();
  EXPECT_EQ(b.done[1], 1000u + 4 + 110);
  EXPECT_EQ(b.done[2], 2000u + 4 + 110);
}

TEST(L2Memory, AReadOfWrittenSectorsHitsAndOfOthersFetches) {
  Bench b;
  b.at(1000, 0, 1, kGm + 64, true, 64);
  b.at(2000, 0, 2, kGm + 64, false, 64);
  b.at(3000, 0, 3, kGm + 32, false, 64); // sector 1 was not written
  b.at(4000, 0, 4, kGm, false, 512);
  b.run();
  EXPECT_EQ(b.done[2], 2000u + 1 + 110);
  EXPECT_EQ(b.done[3], 3000u + 1 + 300);
  EXPECT_EQ(b.done[4], 4000u + 4 + 110);
}

TEST(L2Memory, APartlyWrittenSectorIsNotValid) {
  Bench b;
  b.at(1000, 0, 1, kGm, true, 16);
  b.at(2000, 0, 2, kGm, false, 16);
  EXPECT_EQ(b.run()[2], 2000u + 1 + 300);
}

TEST(L2Memory, MissesOfOneLineMerge) {
  Bench b;
  b.at(1000, 0, 1, kGm);
  b.at(1100, 1, 2, kGm);
  b.run();
  EXPECT_EQ(b.done[1], 1304u);
  EXPECT_EQ(b.done[2], 1304u); // the same fill, another core's link
  MemoryCounters c = b.memory->counters();
  EXPECT_EQ(c.l2ReadMisses, 1u);
  EXPECT_EQ(c.l2Merged, 1u);
  EXPECT_EQ(c.dramReadBytes, 512u);
}

TEST(L2Memory, ASliceServesOneLookUpPerBeatsLowestCoreFirst) {
  Bench b;
  // Four cores read lines of one slice that are there: 4 beats each.
  for (uint32_t i = 0; i < 4; ++i) {
    b.at(1000 + 50 * i, i, i, b.lineOfSlice(7, i));
  }
  for (uint32_t i = 4; i-- > 0;) { // in the other order
    b.at(5000, i, 10 + i, b.lineOfSlice(7, i));
  }
  b.run();
  for (uint32_t i = 0; i < 4; ++i) {
    EXPECT_EQ(b.done[10 + i], 5000u + 4 + 110 + 4 * i);
  }
}

TEST(L2Memory, WritesOfASliceTakeTheirOwnPortAtItsWidth) {
  Bench b;
  b.at(1000, 0, 1, b.lineOfSlice(7, 0), true);
  b.at(1000, 1, 2, b.lineOfSlice(7, 1), true); // 512 / 64 = 8 cycles later
  b.at(1000, 2, 3, b.lineOfSlice(7, 0), false);
  b.run();
  EXPECT_EQ(b.done[1], 1114u);
  EXPECT_EQ(b.done[2], 1122u);
  // Reads are looked up before writes of the same cycle: a miss.
  EXPECT_EQ(b.done[3], 1304u);
}

/// When a miss of cycle 5000 (first) and a hit of cycle `hitAt` are answered.
std::pair<uint64_t, uint64_t> missThenHit(uint64_t hitAt) {
  Bench b;
  const uint64_t hit = b.lineOfSlice(1, 0), miss = b.lineOfSlice(2, 0);
  b.at(1000, 0, 1, hit);
  b.at(5000, 0, 2, miss);
  b.at(hitAt, 0, 3, hit);
  b.run();
  return {b.done[2], b.done[3]};
}

TEST(L2Memory, TheReturnLinkCarriesTheOldestArrivedBurstFirst) {
  // The miss is answered in 5000 + 300, the hit of 5190 as well.
  const auto [miss, hit] = missThenHit(5190);
  EXPECT_EQ(miss, 5304u);
  EXPECT_EQ(hit, 5308u);
}

TEST(L2Memory, AHitPassesAnEarlierMiss) {
  EXPECT_EQ(missThenHit(5004).second, 5004u + 4 + 110);
}

TEST(L2Memory, TheLeastRecentlyUsedLineOfASetGoes) {
  Bench b;
  uint64_t cycle = 1000;
  for (uint32_t i = 0; i < 16; ++i, cycle += 1000) {
    b.at(cycle, 0, i, b.lineOfSet(i));
  }
  b.at(cycle, 0, 20, b.lineOfSet(0)); // used again
  b.at(cycle + 1000, 0, 21, b.lineOfSet(16));
  b.at(cycle + 2000, 0, 22, b.lineOfSet(0));
  b.at(cycle + 3000, 0, 23, b.lineOfSet(1)); // the victim
  b.run();
  EXPECT_EQ(b.done[20], cycle + 114);
  EXPECT_EQ(b.done[22], cycle + 2000 + 114);
  EXPECT_GT(b.done[23], cycle + 3000 + 4 + 200);
}

TEST(L2Memory, DirtyVictimsAreWrittenBack) {
  Bench b;
  for (uint32_t i = 0; i < 17; ++i) {
    b.at(1000 + 1000 * i, 0, i, b.lineOfSet(i), true, i ? 512 : 100);
  }
  b.run();
  MemoryCounters c = b.memory->counters();
  EXPECT_EQ(c.l2WriteBacks, 1u);
  EXPECT_EQ(c.dramWriteBytes, 128u); // four sectors of line 0
  EXPECT_EQ(c.dramReadBytes, 0u);
}

TEST(L2Memory, AWriteWaitsForAWriteBackEntry) {
  for (uint32_t entries : {1u, 2u}) {
    Bench b;
    b.arch.timing.memory.l2.writeBacks = entries;
    for (uint32_t i = 0; i < 16; ++i) {
      b.at(1000 + 1000 * i, 0, i, b.lineOfSet(i), true);
    }
    b.at(20'000, 0, 16, b.lineOfSet(16), true);
    b.at(20'008, 0, 17, b.lineOfSet(17), true);
    b.run();
    EXPECT_EQ(b.done[16], 20'000u + 114);
    // Looked up again when the first victim is in DRAM: 30 to the slice, 99,
    // 14 + 4 + 14 in DRAM.
    uint64_t again = 20'000 + 30 + 99 + 14 + 4 + 14;
    EXPECT_EQ(b.done[17], entries == 2 ? 20'008u + 114 : again + 50 + 30 + 4);
  }
}

TEST(L2Memory, AReadWaitsForAMissEntry) {
  for (uint32_t entries : {1u, 2u}) {
    Bench b;
    b.arch.timing.memory.l2.misses = entries;
    b.at(1000, 0, 1, b.lineOfSlice(3, 0));
    b.at(1004, 0, 2, b.lineOfSlice(3, 1)); // in the same open row
    b.run();
    EXPECT_EQ(b.done[1], 1304u);
    // The entry is free when the line leaves the slice, at 1270.
    uint64_t again = 1270 + 99 + 14 + 14 + 99 + 30 + 4;
    EXPECT_EQ(b.done[2], entries == 1 ? again : 1318u);
  }
}

TEST(L2Memory, ThePortTakesItsBeatsAndItsOutstandingBursts) {
  Bench b;
  b.arch.timing.memory.outstandingReads = 2;
  b.memory = std::make_unique<L2Memory>(b.arch, 1, b.wheel);
  MemPort &port = b.memory->port(0);
  MemRequest r{GmAddr(kGm), 512, 4, false, 1};
  port.issue(r, b, Cycle(0));
  EXPECT_EQ(port.readyAt(false, Cycle(3)), Cycle(4));
  EXPECT_EQ(port.readyAt(false, Cycle(4)), Cycle(4));
  EXPECT_EQ(port.readyAt(true, Cycle(0)), Cycle(0));
  r.tag = 2;
  r.addr = GmAddr(kGm + 512);
  port.issue(r, b, Cycle(4));
  EXPECT_EQ(port.readyAt(false, Cycle(8)), Cycle(~uint64_t{0}));
  while (b.done.empty() && b.wheel.runNext()) {
  }
  EXPECT_EQ(b.wheel.now(), 304u);
  EXPECT_EQ(port.readyAt(false, Cycle(304)), Cycle(304));
}

TEST(L2Memory, WithoutL2AWriteIsCompleteWhenDramHasIt) {
  Bench b("k1-nano", 1);
  b.at(1000, 0, 1, kGm, true, 512);
  // 4 + 12, activation 3, write latency 2, 21.33 of data, 12 + 4 back, and
  // the 64 beats of the port.
  EXPECT_EQ(b.run()[1], 1000u + 16 + 27 + 16 + 64);
}

} // namespace
} // namespace kiln::sim
