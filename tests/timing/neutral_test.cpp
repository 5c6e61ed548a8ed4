// SPDX-License-Identifier: Apache-2.0
//
// What must not change a cycle: visiting every cycle instead of the busy ones,
// leaving the data out, checking, and running the same launch again. On random
// programs, one core and several, both machines.
#include "tests/engines/support/random_program.h"
#include "tests/timing/stamps.h"

namespace kiln::test {
namespace {

struct Run {
  std::vector<sim::CommandStamp> stamps;
  sim::LaunchReport report;
};

Run run(EngineBench &bench, sim::LaunchRequest request) {
  Stamps stamps;
  request.listener = &stamps;
  Run r;
  r.report = bench.runCycle(request);
  r.stamps = std::move(stamps.all);
  return r;
}

void expectEqual(const Run &a, const Run &b, const std::string &what) {
  ASSERT_EQ(a.stamps.size(), b.stamps.size()) << what;
  for (size_t i = 0; i < a.stamps.size(); ++i) {
    const sim::CommandStamp &x = a.stamps[i], &y = b.stamps[i];
    ASSERT_TRUE(x.core == y.core && x.command.pc == y.command.pc &&
                x.issue == y.issue && x.start == y.start &&
                x.busyEnd == y.busyEnd && x.retire == y.retire)
        << what << ", command " << i;
  }
  EXPECT_EQ(a.report.cycles, b.report.cycles) << what;
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    EXPECT_EQ(a.report.pipes[p].busy, b.report.pipes[p].busy) << what;
    EXPECT_EQ(a.report.pipes[p].stall, b.report.pipes[p].stall) << what;
  }
}

bool readsWindow(const std::vector<Step> &steps) {
  return std::any_of(steps.begin(), steps.end(), [](const Step &s) {
    return s.kind == Step::Kind::kWindowCopy;
  });
}

void checkMachine(const char *machine, uint32_t cores, unsigned programs) {
  EngineBench bench(machine);
  uint64_t gm = bench.allocate(kRandomGmBytes);
  unsigned withoutData = 0;
  for (uint64_t seed = 1; seed <= programs; ++seed) {
    std::vector<Step> steps = randomSteps(bench.arch, gm, seed, 5 + seed % 60);
    ProgramBuilder b;
    synchronise(steps, bench.arch, seed).emit(b);
    b.note.bindingCount = 1;
    sim::LaunchRequest request = bench.request(b.program(), {gm});
    request.cores = request.blockDim = cores;
    std::string name = std::string(machine) + ", seed " + std::to_string(seed);
    Run plain = run(bench, request);
    expectEqual(plain, run(bench, request), name + ", again");
    request.noSkip = true;
    expectEqual(plain, run(bench, request), name + ", every cycle");
    request.noSkip = false;
    request.checks = {
        .race = true, .init = true, .bounds = true, .flags = true};
    expectEqual(plain, run(bench, request), name + ", checked");
    request.checks = {};
    if (!readsWindow(steps)) {
      ++withoutData;
      request.dataOff = true;
      expectEqual(plain, run(bench, request), name + ", without data");
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
