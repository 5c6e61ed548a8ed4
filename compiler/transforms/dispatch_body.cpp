// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/dispatch_body.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace kiln {

namespace {
/// extf(truncf(x)) -> x inside one fused body: the value was never stored, so
/// nobody asked for its rounding.
struct DropRoundTrip : OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::ExtFOp op,
                                PatternRewriter &rewriter) const override {
    auto trunc = op.getIn().getDefiningOp<arith::TruncFOp>();
    if (!trunc || trunc.getIn().getType() != op.getType()) {
      return failure();
    }
    rewriter.replaceOp(op, trunc.getIn());
    return success();
  }
};
} // namespace

LogicalResult cleanDispatchBody(func::FuncOp func) {
  RewritePatternSet patterns(func.getContext());
  linalg::populateElementwiseOpsFusionPatterns(
      patterns, [](OpOperand *operand) { return operand->get().hasOneUse(); });
  patterns.add<DropRoundTrip>(func.getContext());
  tensor::EmptyOp::getCanonicalizationPatterns(patterns, func.getContext());
  return applyPatternsGreedily(func, std::move(patterns));
}

} // namespace kiln
