// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu/place_accumulators.h"

#include "isa/arch/arch_spec.h"

#include <gtest/gtest.h>

namespace kiln::npu {
namespace {

class PlaceAccumulators : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    auto spec = isa::loadArchSpec(GetParam());
    ASSERT_TRUE(spec);
    capacity_ = static_cast<int64_t>(spec->arch.capacity(isa::Space::L0C));
    ASSERT_EQ(spec->timing.banks.l0cBanks, 4u);
    bank_ = capacity_ / 4;
  }

  /// A buffer of `slots` slots of so many eighths of a bank.
  BufferPlace buffer(int64_t slots, int64_t eighths) const {
    BufferPlace place = {.align = 256, .start = 0, .end = 9};
    place.slots = slots;
    place.slotBytes = place.bytes = eighths * bank_ / 8;
    place.setPitch(place.slotBytes);
    return place;
  }

  /// M fills each slot of each buffer, FIX empties it; FIX takes half as long.
  std::vector<AccumulatorUse>
  turns(const std::vector<BufferPlace> &buffers) const {
    std::vector<AccumulatorUse> uses;
    for (int64_t turn = 0; turn < 4; ++turn) {
      for (unsigned i = 0; i < buffers.size(); ++i) {
        const AccumulatorPiece piece = {i, turn % buffers[i].slots, 0,
                                        buffers[i].slotBytes};
        uses.push_back({piece, false, 200, 1});
        uses.push_back({piece, true, 100, 1});
      }
    }
    return uses;
  }

  std::vector<BufferPlace> placed(std::vector<BufferPlace> buffers) const {
    EXPECT_LE(placeFirstFit(buffers), capacity_);
    AccumulatorCost cost(bank_, meetingsOf(turns(buffers)));
    const uint64_t before = cost(buffers);
    const uint64_t after = placeForLess(buffers, capacity_, cost);
    EXPECT_LE(after, before);
    EXPECT_EQ(after, cost(buffers));
    for (const BufferPlace &place : buffers) {
      EXPECT_LE(place.address + place.bytes, capacity_);
    }
    return buffers;
  }

  int64_t capacity_ = 0, bank_ = 0;
};

TEST_P(PlaceAccumulators, SlotsThatTakeTurnsLieInBanksOfTheirOwn) {
  const auto two = placed({buffer(2, 7)});
  EXPECT_EQ(two[0].address, 0);
  EXPECT_EQ(two[0].pitch, bank_);
  EXPECT_EQ(two[0].bytes, bank_ + 7 * bank_ / 8);
  const auto four = placed({buffer(4, 1)});
  EXPECT_EQ(four[0].address, 0);
  EXPECT_EQ(four[0].pitch, bank_);
  // More than a bank: the next one begins where the banks of the first end.
  const auto large = placed({buffer(2, 11)});
  EXPECT_EQ(large[0].address, 0);
  EXPECT_EQ(large[0].pitch, 2 * bank_);
}

TEST_P(PlaceAccumulators, WholeBanksStayAsTheyAre) {
  const auto places = placed({buffer(2, 8)});
  EXPECT_EQ(places[0].address, 0);
  EXPECT_EQ(places[0].pitch, bank_);
  EXPECT_EQ(places[0].bytes, 2 * bank_);
}

TEST_P(PlaceAccumulators, TwoBuffersShareTheBanks) {
  const auto places = placed({buffer(2, 7), buffer(2, 6)});
  EXPECT_EQ(places[0].address, 0);
  EXPECT_EQ(places[0].pitch, bank_);
  EXPECT_EQ(places[1].address, 2 * bank_);
  EXPECT_EQ(places[1].pitch, bank_);
}

TEST_P(PlaceAccumulators, ADepthThatOnlyFitsWithoutGapsStillFits) {
  // 28 + 4 of 32 eighths; with a gap the second would have no place.
  const auto places = placed({buffer(2, 14), buffer(1, 4)});
  EXPECT_EQ(places[0].address, 0);
  EXPECT_EQ(places[0].pitch, 14 * bank_ / 8);
  EXPECT_EQ(places[1].address, 28 * bank_ / 8);
}

TEST_P(PlaceAccumulators, OneBufferIsSpreadWhereTwoCannotBe) {
  // 14 + 15 eighths without gaps; 15 + 17 with one of either would be 33.
  const auto places = placed({buffer(2, 7), buffer(3, 5)});
  EXPECT_EQ(places[0].slots * places[0].slotBytes, 14 * bank_ / 8);
  const bool first = places[0].pitch != places[0].slotBytes,
             second = places[1].pitch != places[1].slotBytes;
  EXPECT_TRUE(first != second);
}

TEST_P(PlaceAccumulators, OneSlotHasNothingToMeet) {
  EXPECT_EQ(placed({buffer(1, 4), buffer(1, 3)})[1].address, 4 * bank_ / 8);
}

INSTANTIATE_TEST_SUITE_P(Machines, PlaceAccumulators,
                         testing::Values("k1", "k1-nano"),
                         [](const auto &info) {
                           return info.param == std::string("k1") ? "k1"
                                                                  : "nano";
                         });

AccumulatorUse cube(unsigned buffer, int64_t slot, uint64_t cycles) {
  return {{buffer, slot, 0, 1024}, false, cycles, 1};
}
AccumulatorUse fix(unsigned buffer, int64_t slot, uint64_t cycles) {
  return {{buffer, slot, 0, 1024}, true, cycles, 3};
}

TEST(AccumulatorMeetings, EndWhereThePieceIsNeededAgain) {
  const std::vector<AccumulatorUse> uses = {cube(0, 0, 200), fix(0, 0, 100),
                                            cube(0, 1, 200), fix(0, 1, 100)};
  const auto meetings = meetingsOf(uses);
  ASSERT_EQ(meetings.size(), 2u);
  for (unsigned slot : {0, 1}) {
    EXPECT_EQ(meetings[slot].fix.slot, slot);
    EXPECT_EQ(meetings[slot].cube.slot, 1 - slot);
    EXPECT_EQ(meetings[slot].weight, 3 * (100 + 100));
  }
}

TEST(AccumulatorMeetings, WhatComesLaterCountsLess) {
  const std::vector<AccumulatorUse> uses = {cube(0, 0, 60), fix(0, 0, 100),
                                            cube(0, 1, 60), fix(0, 1, 100),
                                            cube(0, 2, 60), fix(0, 2, 100)};
  const auto meetings = meetingsOf(uses);
  ASSERT_EQ(meetings.size(), 6u);
  EXPECT_EQ(meetings[0].cube.slot, 1);
  EXPECT_EQ(meetings[0].weight, 3 * (60 + 50));
  EXPECT_EQ(meetings[1].cube.slot, 2);
  EXPECT_EQ(meetings[1].weight, 3 * (40 + 50));
}

TEST(AccumulatorMeetings, OneSlotWaitsForItself) {
  EXPECT_TRUE(meetingsOf(std::vector{cube(0, 0, 200), fix(0, 0, 100)}).empty());
}

} // namespace
} // namespace kiln::npu
