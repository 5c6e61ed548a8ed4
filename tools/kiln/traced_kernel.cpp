// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/traced_kernel.h"

#include "simulator/trace/trace_recorder.h"

namespace kiln::tools {

Result<sim::Trace> runTraced(KernelLaunch &launch) {
  auto engine = sim::createCycleEngine(*launch.machine, *launch.gm);
  sim::TraceRecorder recorder(*launch.machine, *launch.request.program);
  launch.request.listener = &recorder;
  Result<sim::LaunchReport> report = engine->run(launch.request);
  launch.request.listener = nullptr;
  if (!report) {
    return report.status();
  }
  return recorder.finish(*report);
}

Profile profileOf(const KernelLaunch &launch, const sim::Trace &trace) {
  Profile profile(*launch.machine, "npu:cycle", launch.title, launch.folder);
  profile.add(
      {.title = launch.title, .op = {}, .program = "npu_elf", .trace = &trace});
  return profile;
}

} // namespace kiln::tools
