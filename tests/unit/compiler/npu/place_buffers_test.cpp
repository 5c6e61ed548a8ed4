// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu/place_buffers.h"

#include <random>

#include <gtest/gtest.h>

namespace kiln::npu {
namespace {

using isa::BankOperand;

/// Buffers that live together, of the given sizes.
std::vector<BufferPlace> together(std::initializer_list<int64_t> sizes) {
  std::vector<BufferPlace> buffers;
  for (int64_t bytes : sizes) {
    buffers.push_back({.bytes = bytes, .align = 32, .start = 0, .end = 9});
  }
  return buffers;
}

/// dst = src0 op src1 on `blocks` consecutive blocks of each.
VectorUse binary(VectorUse::Blocks dst, VectorUse::Blocks src0,
                 VectorUse::Blocks src1, uint64_t blocks, uint64_t perBeat,
                 uint64_t times = 1) {
  VectorUse command;
  command.rows = 1;
  command.beatsPerRow = blocks / perBeat;
  command.times = times;
  command.occupancy = command.beatsPerRow;
  command.latency = 24;
  command.beginsRun = true;
  for (VectorUse::Blocks *x : {&src0, &src1, &dst}) {
    x->blocks.blockStride = 32;
    x->blocks.blocks = blocks;
    x->blocks.write = x == &dst;
    command.operands.push_back(*x);
    const auto lo = static_cast<int64_t>(x->blocks.base);
    command.touches.push_back({x->buffer, lo,
                               lo + static_cast<int64_t>(32 * blocks),
                               x->blocks.write});
  }
  return command;
}

VectorUse::Blocks at(unsigned buffer, uint64_t offset = 0) {
  return {buffer, {.base = offset}};
}

class PlaceBuffers : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    auto spec = isa::loadArchSpec(GetParam());
    ASSERT_TRUE(spec);
    timing_ = spec->timing.banks;
    capacity_ = static_cast<int64_t>(spec->arch.capacity(isa::Space::UB));
    // A beat of the machine's vector unit, in blocks.
    perBeat_ = spec->timing.vector[0].elements16 * 2 / isa::kBlockBytes;
    perBeat_ = std::max<uint64_t>(perBeat_, 1);
    bank_ = capacity_ / timing_.ubBanks;
  }
  VectorCost costOf(std::vector<VectorUse> commands) const {
    return {isa::UbBanks(timing_, static_cast<uint64_t>(capacity_)), 4,
            commands};
  }
  isa::BankTiming timing_;
  int64_t capacity_ = 0, bank_ = 0;
  uint64_t perBeat_ = 0;
};

TEST_P(PlaceBuffers, OperandsOfACommandLoseNothingWhereThereIsRoom) {
  std::vector<BufferPlace> buffers = together({2048, 2048, 2048});
  ASSERT_EQ(placeFirstFit(buffers), 3 * 2048);
  // The sources in phase: each beat meets itself in one bank.
  VectorCost cost = costOf({binary(at(0), at(1), at(2), 56, perBeat_)});
  const uint64_t before = cost(buffers);
  EXPECT_GT(before, 0u);
  EXPECT_EQ(placeForLess(buffers, capacity_, cost), 0u);
  EXPECT_EQ(cost(buffers), 0u);
}

TEST_P(PlaceBuffers, FirstFitStandsWhereNothingElseFits) {
  std::vector<BufferPlace> buffers =
      together({capacity_ - bank_ / 2, bank_ / 2});
  placeFirstFit(buffers);
  const std::vector<BufferPlace> before = buffers;
  VectorCost cost =
      costOf({binary(at(0), at(0, 512), at(0, 1024), 56, perBeat_)});
  const uint64_t least = cost(buffers);
  EXPECT_GT(least, 0u);
  EXPECT_LE(placeForLess(buffers, capacity_, cost), least);
  for (const BufferPlace &buffer : buffers) {
    EXPECT_LE(buffer.address + buffer.bytes, capacity_);
  }
}

TEST_P(PlaceBuffers, HalvesOfABufferLieOnBothSidesOfAnEdge) {
  // One buffer of a bank's size and what fills the rest but for half a bank.
  std::vector<BufferPlace> buffers = together({bank_, bank_ / 2});
  placeFirstFit(buffers);
  const auto half = static_cast<uint64_t>(bank_ / 2);
  VectorCost cost = costOf({binary(at(0), at(0, 512), at(0, half + 1024),
                                   half / 32 - 64, perBeat_)});
  const uint64_t before = cost(buffers);
  EXPECT_GT(before, 0u);
  EXPECT_EQ(placeForLess(buffers, capacity_, cost), 0u);
  EXPECT_NE(buffers[0].address / bank_,
            (buffers[0].address + bank_ / 2 + 1024) / bank_);
}

