// SPDX-License-Identifier: Apache-2.0
//
// Random race-free programs: every order of the functional engine and the
// cycle engine leave the bits of running the steps one by one; the checks find
// nothing; taking out any flag is found.
#include "isa/gen/operands.h"
#include "tests/engines/support/engine_bench.h"
#include "tests/engines/support/random_program.h"
#include "tests/support/seeds.h"

#include <random>

namespace kiln::test {
namespace {

using sim::LaunchReport;
using sim::LaunchRequest;
using sim::Order;

/// One buffer in GM with fixed random contents.
class Laboratory {
public:
  explicit Laboratory(const char *machine)
      : bench(machine), gm(bench.allocate(kRandomGmBytes)) {
    std::mt19937_64 random(42);
    for (size_t i = 0; i < kRandomGmBytes; ++i) {
      initial.push_back(static_cast<std::byte>(random()));
    }
  }

  LaunchRequest request(const SyncedProgram &synced) {
    ProgramBuilder b;
    synced.emit(b);
    b.note.bindingCount = 1;
    return bench.request(b.program(), {gm});
  }

  /// What `what` (an engine in an order) does differently; empty when right.
  std::string difference(const LaunchRequest &request, bool cycle,
                         const std::vector<std::byte> &expected) {
    std::memcpy(bench.gm->host(GmAddr(gm), kRandomGmBytes), initial.data(),
                kRandomGmBytes);
    // A new engine each time: its local buffers are zero, as interpret()'s.
    auto engine = cycle ? sim::createCycleEngine(bench.arch, *bench.gm)
                        : sim::createFunctionalEngine(bench.arch, *bench.gm);
    Result<LaunchReport> report = engine->run(request);
    if (!report) {
      return report.status().message();
    }
    for (const sim::Finding &f : report->findings) {
      return f.text;
    }
    auto found = bench.download<std::byte>(gm, kRandomGmBytes);
    auto at = std::mismatch(found.begin(), found.end(), expected.begin());
    if (at.first != found.end()) {
      return "GM differs from byte " + std::to_string(at.first - found.begin());
    }
    return cycle ? accounting(*report) : std::string();
  }

  /// All runs of one program; empty when all are right.
  std::string check(const std::vector<Step> &steps, uint64_t seed) {
    auto expected = interpret(bench.arch, gm, steps, initial);
    if (!expected) {
      return {}; // a shortened program that faults proves nothing
    }
    SyncedProgram synced = synchronise(steps, bench.arch, seed);
    LaunchRequest r = request(synced);
    for (Order order : {Order::kEager, Order::kLazy}) {
      r.order = order;
      r.checks.race = r.checks.flags = order == Order::kEager;
      std::string bad = difference(r, false, *expected);
      if (!bad.empty()) {
        return (order == Order::kEager ? "eager: " : "lazy: ") + bad;
      }
    }
    r.order = Order::kRandom;
    for (r.seed = 1; r.seed <= 6; ++r.seed) {
      std::string bad = difference(r, false, *expected);
      if (!bad.empty()) {
        return "random order " + std::to_string(r.seed) + ": " + bad;
      }
    }
    std::string bad = difference(r, true, *expected);
    return bad.empty() ? bad : "cycle: " + bad;
  }

