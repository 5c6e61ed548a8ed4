// SPDX-License-Identifier: Apache-2.0
//
// Random race-free programs: every order of the functional engine and the
// cycle engine leave the bits of running the steps one by one; the checks find
// nothing; taking out any flag or semaphore is found. random_run.cpp does the
// same for any number of instructions.
#include "tests/engines/random/coverage.h"
#include "tests/engines/random/laboratory.h"
#include "tests/engines/random/step.h"
#include "tests/support/seeds.h"

namespace kiln::test {
namespace {

using sim::LaunchReport;
using sim::LaunchRequest;
using sim::Order;

/// As many as cover every combination and form.
constexpr unsigned kNanoPrograms = 400;

void runPrograms(const char *machine, uint64_t firstSeed, unsigned count,
                 uint32_t blocks = 1) {
  Laboratory lab(machine);
  for (uint64_t seed : seeds(firstSeed, count)) {
    const std::string bad = lab.run(
        randomSteps(lab.bench.arch, lab.gm, seed, 20 + seed % 40, blocks), seed,
        2);
    ASSERT_TRUE(bad.empty()) << machine << ", " << blocks << " blocks, " << bad;
  }
}

TEST(RandomPrograms, EveryOrderAndEngineAgreesOnNano) {
  runPrograms("k1-nano", 1, kNanoPrograms);
}

TEST(RandomPrograms, EveryOrderAndEngineAgreesOnK1) {
  runPrograms("k1", 10'000, 40);
}

TEST(RandomPrograms, EveryOrderAndEngineAgreesOnCoresThatMeet) {
  runPrograms("k1-edge", 20'000, 40, 2);
  runPrograms("k1", 30'000, 20, 4);
}

/// The programs of one core of nano that CI runs.
const std::vector<SyncedProgram> &sample() {
  static const std::vector<SyncedProgram> programs = [] {
    Laboratory lab("k1-nano");
    std::vector<SyncedProgram> all;
    for (uint64_t seed = 1; seed <= kNanoPrograms; ++seed) {
      all.push_back(
          synchronise(randomSteps(lab.bench.arch, lab.gm, seed, 20 + seed % 40),
                      lab.bench.arch, seed));
    }
    return all;
  }();
  return programs;
}

TEST(RandomPrograms, CoverEveryPossibleCombination) {
  Coverage coverage;
  for (const SyncedProgram &program : sample()) {
    coverage.add(program);
  }
  std::string missing;
  for (const Combination &c : coverage.missing()) {
    missing += text(c) + "\n";
  }
  EXPECT_TRUE(missing.empty()) << missing << coverage.text();
}

TEST(RandomPrograms, UseEveryDataCommandAndType) {
  std::set<std::pair<isa::Opcode, uint8_t>> used;
  std::array<unsigned, isa::kNumPipes> commands{};
  size_t flags = 0;
  for (const SyncedProgram &program : sample()) {
    for (const Step &s : program.steps) {
      ++commands[static_cast<unsigned>(pipeOfStep(s))];
      if (s.kind == Step::Kind::kCommand) {
        used.insert({s.instruction.op, s.instruction.f3});
      }
    }
    flags += program.pairs().size();
  }
  for (unsigned op = 0; op < isa::kNumOpcodes; ++op) {
    const isa::OpcodeInfo &info = isa::info(static_cast<isa::Opcode>(op));
    for (unsigned f3 = 0; f3 < 8; ++f3) {
      if (info.timing != isa::TimingClass::kControl &&
          (info.f3Mask >> f3 & 1)) {
        EXPECT_TRUE(used.contains(
            {static_cast<isa::Opcode>(op), static_cast<uint8_t>(f3)}))
            << info.mnemonic << ", f3 " << f3;
      }
    }
  }
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    EXPECT_GT(commands[p], 200u) << isa::kPipeNames[p];
  }
  EXPECT_GT(flags, 1500u);
}

/// Findings of a run in the eager order.
std::vector<sim::Finding> findings(Laboratory &lab,
                                   const SyncedProgram &program) {
  LaunchRequest r = lab.request(program);
  r.checks.race = r.checks.flags = true;
  auto engine = sim::createFunctionalEngine(lab.bench.arch, *lab.bench.gm);
  Result<LaunchReport> report = engine->run(r);
  EXPECT_TRUE(report.isOk()) << report.status().message();
  return report ? report->findings : std::vector<sim::Finding>();
}

/// Takes a pair out of each program: reported, or nothing can differ. Gives the
/// number of programs.
unsigned takeOutPairs(const char *machine, uint32_t blocks, unsigned programs) {
  Laboratory lab(machine);
  unsigned reported = 0, equivalent = 0;
  for (uint64_t seed : seeds(40'000 + blocks, programs)) {
    std::vector<Step> steps =
        randomSteps(lab.bench.arch, lab.gm, seed, 30, blocks);
    SyncedProgram synced = synchronise(steps, lab.bench.arch, seed);
    const std::vector<size_t> pairs = synced.pairs();
    if (pairs.empty()) {
      continue;
    }
    SyncedProgram without = synced.withoutPair(pairs[seed % pairs.size()]);
    const bool found = !findings(lab, without).empty();
    EXPECT_EQ(found, !isRaceFree(without)) << "seed " << seed << "\n"
                                           << without.text();
    ++(found ? reported : equivalent);
    if (!found) {
      auto expected = interpret(lab.bench.arch, lab.gm, steps, lab.initial);
      EXPECT_EQ(lab.differenceOfAny(without, *expected, 6), "")
          << "seed " << seed << "\n"
          << without.text();
    }
  }
  std::printf("%s, %u blocks: of the pairs taken out, %u reported, %u proven "
              "equivalent\n",
              machine, blocks, reported, equivalent);
  EXPECT_GT(reported, equivalent);
  return reported + equivalent;
}

TEST(RandomPrograms, TakingOutAPairIsFoundWhereverItMatters) {
  EXPECT_GE(takeOutPairs("k1-nano", 1, 800) + takeOutPairs("k1-edge", 2, 220) +
                takeOutPairs("k1", 4, 120),
            1000u);
}

TEST(RandomPrograms, OrdersShowMissingFlagsAsOtherBits) {
  Laboratory lab("k1-nano");
  unsigned different = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    std::vector<Step> steps = randomSteps(lab.bench.arch, lab.gm, seed, 30);
    SyncedProgram synced = synchronise(steps, lab.bench.arch, seed);
    while (!synced.pairs().empty()) {
      synced = synced.withoutPair(synced.pairs().front());
    }
    auto expected = interpret(lab.bench.arch, lab.gm, steps, lab.initial);
    LaunchRequest r = lab.request(synced);
    r.order = Order::kLazy;
    different += !lab.difference(r, false, *expected).empty();
    different += !lab.difference(r, true, *expected).empty();
  }
  EXPECT_GT(different, 10u);
}

TEST(Shrinking, LeavesOnlyTheStepsThatMatter) {
  Laboratory lab("k1-nano");
  std::vector<Step> steps = randomSteps(lab.bench.arch, lab.gm, 7, 150);
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
