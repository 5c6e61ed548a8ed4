// SPDX-License-Identifier: Apache-2.0
#include "compiler/dialect/nn/nn_dialect.h"
#include "compiler/transforms/nn_passes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;

namespace kiln {

namespace {
class NnInferShapesPass
    : public PassWrapper<NnInferShapesPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(NnInferShapesPass)

  StringRef getArgument() const final { return "nn-infer-shapes"; }
  StringRef getDescription() const final {
    return "infer the result types of nn operations";
  }

  void runOnOperation() final {
    WalkResult result = getOperation()->walk([](nn::ShapeOpInterface op) {
      SmallVector<RankedTensorType> types;
      if (failed(op.inferShapes(types))) {
        return WalkResult::interrupt();
      }
      for (auto [value, type] : llvm::zip_equal(op->getResults(), types)) {
        value.setType(type);
      }
      return WalkResult::advance();
    });
    if (result.wasInterrupted()) {
      signalPassFailure();
    }
  }
};
} // namespace

std::unique_ptr<Pass> createNnInferShapesPass() {
  return std::make_unique<NnInferShapesPass>();
}

} // namespace kiln
