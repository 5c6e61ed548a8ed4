// SPDX-License-Identifier: Apache-2.0
#include "compiler/conversion/nn_to_linalg/lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace kiln::lowering {

//===- the scalar computation of every operation --------------------------===//

static Value constant(OpBuilder &b, Location loc, double value) {
  return scalar(b, loc, b.getF32Type(), value);
}

static Value compute(nn::ReluOp, OpBuilder &b, Location loc, ValueRange x) {
  return arith::MaximumFOp::create(b, loc, x[0], constant(b, loc, 0));
}

static Value compute(nn::SigmoidOp, OpBuilder &b, Location loc, ValueRange x) {
  Value e = math::ExpOp::create(b, loc, arith::NegFOp::create(b, loc, x[0]));
  Value one = constant(b, loc, 1);
  return arith::DivFOp::create(b, loc, one,
                               arith::AddFOp::create(b, loc, e, one));
}

static Value compute(nn::TanhOp, OpBuilder &b, Location loc, ValueRange x) {
  return math::TanhOp::create(b, loc, x[0]);
}

static Value compute(nn::ExpOp, OpBuilder &b, Location loc, ValueRange x) {
  return math::ExpOp::create(b, loc, x[0]);
}

static Value compute(nn::SqrtOp, OpBuilder &b, Location loc, ValueRange x) {
  return math::SqrtOp::create(b, loc, x[0]);
}

static Value compute(nn::NegOp, OpBuilder &b, Location loc, ValueRange x) {
  return arith::NegFOp::create(b, loc, x[0]);
}

// Of x and alpha * x the larger one for alpha <= 1, the smaller one beyond.
static Value compute(nn::LeakyReluOp op, OpBuilder &b, Location loc,
                     ValueRange x) {
  float alpha = op.getAlpha().convertToFloat();
  if (alpha == 0) { // 0 * infinity would be a NaN
    return arith::MaximumFOp::create(b, loc, x[0], constant(b, loc, 0));
  }
  Value scaled = arith::MulFOp::create(b, loc, x[0], constant(b, loc, alpha));
  if (alpha <= 1) {
    return arith::MaximumFOp::create(b, loc, x[0], scaled);
  }
  return arith::MinimumFOp::create(b, loc, x[0], scaled);
}

static Value compute(nn::ClipOp op, OpBuilder &b, Location loc, ValueRange x) {
  Value value = x[0];
  if (std::optional<APFloat> low = op.getLow()) {
    value = arith::MaximumFOp::create(b, loc, value,
                                      constant(b, loc, low->convertToFloat()));
  }
  if (std::optional<APFloat> high = op.getHigh()) {
    value = arith::MinimumFOp::create(b, loc, value,
                                      constant(b, loc, high->convertToFloat()));
  }
  return value;
}

static Value compute(nn::CastOp, OpBuilder &, Location, ValueRange x) {
  return x[0];
}

static Value compute(nn::AddOp, OpBuilder &b, Location loc, ValueRange x) {
  return arith::AddFOp::create(b, loc, x[0], x[1]);
}

static Value compute(nn::SubOp, OpBuilder &b, Location loc, ValueRange x) {
  return arith::SubFOp::create(b, loc, x[0], x[1]);
}

static Value compute(nn::MulOp, OpBuilder &b, Location loc, ValueRange x) {
  return arith::MulFOp::create(b, loc, x[0], x[1]);
}

static Value compute(nn::DivOp, OpBuilder &b, Location loc, ValueRange x) {
  return arith::DivFOp::create(b, loc, x[0], x[1]);
}

static Value compute(nn::MaxOp, OpBuilder &b, Location loc, ValueRange x) {
  return arith::MaximumFOp::create(b, loc, x[0], x[1]);
}

static Value compute(nn::MinOp, OpBuilder &b, Location loc, ValueRange x) {
  return arith::MinimumFOp::create(b, loc, x[0], x[1]);
}

//===- patterns -----------------------------------------------------------===//

namespace {
template <typename OpT> struct LowerElementwise : OpRewritePattern<OpT> {
  LowerElementwise(MLIRContext *context, const ConstantStore &constants)
      : OpRewritePattern<OpT>(context), constants(constants) {}

  LogicalResult matchAndRewrite(OpT op,
                                PatternRewriter &rewriter) const override {
    auto result = cast<RankedTensorType>(op.getResult().getType());
    rewriter.replaceOp(
        op,
        elementwise(rewriter, op.getLoc(), op->getOperands(), result, constants,
                    [&](OpBuilder &b, Location loc, ValueRange x) {
                      return compute(op, b, loc, x);
                    }));
    return success();
  }

  const ConstantStore &constants;
};

// Parameters that are constants were folded before (nn-fold); this is the
// general form.
struct LowerBatchNorm : OpRewritePattern<nn::BatchNormOp> {
  LowerBatchNorm(MLIRContext *context, const ConstantStore &constants)
      : OpRewritePattern(context), constants(constants) {}

  LogicalResult matchAndRewrite(nn::BatchNormOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = typeOf(op.getX());
    SmallVector<int64_t> column(type.getRank() - 1, 1);
    column[0] = type.getDimSize(1);
    SmallVector<Value> operands = {op.getX()};
    for (Value parameter : op->getOperands().drop_front()) {
      operands.push_back(reshape(rewriter, loc, parameter, column));
    }
    double epsilon = op.getEpsilon().convertToFloat();
    auto body = [&](OpBuilder &b, Location l, ValueRange x) -> Value {
      Value variance =
          arith::AddFOp::create(b, l, x[4], constant(b, l, epsilon));
      Value scale = arith::DivFOp::create(b, l, x[1],
                                          math::SqrtOp::create(b, l, variance));
      Value centred = arith::SubFOp::create(b, l, x[0], x[3]);
      Value scaled = arith::MulFOp::create(b, l, centred, scale);
      return arith::AddFOp::create(b, l, scaled, x[2]);
    };
    rewriter.replaceOp(
        op, elementwise(rewriter, loc, operands,
                        cast<RankedTensorType>(op.getResult().getType()),
                        constants, body));
    return success();
  }

  const ConstantStore &constants;
};
} // namespace

template <typename... Ops>
static void addAll(RewritePatternSet &patterns,
                   const ConstantStore &constants) {
  patterns.add<LowerElementwise<Ops>...>(patterns.getContext(), constants);
}

void populateElementwise(RewritePatternSet &patterns,
                         ConstantStore &constants) {
  addAll<nn::ReluOp, nn::SigmoidOp, nn::TanhOp, nn::ExpOp, nn::SqrtOp,
         nn::NegOp, nn::LeakyReluOp, nn::ClipOp, nn::CastOp, nn::AddOp,
         nn::SubOp, nn::MulOp, nn::DivOp, nn::MaxOp, nn::MinOp>(patterns,
                                                                constants);
  patterns.add<LowerBatchNorm>(patterns.getContext(), constants);
}

} // namespace kiln::lowering
