// SPDX-License-Identifier: Apache-2.0
//
// Runs a module at the shared level in this process, without any backend:
// dispatch bodies become plain loops through LLVM, plan operations are
// interpreted. The reference that the CPU and NPU paths are compared with.
//
//   Result<std::vector<Constant>> outputs =
//       test::runPlan(module, constants, inputs);
#pragma once

#include "compiler/constants/constant_store.h"
#include "isa/support/status.h"
#include "mlir/IR/BuiltinOps.h"

#include <vector>

namespace kiln::test {

/// Outputs of `plan.func @main`; the module is not changed.
Result<std::vector<Constant>> runPlan(mlir::ModuleOp module,
                                      const ConstantStore &constants,
                                      const std::vector<Constant> &inputs);

} // namespace kiln::test
