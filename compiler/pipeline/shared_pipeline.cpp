// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/shared_pipeline.h"

#include "compiler/conversion/nn_to_linalg/nn_to_linalg.h"
#include "compiler/pipeline/diagnostics.h"
#include "compiler/transforms/form_dispatches.h"
#include "compiler/transforms/nn_passes.h"
#include "mlir/Transforms/Passes.h"

namespace kiln {

void addSharedPasses(mlir::OpPassManager &pm, ConstantStore &constants,
                     const SharedLevelOptions &options) {
  // nn: shapes, then everything that constants can absorb, in the model's own
  // precision; a reduced precision comes after that, so that folded weights
  // are rounded once.
  pm.addPass(createNnInferShapesPass());
  pm.addPass(createNnFoldPass(constants));
  if (options.precision == Precision::kFp16) {
    pm.addPass(createNnPrecisionPass(constants));
    pm.addPass(createNnFoldPass(constants));
  }
  pm.addPass(mlir::createCSEPass());

  // linalg on tensors, cut into dispatches.
  pm.addPass(createNnToLinalgPass(constants));
  pm.addPass(createFormDispatchesPass());
  pm.addPass(mlir::createCSEPass());
  pm.addPass(createVerifySharedLevelPass());
}

Status buildSharedLevel(mlir::ModuleOp module, ConstantStore &constants,
                        const SharedLevelOptions &options) {
  DiagnosticCollector errors(module.getContext());
  auto add = [&](mlir::OpPassManager &pm) {
    addSharedPasses(pm, constants, options);
  };
  if (failed(runPasses(module, add))) {
    return errors.status(StatusCode::kInternal, "building the shared level");
  }
  return Status::ok();
}

} // namespace kiln
