// SPDX-License-Identifier: Apache-2.0
//
// What must not change a cycle: visiting every cycle instead of the busy ones,
// leaving the data out, checking, and running the same launch again. On random
// programs, one core and several, both machines.
#include "tests/engines/support/random_program.h"
#include "tests/support/seeds.h"
#include "tests/timing/neutral.h"

namespace kiln::test {
namespace {

bool readsWindow(const std::vector<Step> &steps) {
  return std::any_of(steps.begin(), steps.end(), [](const Step &s) {
    return s.kind == Step::Kind::kWindowCopy;
  });
}

void checkMachine(const char *machine, uint32_t cores, unsigned programs) {
  EngineBench bench(machine);
  uint64_t gm = bench.allocate(kRandomGmBytes);
  unsigned withoutData = 0;
  for (uint64_t seed : seeds(1, programs)) {
    // Cores that run the same program, or that meet in one of their own.
    const uint32_t blocks = seed % 2 ? cores : 1;
    std::vector<Step> steps =
        randomSteps(bench.arch, gm, seed, 5 + seed % 60, blocks);
    ProgramBuilder b;
    synchronise(steps, bench.arch, seed).emit(b);
    b.note.bindingCount = 1;
    sim::LaunchRequest request = bench.request(b.program(), {gm});
    request.cores = request.blockDim = cores;
    std::string name = std::string(machine) + ", seed " + std::to_string(seed);
    const StampedRun plain = runStamped(bench, request);
    expectEqual(plain, runStamped(bench, request), name + ", again");
    request.noSkip = true;
    expectEqual(plain, runStamped(bench, request), name + ", every cycle");
    request.noSkip = false;
    request.checks = {
        .race = true, .init = true, .bounds = true, .flags = true};
    expectEqual(plain, runStamped(bench, request), name + ", checked");
    request.checks = {};
    if (!readsWindow(steps)) {
      ++withoutData;
      request.dataOff = true;
      expectEqual(plain, runStamped(bench, request), name + ", without data");
    }
  }
  EXPECT_GT(withoutData, programs / 8);
}

TEST(Neutral, OnNano) { checkMachine("k1-nano", 1, 60); }

TEST(Neutral, OnOneCoreOfK1) { checkMachine("k1", 1, 30); }

TEST(Neutral, OnFourCoresOfK1) { checkMachine("k1", 4, 15); }

TEST(Neutral, OnTwoCoresOfEdge) { checkMachine("k1-edge", 2, 15); }

} // namespace
} // namespace kiln::test
