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
BankCommand binary(BankCommand::Operand dst, BankCommand::Operand src0,
                   BankCommand::Operand src1, uint64_t blocks, uint64_t perBeat,
                   uint64_t times = 1) {
  BankCommand command;
  command.rows = 1;
  command.beatsPerRow = blocks / perBeat;
  command.times = times;
  for (BankCommand::Operand *x : {&src0, &src1, &dst}) {
    x->blocks.blockStride = 32;
    x->blocks.blocks = blocks;
    x->blocks.write = x == &dst;
    command.operands.push_back(*x);
  }
  return command;
}

BankCommand::Operand at(unsigned buffer, uint64_t offset = 0) {
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
  BankCost costOf(std::vector<BankCommand> commands) const {
    return {isa::UbBanks(timing_, static_cast<uint64_t>(capacity_)),
            std::move(commands)};
  }
  isa::BankTiming timing_;
  int64_t capacity_ = 0, bank_ = 0;
  uint64_t perBeat_ = 0;
};

TEST_P(PlaceBuffers, OperandsOfACommandLoseNothingWhereThereIsRoom) {
  std::vector<BufferPlace> buffers = together({2048, 2048, 2048});
  ASSERT_EQ(placeFirstFit(buffers), 3 * 2048);
  // The sources in phase: each beat meets itself in one bank.
  BankCost cost = costOf({binary(at(0), at(1), at(2), 56, perBeat_)});
  const uint64_t before = cost(buffers);
  EXPECT_GT(before, 0u);
  EXPECT_EQ(separateBanks(buffers, capacity_, cost), 0u);
  EXPECT_EQ(cost(buffers), 0u);
}

TEST_P(PlaceBuffers, FirstFitStandsWhereNothingElseFits) {
  std::vector<BufferPlace> buffers =
      together({capacity_ - bank_ / 2, bank_ / 2});
  placeFirstFit(buffers);
  const std::vector<BufferPlace> before = buffers;
  BankCost cost =
      costOf({binary(at(0), at(0, 512), at(0, 1024), 56, perBeat_)});
  const uint64_t least = cost(buffers);
  EXPECT_GT(least, 0u);
  EXPECT_LE(separateBanks(buffers, capacity_, cost), least);
  for (const BufferPlace &buffer : buffers) {
    EXPECT_LE(buffer.address + buffer.bytes, capacity_);
  }
}

TEST_P(PlaceBuffers, HalvesOfABufferLieOnBothSidesOfAnEdge) {
  // One buffer of a bank's size and what fills the rest but for half a bank.
  std::vector<BufferPlace> buffers = together({bank_, bank_ / 2});
  placeFirstFit(buffers);
  const auto half = static_cast<uint64_t>(bank_ / 2);
  BankCost cost = costOf({binary(at(0), at(0, 512), at(0, half + 1024),
                                 half / 32 - 64, perBeat_)});
  const uint64_t before = cost(buffers);
  EXPECT_LT(separateBanks(buffers, capacity_, cost), before);
  EXPECT_EQ(buffers[0].address % bank_, bank_ / 2);
}

TEST_P(PlaceBuffers, TheCommandThatRunsMoreOftenDecides) {
  // Room for one move only: the small buffer goes to the first or to the
  // second bank's end.
  std::vector<BufferPlace> buffers =
      together({bank_ - 2048, bank_ - 2048, 2048});
  for (uint64_t often : {0u, 1u}) {
    placeFirstFit(buffers);
    BankCost cost = costOf(
        {binary(at(2), at(0, 512), at(0, 1024), 32, perBeat_, often ? 99 : 1),
         binary(at(2), at(1, 512), at(1, 1024), 32, perBeat_, often ? 1 : 99)});
    separateBanks(buffers, 2 * bank_, cost);
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
    std::vector<BankCommand> commands;
    for (int i = 0; i < 6; ++i) {
      auto any = [&] {
        return at(static_cast<unsigned>(below(buffers.size())), 32 * below(8));
      };
      commands.push_back(
          binary(any(), any(), any(), 48, perBeat_, 1 + below(9)));
    }
    BankCost cost = costOf(commands), again = costOf(commands);
    std::vector<BufferPlace> places = buffers, others = buffers;
    const uint64_t before = cost(buffers);
    EXPECT_LE(separateBanks(places, capacity_, cost), before);
    EXPECT_EQ(cost(places), separateBanks(others, capacity_, again));
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
  BankCost cost(isa::UbBanks(timing, 256 << 10),
                {binary(at(0), at(1), at(2), 56, 8)});
  EXPECT_EQ(separateBanks(buffers, 256 << 10, cost), 0u);
  EXPECT_EQ(buffers[0].address, 0);
  EXPECT_EQ(buffers[1].address, 4096);
  EXPECT_EQ(buffers[2].address, 4096 + 2048);
}

} // namespace
} // namespace kiln::npu
