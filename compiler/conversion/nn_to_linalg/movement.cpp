// SPDX-License-Identifier: Apache-2.0
#include "compiler/conversion/nn_to_linalg/lowering.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace kiln::lowering {

namespace {
struct LowerReshape : OpRewritePattern<nn::ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::ReshapeOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOp(
        op, reshape(rewriter, op.getLoc(), op.getX(), op.getShape()));
    return success();
  }
};

struct LowerTranspose : OpRewritePattern<nn::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::TransposeOp op,
                                PatternRewriter &rewriter) const override {
    RankedTensorType type = typeOf(op.getResult());
    Value init = emptyTensor(rewriter, op.getLoc(), type.getShape(),
                             type.getElementType());
    auto transpose = linalg::TransposeOp::create(
        rewriter, op.getLoc(), op.getX(), init, op.getPermutation());
    rewriter.replaceOp(op, transpose->getResults());
    return success();
  }
};

struct LowerSlice : OpRewritePattern<nn::SliceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::SliceOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<tensor::ExtractSliceOp>(
        op, typeOf(op.getResult()), op.getX(), ValueRange(), ValueRange(),
        ValueRange(), op.getStarts(), op.getSizes(), op.getSteps());
    return success();
  }
};

struct LowerPad : OpRewritePattern<nn::PadOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::PadOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op,
                       pad(rewriter, op.getLoc(), op.getX(), op.getPadsBegin(),
                           op.getPadsEnd(), op.getValue().convertToFloat()));
    return success();
  }
};

struct LowerConcat : OpRewritePattern<nn::ConcatOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::ConcatOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<tensor::ConcatOp>(op, typeOf(op.getResult()),
                                                  op.getAxis(), op.getXs());
    return success();
  }
};
} // namespace

void populateMovement(RewritePatternSet &patterns) {
  patterns.add<LowerReshape, LowerTranspose, LowerSlice, LowerPad, LowerConcat>(
      patterns.getContext());
}

} // namespace kiln::lowering
