// SPDX-License-Identifier: Apache-2.0
//
// The one place that knows which targets there are.
#pragma once

#include "compiler/pipeline/compile.h"
#include "compiler/target/target.h"

namespace kiln::pipeline {

/// Names for --target, sorted.
std::vector<std::string> targetNames();

/// The target `options.target` with its options; kInvalidArgument names an
/// unknown one.
Result<std::unique_ptr<target::Target>>
makeTarget(const CompileOptions &options);

} // namespace kiln::pipeline
