// SPDX-License-Identifier: Apache-2.0
#include "compiler/conversion/nn_to_linalg/nn_to_linalg.h"

#include "compiler/conversion/nn_to_linalg/lowering.h"
#include "compiler/dialect/plan/plan_dialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

using namespace mlir;

namespace kiln {

namespace {
class NnToLinalgPass
    : public PassWrapper<NnToLinalgPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(NnToLinalgPass)

  explicit NnToLinalgPass(ConstantStore &constants) : constants_(constants) {}

  StringRef getArgument() const final { return "nn-to-linalg"; }
  StringRef getDescription() const final {
    return "lower nn operations to linalg on tensors";
  }
  void getDependentDialects(DialectRegistry &registry) const final {
    registry
        .insert<arith::ArithDialect, func::FuncDialect, linalg::LinalgDialect, math::MathDialect,
                plan::PlanDialect, tensor::TensorDialect>();
  }

  void runOnOperation() final {
    RewritePatternSet patterns(&getContext());
    lowering::populateElementwise(patterns, constants_);
    lowering::populateMatmul(patterns, constants_);
    lowering::populateMovement(patterns);
    lowering::populateSoftmax(patterns);
    lowering::populateWindow(patterns, constants_);
    lowering::inlineCustom(getOperation(), constants_);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
    WalkResult left = getOperation()->walk([](Operation *op) {
      if (isa_and_nonnull<nn::NNDialect>(op->getDialect())) {
        op->emitOpError("was not lowered to linalg");
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    if (left.wasInterrupted()) {
      signalPassFailure();
    }
  }

private:
  ConstantStore &constants_;
};
} // namespace

std::unique_ptr<Pass> createNnToLinalgPass(ConstantStore &constants) {
  return std::make_unique<NnToLinalgPass>(constants);
}

} // namespace kiln
