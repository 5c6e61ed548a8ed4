// SPDX-License-Identifier: Apache-2.0
//
// Runs a built program on the cycle engine and keeps when each command was
// issued, started, freed its pipe and retired.
#pragma once

#include "tests/engines/support/engine_bench.h"
#include "tests/engines/support/program_builder.h"

#include <algorithm>

namespace kiln::test {

struct Stamps final : sim::CommandListener {
  void retired(const sim::CommandStamp &stamp) override {
    all.push_back(stamp);
  }
  /// The stamps of one pipe, which must be `count`, in the order of issue.
  std::vector<sim::CommandStamp> of(isa::Pipe pipe, size_t count) const {
    std::vector<sim::CommandStamp> found;
    for (const sim::CommandStamp &s : all) {
      if (s.command.pipe == pipe) {
        found.push_back(s);
      }
    }
    std::sort(found.begin(), found.end(),
              [](const auto &a, const auto &b) { return a.issue < b.issue; });
    EXPECT_EQ(found.size(), count) << isa::name(pipe);
    found.resize(count);
    return found;
  }
  std::vector<sim::CommandStamp> all;
};

struct TimedRun {
  Stamps stamps;
  sim::LaunchReport report;
};

inline TimedRun runTimed(EngineBench &bench, ProgramBuilder &builder,
                         const std::vector<uint64_t> &buffers = {}) {
  TimedRun run;
  builder.note.bindingCount = static_cast<uint32_t>(buffers.size());
  sim::LaunchRequest request = bench.request(builder.program(), buffers);
  request.listener = &run.stamps;
  run.report = bench.runCycle(request);
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    EXPECT_EQ(run.report.pipes[p].total(), run.report.cycles)
        << "cycles of " << isa::kPipeNames[p] << " do not add up";
  }
  return run;
}

} // namespace kiln::test
