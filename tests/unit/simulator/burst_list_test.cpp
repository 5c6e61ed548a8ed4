// SPDX-License-Identifier: Apache-2.0
#include "simulator/cycle/burst_list.h"

#include <gtest/gtest.h>

namespace kiln::sim {
namespace {

isa::MemoryTiming timing() {
  isa::MemoryTiming t;
  t.portReadBytesPerCycle = t.portWriteBytesPerCycle = 128;
  t.burstBytes = 512;
  t.minRowBeats = 2;
  return t;
}

isa::Footprint rows(uint64_t base, uint64_t bytes, uint64_t count,
                    uint64_t stride) {
  isa::StridedRange r;
  r.space = isa::Space::GM;
  r.base = base;
  r.bytes = bytes;
  r.count[0] = count;
  r.stride[0] = stride;
  return {{r}};
}

struct Totals {
  unsigned bursts = 0;
  uint64_t bytes = 0, beats = 0;
};

Totals drain(const isa::Footprint &footprint) {
  BurstList list;
  list.start(footprint, false, timing());
  Totals t;
  while (!list.done()) {
    Burst b = list.next();
    EXPECT_GE(b.beats, 1u);
    EXPECT_LE(b.bytes, 512u);
    ++t.bursts;
    t.bytes += b.bytes;
    t.beats += b.beats;
  }
  return t;
}

void expectTotals(const isa::Footprint &f, unsigned bursts, uint64_t bytes,
                  uint64_t beats) {
  Totals t = drain(f);
  EXPECT_EQ(t.bursts, bursts);
  EXPECT_EQ(t.bytes, bytes);
  EXPECT_EQ(t.beats, beats);
}

TEST(BurstList, ARowIsCutAtMultiplesOfTheBurst) {
  expectTotals(rows(0x1000, 1300, 1, 0), 3, 1300, 11);
}

TEST(BurstList, AnOddStartCostsOneBeatMore) {
  expectTotals(rows(0x1010, 1024, 1, 0), 3, 1024, 9);
}

TEST(BurstList, AShortRowCostsTwoBeats) {
  expectTotals(rows(0x1000, 32, 5, 256), 5, 160, 10);
  expectTotals(rows(0x1010, 32, 1, 0), 1, 32, 2);
}

TEST(BurstList, RowsThatTouchAreOneRow) {
  expectTotals(rows(0x1000, 64, 64, 64), 8, 4096, 32);
}

TEST(BurstList, OtherSpacesAndDirectionsAreLeftOut) {
  isa::Footprint f = rows(0x1000, 512, 1, 0);
  f.ranges[0].write = true;
  expectTotals(f, 0, 0, 0);
  f = rows(0, 512, 1, 0);
  f.ranges[0].space = isa::Space::UB;
  expectTotals(f, 0, 0, 0);
}

} // namespace
} // namespace kiln::sim