TEST_P(PlaceBuffers, NothingOfAnotherCommandLiesBetweenTheOperandsOfOne) {
  // a += x and b += x in turn. Between x and b lies a, in order of size: each
  // would wait for the other's result. With x in the middle none does.
  std::vector<BufferPlace> buffers = together({1024, 1008, 992}); // x, a, b
  placeFirstFit(buffers);
  std::vector<VectorUse> uses;
  for (unsigned i = 0; i < 8; ++i) {
    uses.push_back(binary(at(1 + i % 2), at(1 + i % 2), at(0), 24, perBeat_));
    uses.back().operands.clear(); // no banks here
    uses.back().beginsRun = i == 0;
  }
  VectorCost cost = costOf(uses);
  const uint64_t before = cost(buffers);
  EXPECT_GT(before, 0u);
  EXPECT_EQ(placeForLess(buffers, capacity_, cost), 0u);
  EXPECT_GT(std::max(buffers[1].address, buffers[2].address),
            buffers[0].address);
  EXPECT_LT(std::min(buffers[1].address, buffers[2].address),
            buffers[0].address);
}

TEST_P(PlaceBuffers, TheCommandThatRunsMoreOftenDecides) {
  // Room for one move only: the small buffer goes to the first or to the
  // second bank's end.
  std::vector<BufferPlace> buffers =
      together({bank_ - 2048, bank_ - 2048, 2048});
  for (uint64_t often : {0u, 1u}) {
    placeFirstFit(buffers);
    VectorCost cost = costOf(
        {binary(at(2), at(0, 512), at(0, 1024), 32, perBeat_, often ? 99 : 1),
         binary(at(2), at(1, 512), at(1, 1024), 32, perBeat_, often ? 1 : 99)});
    placeForLess(buffers, 2 * bank_, cost);
    EXPECT_NE(buffers[2].address / bank_,
              buffers[often ? 0 : 1].address / bank_);
  }
}

TEST_P(PlaceBuffers, RandomPlacesFitDoNotOverlapAndLoseNoMore) {
  std::mt19937_64 random(7);
  auto below = [&](uint64_t n) { return random() % n; };
  for (int round = 0; round < 60; ++round) {
    std::vector<BufferPlace> buffers(2 + below(7));
    for (BufferPlace &b : buffers) {
      b.align = 32;
      b.bytes = static_cast<int64_t>(32 * (64 + below(capacity_ / 128)));
      b.start = static_cast<int64_t>(below(6));
      b.end = b.start + static_cast<int64_t>(below(6));
    }
    if (placeFirstFit(buffers) > capacity_) {
      continue;
    }
    std::vector<VectorUse> commands;
    for (int i = 0; i < 6; ++i) {
      auto any = [&] {
        return at(static_cast<unsigned>(below(buffers.size())), 32 * below(8));
      };
      commands.push_back(
          binary(any(), any(), any(), 48, perBeat_, 1 + below(9)));
    }
    VectorCost cost = costOf(commands), again = costOf(commands);
    std::vector<BufferPlace> places = buffers, others = buffers;
    const uint64_t before = cost(buffers);
    EXPECT_LE(placeForLess(places, capacity_, cost), before);
    EXPECT_EQ(cost(places), placeForLess(others, capacity_, again));
    for (size_t i = 0; i < places.size(); ++i) {
      const BufferPlace &a = places[i];
      EXPECT_EQ(a.address, others[i].address) << "not deterministic";
      EXPECT_EQ(a.address % a.align, 0);
      EXPECT_LE(a.address + a.bytes, capacity_);
      for (size_t j = 0; j < i; ++j) {
        const BufferPlace &b = places[j];
        const bool together = a.start <= b.end && b.start <= a.end;
        EXPECT_TRUE(!together || a.address + a.bytes <= b.address ||
                    b.address + b.bytes <= a.address);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Machines, PlaceBuffers,
                         testing::Values("k1", "k1-nano"),
                         [](const auto &info) {
                           return info.param == std::string("k1") ? "k1"
                                                                  : "nano";
                         });

TEST(PlaceBuffersWithoutBanks, NothingMoves) {
  auto spec = isa::loadArchSpec("k1");
  ASSERT_TRUE(spec);
  isa::BankTiming timing = spec->timing.banks;
  timing.ubGroups = 0;
  std::vector<BufferPlace> buffers = together({4096, 2048, 2048});
  placeFirstFit(buffers);
  VectorCost cost(isa::UbBanks(timing, 256 << 10), 4,
                  {binary(at(0), at(1), at(2), 56, 8)});
  EXPECT_EQ(placeForLess(buffers, 256 << 10, cost), 0u);
  EXPECT_EQ(buffers[0].address, 0);
  EXPECT_EQ(buffers[1].address, 4096);
  EXPECT_EQ(buffers[2].address, 4096 + 2048);
}

} // namespace
} // namespace kiln::npu
