// SPDX-License-Identifier: Apache-2.0
#include "compiler/conversion/nn_to_linalg/lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

namespace kiln::lowering {

// The f32 product of two matrices, or of two stacks of as many.
static Value product(OpBuilder &builder, Location loc, Value lhs, Value rhs) {
  SmallVector<int64_t> shape(typeOf(lhs).getShape());
  shape.back() = typeOf(rhs).getShape().back();
  Value init = filledTensor(builder, loc, shape, builder.getF32Type(), 0);
  SmallVector<Type> type = {init.getType()};
  if (shape.size() == 2) {
    return linalg::MatmulOp::create(builder, loc, type, ValueRange{lhs, rhs},
                                    ValueRange{init})
        ->getResult(0);
  }
  return linalg::BatchMatmulOp::create(builder, loc, type, ValueRange{lhs, rhs},
                                       ValueRange{init})
      ->getResult(0);
}

static Value transposed(OpBuilder &builder, Location loc, Value matrix) {
  RankedTensorType type = typeOf(matrix);
  Value init =
      emptyTensor(builder, loc, {type.getDimSize(1), type.getDimSize(0)},
                  type.getElementType());
  return linalg::TransposeOp::create(builder, loc, matrix, init,
                                     ArrayRef<int64_t>{1, 0})
      ->getResult(0);
}

static int64_t productOf(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t dim : shape) {
    count *= dim;
  }
  return count;
}

namespace {
struct LowerMatmul : OpRewritePattern<nn::MatmulOp> {
  LowerMatmul(MLIRContext *context, const ConstantStore &constants)
      : OpRewritePattern(context), constants(constants) {}

  LogicalResult matchAndRewrite(nn::MatmulOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value lhs = asMatrix(rewriter, loc, op.getLhs(), /*row=*/true);
    Value rhs = asMatrix(rewriter, loc, op.getRhs(), /*row=*/false);
    ArrayRef<int64_t> a = typeOf(lhs).getShape(), b = typeOf(rhs).getShape();
    auto batch = nn::broadcastShapes(a.drop_back(2), b.drop_back(2)).value();
    int64_t n = b.back(), k = a.back();
    Value result;
    if (productOf(b.drop_back(2)) == 1) {
      // One right-hand matrix: the batch is just more rows.
      lhs = reshape(rewriter, loc, lhs, {productOf(a.drop_back(1)), k});
      rhs = reshape(rewriter, loc, rhs, {k, n});
      result = product(rewriter, loc, lhs, rhs);
    } else {
      lhs = stack(rewriter, loc, lhs, batch);
      rhs = stack(rewriter, loc, rhs, batch);
      result = product(rewriter, loc, lhs, rhs);
    }
    RankedTensorType type = typeOf(op.getResult());
    result = rounded(rewriter, loc, result, type.getElementType());
    rewriter.replaceOp(op, reshape(rewriter, loc, result, type.getShape()));
    return success();
  }

private:
  static Value asMatrix(OpBuilder &builder, Location loc, Value value,
                        bool row) {
    RankedTensorType type = typeOf(value);
    if (type.getRank() != 1) {
      return value;
    }
    int64_t k = type.getDimSize(0);
    return reshape(builder, loc, value,
                   row ? ArrayRef<int64_t>{1, k} : ArrayRef<int64_t>{k, 1});
  }

  // [batch..., rows, columns] with every batch present, as rank 3.
  Value stack(OpBuilder &builder, Location loc, Value value,
              ArrayRef<int64_t> batch) const {
    RankedTensorType type = typeOf(value);
    SmallVector<int64_t> full(batch);
    llvm::append_range(full, type.getShape().take_back(2));
    if (productOf(type.getShape()) != productOf(full)) {
      auto wide = RankedTensorType::get(full, type.getElementType());
      value =
          elementwise(builder, loc, value, wide, constants,
                      [](OpBuilder &, Location, ValueRange x) { return x[0]; });
    }
    return reshape(builder, loc, value,
                   {productOf(batch), full[full.size() - 2], full.back()});
  }

  Value rounded(OpBuilder &builder, Location loc, Value value,
                Type element) const {
    if (element.isF32()) {
      return value;
    }
    auto type = RankedTensorType::get(typeOf(value).getShape(), element);
    return elementwise(
        builder, loc, value, type, constants,
        [](OpBuilder &, Location, ValueRange x) { return x[0]; });
  }

  const ConstantStore &constants;
};

struct LowerGemm : OpRewritePattern<nn::GemmOp> {
  LowerGemm(MLIRContext *context, const ConstantStore &constants)
      : OpRewritePattern(context), constants(constants) {}

  LogicalResult matchAndRewrite(nn::GemmOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value a = op.getTransA() ? transposed(rewriter, loc, op.getA()) : op.getA();
    Value b = op.getTransB() ? transposed(rewriter, loc, op.getB()) : op.getB();
    Value result = product(rewriter, loc, a, b);
    float alpha = op.getAlpha().convertToFloat();
    float beta = op.getBeta().convertToFloat();
    bool hasC = op.getC() && beta != 0;
    RankedTensorType type = typeOf(op.getResult());
    if (!hasC && alpha == 1 && type.getElementType().isF32()) {
      rewriter.replaceOp(op, result);
      return success();
    }
    SmallVector<Value> operands = {result};
    if (hasC) {
      operands.push_back(op.getC());
    }
    auto scaled = [](OpBuilder &bb, Location l, Value x, float by) -> Value {
      if (by == 1) {
        return x;
      }
      return arith::MulFOp::create(bb, l, x,
                                   scalar(bb, l, bb.getF32Type(), by));
    };
    rewriter.replaceOp(
        op, elementwise(rewriter, loc, operands, type, constants,
                        [&](OpBuilder &bb, Location l, ValueRange x) {
                          Value sum = scaled(bb, l, x[0], alpha);
                          if (hasC) {
                            Value c = scaled(bb, l, x[1], beta);
                            sum = arith::AddFOp::create(bb, l, sum, c);
                          }
                          return sum;
                        }));
    return success();
  }

  const ConstantStore &constants;
};
} // namespace

void populateMatmul(RewritePatternSet &patterns, ConstantStore &constants) {
  patterns.add<LowerMatmul, LowerGemm>(patterns.getContext(), constants);
}

} // namespace kiln::lowering
