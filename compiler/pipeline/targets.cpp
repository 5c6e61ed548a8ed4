// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/targets.h"

#include "compiler/pipeline/npu_target.h"

namespace kiln::pipeline {

std::vector<std::string> targetNames() { return {"cpu", "npu"}; }

static Result<std::unique_ptr<target::Target>>
makeNpu(const CompileOptions &options) {
  NpuTargetOptions npu;
  KILN_ASSIGN_OR_RETURN(npu.arch, isa::loadArchSpec(options.machine));
  npu.cores = options.cores;
  if (options.sync == "barrier-all") {
    npu.sync = NpuSync::kBarrierAll;
  } else if (options.sync != "flags") {
    return Status(StatusCode::kInvalidArgument,
                  "unknown sync '" + options.sync +
                      "'; one of: barrier-all, flags");
  }
  return makeNpuTarget(std::move(npu));
}

Result<std::unique_ptr<target::Target>>
makeTarget(const CompileOptions &options) {
  if (options.target == "cpu") {
    return target::makeCpuTarget(options.cpu);
  }
  if (options.target == "npu") {
    return makeNpu(options);
  }
  std::string known;
  for (const std::string &name : targetNames()) {
    known += (known.empty() ? "" : ", ") + name;
  }
  return Status(StatusCode::kInvalidArgument,
                "unknown target '" + options.target + "'; one of: " + known);
}

} // namespace kiln::pipeline
