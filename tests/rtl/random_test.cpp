// SPDX-License-Identifier: Apache-2.0
//
// Random race-free programs in the subset of the core in SystemVerilog: every
// stamp and every byte equal the cycle engine's.
#include "tests/rtl/comparison.h"
#include "tests/rtl/random_rtl_program.h"
#include "tests/support/seeds.h"

#include <algorithm>

namespace kiln::test {
namespace {

class Laboratory {
public:
  explicit Laboratory(const char *machine = "k1-nano") : comparison(machine) {
    initial = edgyBytes(kRandomGmBytes, 42);
    gm = comparison.bench.upload(initial);
  }

  std::string
  check(const std::vector<Step> &steps, uint64_t seed,
        const std::function<void(std::vector<uint16_t> &)> &mutate = {}) {
    RtlProgram p = makeRtlProgram(steps, comparison.bench.arch, seed);
    std::memcpy(comparison.bench.gm->host(GmAddr(gm), initial.size()),
                initial.data(), initial.size());
    return comparison.difference(p.builder.program(), {gm}, mutate);
  }
  std::string
  checkQueues(const std::function<void(std::vector<uint16_t> &)> &mutate) {
    return comparison.difference(fullQueues(gm).program(), {gm}, mutate);
  }
  std::vector<Step> steps(uint64_t seed) {
    return randomRtlSteps(comparison.bench.arch, gm, seed, 20 + seed % 50);
  }

  Comparison comparison;
  uint64_t gm = 0;
  std::vector<std::byte> initial;
};

void runPrograms(Laboratory &lab, uint64_t first, uint64_t count) {
  std::vector<size_t> commands;
  uint64_t conflicts = 0;
  for (uint64_t seed : seeds(first, count)) {
    std::vector<Step> steps = lab.steps(seed);
    std::string bad = lab.check(steps, seed);
    if (bad.empty()) {
      commands.push_back(lab.comparison.expected.size());
      conflicts += lab.comparison.found.bankConflicts;
      continue;
    }
    steps = shrink(std::move(steps), [&](const std::vector<Step> &fewer) {
      return !lab.check(fewer, seed).empty();
    });
    bad = lab.check(steps, seed);
    FAIL() << "seed " << seed << ": " << bad << "\n"
           << makeRtlProgram(steps, lab.comparison.bench.arch, seed).text;
  }
  std::sort(commands.begin(), commands.end());
  EXPECT_GE(commands[commands.size() / 2], 30u);
  EXPECT_GT(conflicts, commands.size());
}

TEST(RtlRandom, StampsAndBytesEqualTheEnginesWithFlatMemory) {
  Laboratory lab;
  lab.comparison.bench.arch.timing.memory.model = "flat";
  runPrograms(lab, 1, 100);
}

TEST(RtlRandom, StampsAndBytesEqualTheEnginesWithDram) {
  Laboratory lab;
  runPrograms(lab, 100'001, 100);
}

TEST(RtlRandom, FullQueuesHoldS) {
  Laboratory lab;
  EXPECT_EQ(lab.checkQueues({}), "");
  EXPECT_GT(lab.comparison.found.queueFull, 100u);
}

/// A core with one figure off by one is found out.
TEST(RtlRandom, EveryStrapOffByOneIsFound) {
  Laboratory lab;
  const std::vector<std::string> &names = rtlKeyNames();
  for (size_t key = 0; key < names.size(); ++key) {
    for (int step : {1, -1}) {
      auto mutate = [&](std::vector<uint16_t> &keys) {
        bool power = names[key].ends_with("_16") ||
                     names[key].ends_with("_32") ||
                     names[key].ends_with("_bytes");
        // Rates and sizes are powers of two.
        keys[key] = static_cast<uint16_t>(!power     ? keys[key] + step
                                          : step < 0 ? keys[key] / 2
                                                     : keys[key] * 2);
      };
      if (names[key] == "ub_reads" && step > 0) {
        continue; // no command here reads three blocks in a beat
      }
      bool found = !lab.checkQueues(mutate).empty();
      for (uint64_t seed = 1; seed <= 60 && !found; ++seed) {
        found = !lab.check(lab.steps(seed), seed, mutate).empty();
      }
      EXPECT_TRUE(found) << names[key] << (step > 0 ? " up" : " down");
    }
  }
}

} // namespace
} // namespace kiln::test