  EngineBench bench;
  uint64_t gm;
  std::vector<std::byte> initial;

private:
  static std::string accounting(const LaunchReport &report) {
    for (unsigned p = 0; p < isa::kNumPipes; ++p) {
      if (report.pipes[p].total() != report.cycles) {
        return "cycles of " + std::string(isa::kPipeNames[p]) +
               " do not add up";
      }
    }
    return {};
  }
};

void runPrograms(const char *machine, uint64_t firstSeed, unsigned count) {
  Laboratory lab(machine);
  for (uint64_t seed : seeds(firstSeed, count)) {
    std::vector<Step> steps =
        randomSteps(lab.bench.arch, lab.gm, seed, 5 + seed % 60);
    std::string bad = lab.check(steps, seed);
    if (bad.empty()) {
      continue;
    }
    steps = shrink(std::move(steps), [&](const std::vector<Step> &fewer) {
      return !lab.check(fewer, seed).empty();
    });
    FAIL() << "seed " << seed << " on " << machine << ": "
           << lab.check(steps, seed) << "\n"
           << synchronise(steps, lab.bench.arch, seed).text();
  }
}

TEST(RandomPrograms, EveryOrderAndEngineAgreesOnNano) {
  runPrograms("k1-nano", 1, 400);
}

TEST(RandomPrograms, EveryOrderAndEngineAgreesOnK1) {
  runPrograms("k1", 10'000, 150);
}

TEST(RandomPrograms, TakingOutAFlagIsFoundWhereverItMatters) {
  Laboratory lab("k1-nano");
  unsigned needed = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    std::vector<Step> steps = randomSteps(lab.bench.arch, lab.gm, seed, 30);
    SyncedProgram synced = synchronise(steps, lab.bench.arch, seed);
    for (size_t set : synced.sets()) {
      SyncedProgram without = synced.withoutFlag(set);
      LaunchRequest r = lab.request(without);
      r.checks.race = true;
      auto engine = sim::createFunctionalEngine(lab.bench.arch, *lab.bench.gm);
      Result<LaunchReport> report = engine->run(r);
      ASSERT_TRUE(report.isOk()) << report.status().message();
      bool races = !isRaceFree(without);
      EXPECT_EQ(!report->findings.empty(), races)
          << "seed " << seed << ", flag of issue " << set << "\n"
          << synced.text();
      needed += races;
    }
  }
  EXPECT_GT(needed, 200u);
}

TEST(RandomPrograms, OrdersShowMissingFlagsAsOtherBits) {
  Laboratory lab("k1-nano");
  unsigned different = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    std::vector<Step> steps = randomSteps(lab.bench.arch, lab.gm, seed, 30);
    SyncedProgram synced = synchronise(steps, lab.bench.arch, seed);
    while (!synced.sets().empty()) {
      synced = synced.withoutFlag(synced.sets().front());
    }
    auto expected = interpret(lab.bench.arch, lab.gm, steps, lab.initial);
    LaunchRequest r = lab.request(synced);
    r.order = Order::kLazy;
    different += !lab.difference(r, false, *expected).empty();
    different += !lab.difference(r, true, *expected).empty();
  }
  EXPECT_GT(different, 10u);
}

TEST(RandomPrograms, ProgramsUseEveryPipeAndManyFlags) {
  Laboratory lab("k1-nano");
  std::array<unsigned, isa::kNumPipes> commands{};
  size_t flags = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    std::vector<Step> steps = randomSteps(lab.bench.arch, lab.gm, seed, 30);
    for (const Step &s : steps) {
      ++commands[s.kind == Step::Kind::kWindowCopy
                     ? 0
                     : static_cast<unsigned>(isa::pipeOf(s.instruction))];
    }
    flags += synchronise(steps, lab.bench.arch, seed).sets().size();
  }
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    EXPECT_GT(commands[p], 20u) << isa::kPipeNames[p];
  }
  EXPECT_GT(flags, 200u);
}

TEST(Shrinking, LeavesOnlyTheStepsThatMatter) {
  Laboratory lab("k1-nano");
  std::vector<Step> steps = randomSteps(lab.bench.arch, lab.gm, 7, 60);
  auto uses = [](const std::vector<Step> &list, isa::Opcode op) {
    return std::any_of(list.begin(), list.end(), [&](const Step &s) {
      return s.kind == Step::Kind::kCommand && s.instruction.op == op;
    });
  };
  auto fails = [&](const std::vector<Step> &list) {
    return uses(list, isa::Opcode::kMmad) && uses(list, isa::Opcode::kStUb);
  };
  ASSERT_TRUE(fails(steps));
  EXPECT_EQ(shrink(steps, fails).size(), 2u);
}

} // namespace
} // namespace kiln::test
