// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/targets.h"

namespace kiln::pipeline {

std::vector<std::string> targetNames() { return {"cpu"}; }

Result<std::unique_ptr<target::Target>>
makeTarget(const CompileOptions &options) {
  if (options.target == "cpu") {
    return target::makeCpuTarget(options.cpu);
  }
  std::string known;
  for (const std::string &name : targetNames()) {
    known += (known.empty() ? "" : ", ") + name;
  }
  return Status(StatusCode::kInvalidArgument,
                "unknown target '" + options.target + "'; one of: " + known);
}

} // namespace kiln::pipeline
