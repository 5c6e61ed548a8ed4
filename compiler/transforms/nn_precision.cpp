// SPDX-License-Identifier: Apache-2.0
#include "compiler/constants/byte_ops.h"
#include "compiler/dialect/nn/nn_dialect.h"
#include "compiler/dialect/plan/plan_dialect.h"
#include "compiler/transforms/nn_fold_patterns.h"
#include "compiler/transforms/nn_passes.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace kiln {

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static bool isF32(Value value) {
  return typeOf(value).getElementType().isF32();
}

// All uses of an f32 input read its f16 cast.
static void castInputs(plan::FuncOp func, OpBuilder &builder) {
  Block &body = func.getBody().front();
  builder.setInsertionPointToStart(&body);
  for (BlockArgument input : body.getArguments()) {
    if (!isF32(input) || input.use_empty()) {
      continue;
    }
    Type f16 = builder.getF16Type();
    auto cast = nn::CastOp::create(builder, input.getLoc(),
                                   typeOf(input).clone(f16), input, f16);
    input.replaceAllUsesExcept(cast.getResult(), cast);
  }
}

// Outputs keep the type that the function declares.
static void castOutputs(plan::FuncOp func, OpBuilder &builder) {
  auto ret = cast<plan::ReturnOp>(func.getBody().front().getTerminator());
  builder.setInsertionPoint(ret);
  for (auto [i, declared] : llvm::enumerate(func.getResultTypes())) {
    Value value = ret.getOperand(i);
    if (value.getType() == declared) {
      continue;
    }
    Operation *source = value.getDefiningOp();
    Location loc = source ? source->getLoc() : ret.getLoc();
    ret.setOperand(i, nn::CastOp::create(builder, loc, declared, value,
                                         builder.getF32Type()));
  }
}

namespace {
class NnPrecisionPass
    : public PassWrapper<NnPrecisionPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(NnPrecisionPass)

  explicit NnPrecisionPass(ConstantStore &constants) : constants_(constants) {}

  StringRef getArgument() const final { return "nn-precision-fp16"; }
  StringRef getDescription() const final {
    return "compute an f32 model on f16 activations and weights";
  }
  void getDependentDialects(DialectRegistry &registry) const final {
    registry.insert<nn::NNDialect, plan::PlanDialect>();
  }

  void runOnOperation() final {
    OpBuilder builder(&getContext());
    for (auto func : getOperation().getOps<plan::FuncOp>()) {
      castInputs(func, builder);
      for (Operation &op : llvm::make_early_inc_range(func.getBody().front())) {
        convert(&op, builder);
      }
      castOutputs(func, builder);
    }
  }

private:
  void convert(Operation *op, OpBuilder &builder) {
    Type f16 = builder.getF16Type();
    if (auto constant = dyn_cast<plan::ConstOp>(op)) {
      convertConstant(constant, builder);
      return;
    }
    if (isa<nn::CastOp>(op)) {
      auto cast = llvm::cast<nn::CastOp>(op);
      cast.setToAttr(TypeAttr::get(f16));
    }
    for (Value result : op->getResults()) {
      if (isF32(result)) {
        result.setType(typeOf(result).clone(f16));
      }
    }
  }

  void convertConstant(plan::ConstOp op, OpBuilder &builder) {
    if (!isF32(op.getResult())) {
      return;
    }
    auto type = typeOf(op.getResult()).clone(builder.getF16Type());
    const Constant *constant = nn_fold::constantOf(op.getResult(), constants_);
    if (!constant) { // not in the store: a step of its recipe
      op.appendStep("cast", type);
      return;
    }
    builder.setInsertionPoint(op);
    op.getResult().replaceAllUsesWith(
        nn_fold::makeConst(builder, op.getLoc(), constants_,
                           castConstant(*constant, ElementType::kF16)));
    op.erase();
  }

  ConstantStore &constants_;
};
} // namespace

std::unique_ptr<Pass> createNnPrecisionPass(ConstantStore &constants) {
  return std::make_unique<NnPrecisionPass>(constants);
}

} // namespace kiln
