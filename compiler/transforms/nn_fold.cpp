// SPDX-License-Identifier: Apache-2.0
#include "compiler/constants/byte_ops.h"
#include "compiler/dialect/nn/constant_fold.h"
#include "compiler/dialect/nn/nn_dialect.h"
#include "compiler/dialect/plan/element_types.h"
#include "compiler/dialect/plan/plan_dialect.h"
#include "compiler/transforms/nn_fold_patterns.h"
#include "compiler/transforms/nn_passes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <numeric>

using namespace mlir;

namespace kiln::nn_fold {

const Constant *constantOf(Value value, const ConstantStore &constants) {
  auto op = value ? value.getDefiningOp<plan::ConstOp>() : plan::ConstOp();
  return op && !op.getRecipe() ? constants.find(op.getSymbol()) : nullptr;
}

Value makeConst(OpBuilder &builder, Location loc, ConstantStore &constants,
                Constant constant) {
  auto type = RankedTensorType::get(
      constant.shape, toMlirType(constant.type, builder.getContext()));
  return plan::ConstOp::create(builder, loc, type,
                               constants.add(std::move(constant)), ArrayAttr());
}

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

namespace {
/// Any nn operation on constants.
struct FoldConstants : RewritePattern {
  FoldConstants(MLIRContext *context, ConstantStore &constants)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/2, context),
        constants(constants) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    if (!isa<nn::NNDialect>(op->getDialect()) || op->getNumOperands() == 0) {
      return failure();
    }
    SmallVector<const Constant *> operands;
    for (Value operand : op->getOperands()) {
      operands.push_back(constantOf(operand, constants));
      if (!operands.back()) {
        return failure();
      }
    }
    std::optional<Constant> folded = nn::foldConstant(op, operands);
    if (!folded) {
      return failure();
    }
    rewriter.replaceOp(
        op, makeConst(rewriter, op->getLoc(), constants, std::move(*folded)));
    return success();
  }

  ConstantStore &constants;
};

struct FoldReshape : OpRewritePattern<nn::ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::ReshapeOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getX().getType() == op.getResult().getType()) {
      rewriter.replaceOp(op, op.getX());
      return success();
    }
    auto inner = op.getX().getDefiningOp<nn::ReshapeOp>();
    if (!inner) {
      return failure();
    }
    rewriter.modifyOpInPlace(op,
                             [&] { op.getXMutable().assign(inner.getX()); });
    return success();
  }
};

/// A transpose that keeps the order of all dimensions larger than 1.
struct TransposeToReshape : OpRewritePattern<nn::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::TransposeOp op,
                                PatternRewriter &rewriter) const override {
    int64_t last = -1;
    for (int64_t axis : op.getPermutation()) {
      if (typeOf(op.getX()).getDimSize(axis) == 1) {
        continue;
      }
      if (axis < last) {
        return failure();
      }
      last = axis;
    }
    RankedTensorType type = typeOf(op.getResult());
    rewriter.replaceOpWithNewOp<nn::ReshapeOp>(op, type, op.getX(),
                                               type.getShape());
    return success();
  }
};

struct MergeTransposes : OpRewritePattern<nn::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::TransposeOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<nn::TransposeOp>();
    if (!inner) {
      return failure();
    }
    SmallVector<int64_t> permutation;
    for (int64_t axis : op.getPermutation()) {
      permutation.push_back(inner.getPermutation()[axis]);
    }
    rewriter.replaceOpWithNewOp<nn::TransposeOp>(op, op.getResult().getType(),
                                                 inner.getX(), permutation);
    return success();
  }
};

/// Softmax along the last axis only: a reshape when just unit dimensions
/// follow, transposes otherwise.
struct SoftmaxOnLastAxis : OpRewritePattern<nn::SoftmaxOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::SoftmaxOp op,
                                PatternRewriter &rewriter) const override {
    RankedTensorType type = typeOf(op.getX());
    int64_t axis = op.getAxis(), rank = type.getRank();
    if (axis == rank - 1) {
      return failure();
    }
    Location loc = op.getLoc();
    ArrayRef<int64_t> shape = type.getShape();
    if (llvm::all_of(shape.drop_front(axis + 1),
                     [](int64_t dim) { return dim == 1; })) {
      auto flat = RankedTensorType::get(shape.take_front(axis + 1),
                                        type.getElementType());
      Value x = nn::ReshapeOp::create(rewriter, loc, flat, op.getX(),
                                      flat.getShape());
      Value y = nn::SoftmaxOp::create(rewriter, loc, flat, x, axis);
      rewriter.replaceOpWithNewOp<nn::ReshapeOp>(op, type, y, shape);
      return success();
    }
    SmallVector<int64_t> swap(rank), swapped(shape);
    std::iota(swap.begin(), swap.end(), 0);
    std::swap(swap[axis], swap[rank - 1]);
    std::swap(swapped[axis], swapped[rank - 1]);
    auto moved = RankedTensorType::get(swapped, type.getElementType());
    Value x = nn::TransposeOp::create(rewriter, loc, moved, op.getX(), swap);
    Value y = nn::SoftmaxOp::create(rewriter, loc, moved, x, rank - 1);
    rewriter.replaceOpWithNewOp<nn::TransposeOp>(op, type, y, swap);
    return success();
  }
};

struct DropCast : OpRewritePattern<nn::CastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::CastOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getX().getType() != op.getResult().getType()) {
      return failure();
    }
    rewriter.replaceOp(op, op.getX());
    return success();
  }
};
} // namespace

} // namespace kiln::nn_fold

namespace kiln {

namespace {
class NnFoldPass : public PassWrapper<NnFoldPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(NnFoldPass)

  explicit NnFoldPass(ConstantStore &constants) : constants_(constants) {}

  StringRef getArgument() const final { return "nn-fold"; }
  StringRef getDescription() const final {
    return "fold constants and what can be folded into them";
  }
  void getDependentDialects(DialectRegistry &registry) const final {
    registry.insert<nn::NNDialect, plan::PlanDialect>();
  }

  void runOnOperation() final {
    using namespace nn_fold;
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    patterns.add<FoldConstants>(context, constants_);
    patterns.add<FoldReshape, TransposeToReshape, MergeTransposes,
                 SoftmaxOnLastAxis, DropCast>(context);
    populateScalePatterns(patterns, constants_);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      getOperation()->emitError("nn-fold did not converge");
      signalPassFailure();
    }
  }

private:
  ConstantStore &constants_;
};
} // namespace

std::unique_ptr<Pass> createNnFoldPass(ConstantStore &constants) {
  return std::make_unique<NnFoldPass>(constants);
}

} // namespace kiln
