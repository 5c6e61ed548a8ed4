// SPDX-License-Identifier: Apache-2.0
#include "simulator/core/timing_wheel.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace kiln::sim {
namespace {

struct Log {
  void note(uint64_t what, uint64_t now) { events.push_back({now, what}); }
  std::vector<std::pair<uint64_t, uint64_t>> events;
};

TEST(TimingWheel, RunsByCycleThenPhaseThenFirstInFirstOut) {
  TimingWheel wheel;
  Log log;
  wheel.at<&Log::note>(5, Phase::kLate, &log, 1);
  wheel.at<&Log::note>(5, Phase::kMain, &log, 2);
  wheel.at<&Log::note>(3, Phase::kMain, &log, 3);
  wheel.at<&Log::note>(5, Phase::kMain, &log, 4);
  while (wheel.runNext()) {
  }
  std::vector<std::pair<uint64_t, uint64_t>> expected = {
      {3, 3}, {5, 2}, {5, 4}, {5, 1}};
  EXPECT_EQ(log.events, expected);
}

TEST(TimingWheel, FarEventsKeepTheirOrder) {
  std::mt19937 random(1);
  TimingWheel wheel;
  Log log;
  std::vector<std::pair<uint64_t, uint64_t>> expected;
  for (uint64_t i = 0; i < 5000; ++i) {
    uint64_t cycle = random() % 20000;
    wheel.at<&Log::note>(cycle, Phase::kMain, &log, i);
    expected.push_back({cycle, i});
  }
  std::sort(expected.begin(), expected.end());
  while (wheel.runNext()) {
  }
  EXPECT_EQ(log.events, expected);
}

struct Chain {
  void step(uint64_t left, uint64_t now) {
    sum += now;
    if (left) {
      wheel->at<&Chain::step>(now + left % 7 * 300, Phase::kMain, this,
                              left - 1);
    }
  }
  TimingWheel *wheel = nullptr;
  uint64_t sum = 0;
};

TEST(TimingWheel, SteppingEveryCycleGivesTheSame) {
  uint64_t sums[2];
  for (bool skip : {false, true}) {
    TimingWheel wheel;
    wheel.setSkipping(skip);
    Chain chain;
    chain.wheel = &wheel;
    wheel.at<&Chain::step>(1, Phase::kMain, &chain, 100);
    while (wheel.runNext()) {
    }
    sums[skip] = chain.sum;
  }
  EXPECT_EQ(sums[0], sums[1]);
}

} // namespace
} // namespace kiln::sim
