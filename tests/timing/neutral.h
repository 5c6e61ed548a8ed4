// SPDX-License-Identifier: Apache-2.0
//
// Two launches that must have the same cycles in every detail: the stamps of
// every command and how every pipe spent its time.
//
//   StampedRun plain = runStamped(bench, request);
//   request.noSkip = true;
//   expectEqual(plain, runStamped(bench, request), "every cycle");
#pragma once

#include "tests/timing/stamps.h"

namespace kiln::test {

struct StampedRun {
  std::vector<sim::CommandStamp> stamps;
  sim::LaunchReport report;
};

inline StampedRun runStamped(EngineBench &bench, sim::LaunchRequest request) {
  Stamps stamps;
  request.listener = &stamps;
  StampedRun r;
  r.report = bench.runCycle(request);
  r.stamps = std::move(stamps.all);
  return r;
}

inline void expectEqual(const StampedRun &a, const StampedRun &b,
                        const std::string &what) {
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

/// A launch and the same one with every cycle visited; gives the first.
inline sim::LaunchReport runBothWays(EngineBench &bench,
                                     sim::LaunchRequest request,
                                     const std::string &what) {
  StampedRun plain = runStamped(bench, request);
  request.noSkip = true;
  expectEqual(plain, runStamped(bench, request), what + ", every cycle");
  return plain.report;
}

} // namespace kiln::test
