// SPDX-License-Identifier: Apache-2.0
#include "compiler/dialect/plan/plan_dialect.h"
#include "compiler/transforms/form_dispatches.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace kiln {

static bool isAllowedInBody(Operation *op) {
  return isa<arith::ArithDialect, linalg::LinalgDialect, math::MathDialect>(
             op->getDialect()) ||
         isa<tensor::EmptyOp, tensor::PadOp, tensor::CollapseShapeOp,
             tensor::ExpandShapeOp, tensor::ExtractSliceOp,
             tensor::InsertSliceOp, tensor::ConcatOp, tensor::YieldOp,
             func::ReturnOp>(op);
}

static bool isStatic(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  return !shaped || shaped.hasStaticShape();
}

static LogicalResult verifyBody(func::FuncOp func) {
  if (func.isDeclaration()) { // a custom operator: its program is finished
    return success(func.isPrivate());
  }
  if (func.getNumResults() != 1 || !func.isPrivate()) {
    return func.emitOpError(
        "a dispatch function is private and returns one tensor");
  }
  WalkResult result = func.walk([&](Operation *op) {
    if (op == func.getOperation()) {
      return WalkResult::advance();
    }
    if (!isAllowedInBody(op)) {
      op->emitOpError("is not part of the shared level");
      return WalkResult::interrupt();
    }
    if (!llvm::all_of(op->getOperandTypes(), isStatic) ||
        !llvm::all_of(op->getResultTypes(), isStatic)) {
      op->emitOpError("has a tensor of unknown size");
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

static LogicalResult verifyPlan(plan::FuncOp func) {
  for (Operation &op : func.getBody().front()) {
    if (!isa<plan::PlanDialect>(op.getDialect())) {
      return op.emitOpError("does not belong into a plan function");
    }
  }
  return success();
}

namespace {
class VerifySharedLevelPass
    : public PassWrapper<VerifySharedLevelPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(VerifySharedLevelPass)

  StringRef getArgument() const final { return "verify-shared-level"; }
  StringRef getDescription() const final {
    return "check the form that targets start from";
  }

  void runOnOperation() final {
    for (Operation &op : *getOperation().getBody()) {
      LogicalResult result = success();
      if (auto func = dyn_cast<func::FuncOp>(op)) {
        result = verifyBody(func);
      } else if (auto plan = dyn_cast<plan::FuncOp>(op)) {
        result = verifyPlan(plan);
      } else {
        result = op.emitOpError("is neither plan.func nor func.func");
      }
      if (failed(result)) {
        return signalPassFailure();
      }
    }
  }
};
} // namespace

std::unique_ptr<Pass> createVerifySharedLevelPass() {
  return std::make_unique<VerifySharedLevelPass>();
}

} // namespace kiln
