// SPDX-License-Identifier: Apache-2.0
//
// npu-refuse-inlined. Operations of nn reduce as named operations, or as the
// generics of a softmax, which the NPU's compiler knows by their form; it has
// none for a reduction that somebody wrote. The mark of the dispatch says which
// is which.
#include "compiler/dialect/plan/plan_dialect.h"
#include "compiler/transforms/npu_layouts/layouts.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace kiln::npu {

namespace {

bool isFloat(Type type) { return type.isF16() || type.isF32(); }

/// Why there is no form for a generic; nullptr: there may be.
const char *refusal(linalg::GenericOp op) {
  for (Operation &inner : op.getBody()->without_terminator()) {
    for (Type type : inner.getResultTypes()) {
      if (!isFloat(type) && !type.isInteger(1)) {
        return "computes with integers";
      }
    }
  }
  for (AffineMap map : op.getIndexingMapsArray()) {
    if (!map.isProjectedPermutation()) {
      return "reads elements in an order of its own";
    }
  }
  return op.getNumReductionLoops() > 0 ? "is a reduction of its own" : nullptr;
}

const char *refusal(Operation *op) {
  if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
    if (const char *why = refusal(generic)) {
      return why;
    }
  }
  for (Type type : op->getResultTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (tensor && !isFloat(tensor.getElementType())) {
      return "gives no tensor of f16 or f32";
    }
  }
  return nullptr;
}

class RefuseInlinedPass
    : public PassWrapper<RefuseInlinedPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(RefuseInlinedPass)

  StringRef getArgument() const override { return "npu-refuse-inlined"; }
  StringRef getDescription() const override {
    return "refuse what only the body of a custom operator brings in";
  }

  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      if (!func->removeAttr(plan::PlanDialect::kInlinedAttr)) {
        continue;
      }
      const WalkResult all = func.walk([](Operation *op) {
        const char *why = refusal(op);
        if (why) {
          op->emitOpError(why) << ", which the NPU's compiler does not do; "
                                  "write a kernel for it";
        }
        return why ? WalkResult::interrupt() : WalkResult::advance();
      });
      if (all.wasInterrupted()) {
        return signalPassFailure();
      }
    }
  }
};

} // namespace

std::unique_ptr<Pass> createRefuseInlinedPass() {
  return std::make_unique<RefuseInlinedPass>();
}

} // namespace kiln::npu
