// SPDX-License-Identifier: Apache-2.0
//
// Random race-free programs in the subset of the core in SystemVerilog: every
// stamp and every byte equal the cycle engine's.
#include "isa/gen/operands.h"
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
  uint64_t conflicts = 0, queueFull = 0, interlocks = 0; // cycles
  uint64_t loadWaits = 0, storeWaits = 0;
  for (uint64_t seed : seeds(first, count)) {
    std::vector<Step> steps = lab.steps(seed);
    std::string bad = lab.check(steps, seed);
    if (bad.empty()) {
      commands.push_back(lab.comparison.expected.size());
      conflicts += lab.comparison.found.bankConflicts;
      queueFull += lab.comparison.found.queueFull;
      interlocks += lab.comparison.found.interlocks;
      loadWaits += lab.comparison.found.loadWaits;
      storeWaits += lab.comparison.found.storeWaits;
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
  EXPECT_GT(queueFull, commands.size());
  EXPECT_GT(interlocks, commands.size());
  // Beats of loads and stores that waited for banks of UB.
  std::printf("%zu programs: loads waited for banks for %llu cycles, stores "
              "for %llu\n",
              commands.size(), static_cast<unsigned long long>(loadWaits),
              static_cast<unsigned long long>(storeWaits));
  EXPECT_GT(loadWaits, commands.size());
  EXPECT_GT(storeWaits, commands.size());
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

/// Sums, products, maxima, casts in all roundings and row sums of 8 KiB of
/// numbers per seed, a quarter of them edges of the formats.
TEST(RtlRandom, ArithmeticOfManyNumbers) {
  using isa::LocalView;
  using isa::Opcode;
  Laboratory lab;
  const uint64_t out = lab.comparison.bench.allocate(40 * 8192);
  for (uint64_t seed : seeds(300'001, 12)) {
    lab.initial = edgyBytes(kRandomGmBytes, seed);
    ProgramBuilder b;
    b.note.bindingCount = 2;
    uint64_t result = out;
    isa::LoadGeometry all;
    all.rowBytes = 8192;
    b.npu({.op = Opcode::kLdUb}, LocalView{0, 0, 1, 1}.pack(), lab.gm,
          all.pack());
    b.barrier();
    // Both sources step through the 8 KiB, the second one elsewhere.
    auto vector = [&](Opcode op, uint8_t type, uint32_t columns,
                      uint64_t third) {
      const uint32_t blocks = op == Opcode::kVsumL ? 0 : 1;
      b.npu({.op = op, .f3 = type}, LocalView{16384, 0, blocks, 1}.pack(),
            LocalView{0, 0, 1, columns}.pack(), third);
      b.npu({.op = Opcode::kKset, .sub = 5, .f3 = 6}, 0);
      b.npu({.op = Opcode::kKwait, .sub = 5, .f3 = 6}, 0);
      isa::StoreGeometry geometry;
      geometry.rowBytes = 8192;
      b.npu({.op = Opcode::kStUb, .f3 = 1}, result,
            LocalView{16384, 0, 1, 1}.pack(), geometry.pack());
      result += 8192;
      b.barrier();
    };
    for (uint8_t type : {uint8_t{5}, uint8_t{7}}) {
      uint32_t columns = type == 5 ? 2048 : 1024;
      for (Opcode op : {Opcode::kVadd, Opcode::kVmul, Opcode::kVmax}) {
        vector(op, type, columns, LocalView{4096, 0, 1, 0}.pack());
      }
      vector(Opcode::kVsumL, type, columns, 0);
      for (unsigned rounding = 0; rounding < 7; ++rounding) {
        for (uint8_t to : {uint8_t{5}, uint8_t{7}}) {
          isa::CastMode mode;
          mode.type = isa::ElementType(to);
          mode.rounding = isa::RoundingMode(rounding);
          vector(Opcode::kVcast, type, columns, mode.pack());
        }
      }
    }
    b.barrier();
    b.end();
    std::memcpy(lab.comparison.bench.gm->host(GmAddr(lab.gm), kRandomGmBytes),
                lab.initial.data(), lab.initial.size());
    EXPECT_EQ(lab.comparison.difference(b.program(), {lab.gm, out}), "")
        << "seed " << seed;
  }
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
