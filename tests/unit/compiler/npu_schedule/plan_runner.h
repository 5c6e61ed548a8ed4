// SPDX-License-Identifier: Apache-2.0
//
// Runs a module at the shared level on the NPU path: layouts, kernels, and the
// physical plan interpreted dispatch by dispatch on the functional engine.
//
//   Result<std::vector<Constant>> out = runOnNpu(module, constants, inputs);
#pragma once

#include "compiler/constants/constant_store.h"
#include "compiler/pipeline/npu_target.h"

#include "mlir/IR/BuiltinOps.h"

#include <vector>

namespace kiln::test {

struct NpuRunOptions {
  unsigned cores = 1;
  std::string machine = "k1";
  pipeline::NpuSync sync = pipeline::NpuSync::kFlags;
};

/// Outputs of plan.func @main; `module` becomes the physical one. A finding of
/// the engine's checks is an error.
Result<std::vector<Constant>> runOnNpu(mlir::ModuleOp module,
                                       const ConstantStore &constants,
                                       const std::vector<Constant> &inputs,
                                       const NpuRunOptions &options = {});

} // namespace kiln::test
