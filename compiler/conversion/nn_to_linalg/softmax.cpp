// SPDX-License-Identifier: Apache-2.0
//
// Softmax as four generics over f32: maximum, exp(x - maximum), sum, quotient.
// Upstream's decomposition of linalg.softmax starts its maximum at a NaN, so
// it is not used.
#include "compiler/conversion/nn_to_linalg/lowering.h"
#include "compiler/dialect/plan/plan_dialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;

namespace kiln::lowering {

namespace {
struct LowerSoftmax : OpRewritePattern<nn::SoftmaxOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(nn::SoftmaxOp op,
                                PatternRewriter &rewriter) const override {
    Group group{rewriter, op.getLoc(), static_cast<int64_t>(op.getAxis()),
                typeOf(op.getX()).getShape(),
                rewriter.getI64IntegerAttr(groupId(op))};
    Value x = op.getX();
    Value maximum = group.reduce(
        x, -std::numeric_limits<double>::infinity(),
        [](OpBuilder &b, Location l, ValueRange v) -> Value {
          return arith::MaximumFOp::create(b, l, toF32(b, l, v[0]), v[1]);
        });
    Value exps = group.map({x, maximum}, rewriter.getF32Type(),
                           [](OpBuilder &b, Location l, ValueRange v) -> Value {
                             Value d = arith::SubFOp::create(
                                 b, l, toF32(b, l, v[0]), v[1]);
                             return math::ExpOp::create(b, l, d);
                           });
    Value sum =
        group.reduce(exps, 0, [](OpBuilder &b, Location l, ValueRange v) {
          return Value(arith::AddFOp::create(b, l, v[0], v[1]));
        });
    Type element = typeOf(op.getResult()).getElementType();
    Value result =
        group.map({exps, sum}, element,
                  [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                    return fromF32(
                        b, l, arith::DivFOp::create(b, l, v[0], v[1]), element);
                  });
    rewriter.replaceOp(op, result);
    return success();
  }

private:
  // Distinct per softmax of a function: the position among its siblings.
  static int64_t groupId(Operation *op) {
    return std::distance(op->getBlock()->begin(), Block::iterator(op));
  }

  struct Group {
    OpBuilder &builder;
    Location loc;
    int64_t axis;
    ArrayRef<int64_t> shape;
    Attribute id;

    AffineMap whole() const {
      return builder.getMultiDimIdentityMap(shape.size());
    }
    // All loops but the axis.
    AffineMap row() const { return whole().dropResult(axis); }

    Value finish(linalg::GenericOp generic) const {
      generic->setAttr(plan::PlanDialect::kGroupAttr, id);
      return generic.getResult(0);
    }

    Value reduce(Value x, double start, BodyFn body) const {
      SmallVector<int64_t> rows(shape);
      rows.erase(rows.begin() + axis);
      Value init =
          filledTensor(builder, loc, rows, builder.getF32Type(), start);
      SmallVector<utils::IteratorType> loops(shape.size(),
                                             utils::IteratorType::parallel);
      loops[axis] = utils::IteratorType::reduction;
      return finish(linalg::GenericOp::create(
          builder, loc, TypeRange{init.getType()}, ValueRange{x},
          ValueRange{init}, ArrayRef<AffineMap>{whole(), row()}, loops,
          [&](OpBuilder &b, Location l, ValueRange v) {
            linalg::YieldOp::create(b, l, body(b, l, v));
          }));
    }

    Value map(ValueRange inputs, Type element, BodyFn body) const {
      Value init = emptyTensor(builder, loc, shape, element);
      SmallVector<utils::IteratorType> loops(shape.size(),
                                             utils::IteratorType::parallel);
      return finish(linalg::GenericOp::create(
          builder, loc, TypeRange{init.getType()}, inputs, ValueRange{init},
          ArrayRef<AffineMap>{whole(), row(), whole()}, loops,
          [&](OpBuilder &b, Location l, ValueRange v) {
            linalg::YieldOp::create(b, l, body(b, l, v));
          }));
    }
  };
};
} // namespace

void populateSoftmax(RewritePatternSet &patterns) {
  patterns.add<LowerSoftmax>(patterns.getContext());
}

} // namespace kiln::lowering
