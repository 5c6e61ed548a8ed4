// SPDX-License-Identifier: Apache-2.0
//
// From an imported model to the shared level: the IR from which the CPU, NPU
// and GPU paths start.
//
//   Result<ImportedModel> model = importOnnx(path, {}, context);
//   SharedLevelOptions options;
//   options.precision = Precision::kFp16;
//   Status status = buildSharedLevel(*model->module, model->constants,
//   options);
//
// After it the module holds `plan.func @main` (dispatches, constants, views)
// and one private `func.func` with the attribute `plan.dispatch` per dispatch;
// compiler/README.md says what a target may rely on. Errors: kInternal, with
// the node; the importer has refused everything that is not supported.
#pragma once

#include "compiler/constants/constant_store.h"
#include "isa/support/status.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

namespace kiln {

enum class Precision {
  kStrict, // follow the model
  kFp16,   // f16 activations and weights, f32 accumulation
};

struct SharedLevelOptions {
  Precision precision = Precision::kStrict;
};

/// Appends the passes, in order.
void addSharedPasses(mlir::OpPassManager &pm, ConstantStore &constants,
                     const SharedLevelOptions &options);

Status buildSharedLevel(mlir::ModuleOp module, ConstantStore &constants,
                        const SharedLevelOptions &options = {});

} // namespace kiln
