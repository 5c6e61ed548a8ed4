// SPDX-License-Identifier: Apache-2.0
//
// Per-channel factors and offsets move into the constants of the convolution
// or gemm before them. With s = scale / sqrt(variance + epsilon):
//   s * (w * x + b - mean) + bias  =  (s w) * x + (s (b - mean) + bias)
// computed in double and rounded once to the type of the weights.
#include "compiler/constants/byte_ops.h"
#include "compiler/dialect/nn/nn_dialect.h"
#include "compiler/dialect/plan/result_location.h"
#include "compiler/transforms/nn_fold_patterns.h"

#include <cmath>

using namespace mlir;

namespace kiln::nn_fold {

namespace {
/// y = factor[c] * x + offset[c].
struct ChannelAffine {
  std::vector<double> factor, offset;
};
} // namespace

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static std::optional<ChannelAffine> affineOf(nn::BatchNormOp op,
                                             const ConstantStore &constants) {
  const Constant *parameters[4];
  for (int i = 0; i < 4; ++i) {
    parameters[i] = constantOf(op->getOperand(i + 1), constants);
    if (!parameters[i]) {
      return std::nullopt;
    }
  }
  double epsilon = op.getEpsilon().convertToFloat();
  ChannelAffine affine;
  for (int64_t c = 0, n = parameters[0]->elementCount(); c < n; ++c) {
    double s = loadElement(*parameters[0], c) /
               std::sqrt(loadElement(*parameters[3], c) + epsilon);
    affine.factor.push_back(s);
    affine.offset.push_back(loadElement(*parameters[1], c) -
                            s * loadElement(*parameters[2], c));
  }
  return affine;
}

// Weights with filter f in the outermost dimension, times factor[f].
static Constant scaleOuter(const Constant &weights,
                           const std::vector<double> &factor) {
  Constant result = weights;
  int64_t filters = weights.shape[0];
  int64_t inner = weights.elementCount() / std::max<int64_t>(1, filters);
  for (int64_t i = 0, n = weights.elementCount(); i < n; ++i) {
    storeElement(result, i, loadElement(weights, i) * factor[i / inner]);
  }
  return result;
}

// factor * bias + offset; no bias counts as zeros.
static Constant affineBias(const Constant *bias, const ChannelAffine &affine,
                           ElementType type) {
  int64_t count = static_cast<int64_t>(affine.factor.size());
  Constant result = makeConstant(type, {count});
  for (int64_t c = 0; c < count; ++c) {
    double old = bias ? loadElement(*bias, c) : 0;
    storeElement(result, c, affine.factor[c] * old + affine.offset[c]);
  }
  return result;
}

// Applies y = factor x + offset to the result of a convolution that only
// `user` reads.
static LogicalResult absorb(PatternRewriter &rewriter, Operation *user,
                            nn::ConvOp conv, const ChannelAffine &affine,
                            ConstantStore &constants) {
  const Constant *weights = constantOf(conv.getW(), constants);
  const Constant *bias = constantOf(conv.getBias(), constants);
  if (!weights || (conv.getBias() && !bias)) {
    return failure();
  }
  Constant newBias = affineBias(bias, affine, weights->type);
  bool scales = llvm::any_of(affine.factor, [](double f) { return f != 1; });
  rewriter.setInsertionPoint(conv);
  Value w = conv.getW();
  if (scales) {
    w = makeConst(rewriter, conv.getLoc(), constants,
                  scaleOuter(*weights, affine.factor));
  }
  Value b = makeConst(rewriter, conv.getLoc(), constants, std::move(newBias));
  Value result = nn::ConvOp::create(
      rewriter, plan::resultOf(conv.getLoc(), user->getLoc()),
      conv.getResult().getType(), conv.getX(), w, b, conv.getStrides(),
      conv.getPadsBegin(), conv.getPadsEnd(), conv.getDilations(),
      conv.getGroup());
  rewriter.replaceOp(user, result);
  return success();
}

namespace {
struct BatchNormIntoConv : OpRewritePattern<nn::BatchNormOp> {
  BatchNormIntoConv(MLIRContext *context, ConstantStore &constants)
      : OpRewritePattern(context, /*benefit=*/2), constants(constants) {}

  LogicalResult matchAndRewrite(nn::BatchNormOp op,
                                PatternRewriter &rewriter) const override {
    auto conv = op.getX().getDefiningOp<nn::ConvOp>();
    if (!conv || !conv.getResult().hasOneUse()) {
      return failure();
    }
    std::optional<ChannelAffine> affine = affineOf(op, constants);
    return affine ? absorb(rewriter, op, conv, *affine, constants) : failure();
  }

  ConstantStore &constants;
};

/// Without a convolution before it: factor * x + offset.
struct BatchNormToAffine : OpRewritePattern<nn::BatchNormOp> {
  BatchNormToAffine(MLIRContext *context, ConstantStore &constants)
      : OpRewritePattern(context, /*benefit=*/1), constants(constants) {}

  LogicalResult matchAndRewrite(nn::BatchNormOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<ChannelAffine> affine = affineOf(op, constants);
    if (!affine) {
      return failure();
    }
    RankedTensorType type = typeOf(op.getX());
    std::vector<int64_t> column(type.getRank() - 1, 1);
    column[0] = type.getDimSize(1);
    ElementType element =
        type.getElementType().isF16() ? ElementType::kF16 : ElementType::kF32;
    Constant factor = makeConstant(element, column);
    Constant offset = makeConstant(element, column);
    for (int64_t c = 0; c < column[0]; ++c) {
      storeElement(factor, c, affine->factor[c]);
      storeElement(offset, c, affine->offset[c]);
    }
    Location loc = op.getLoc();
    Value f = makeConst(rewriter, loc, constants, std::move(factor));
    Value o = makeConst(rewriter, loc, constants, std::move(offset));
    Value scaled = nn::MulOp::create(rewriter, loc, type, op.getX(), f);
    rewriter.replaceOpWithNewOp<nn::AddOp>(op, type, scaled, o);
    return success();
  }

  ConstantStore &constants;
};

/// conv + constant per channel: the constant joins the bias.
struct AddIntoConv : OpRewritePattern<nn::AddOp> {
  AddIntoConv(MLIRContext *context, ConstantStore &constants)
      : OpRewritePattern(context), constants(constants) {}

  LogicalResult matchAndRewrite(nn::AddOp op,
                                PatternRewriter &rewriter) const override {
    for (bool swap : {false, true}) {
      auto conv =
          (swap ? op.getRhs() : op.getLhs()).getDefiningOp<nn::ConvOp>();
      const Constant *offset =
          constantOf(swap ? op.getLhs() : op.getRhs(), constants);
      if (!conv || !offset || !conv.getResult().hasOneUse() ||
          conv.getResult().getType() != op.getResult().getType()) {
        continue;
      }
      if (std::optional<ChannelAffine> affine =
              perChannel(*offset, typeOf(conv.getResult()))) {
        return absorb(rewriter, op, conv, *affine, constants);
      }
    }
    return failure();
  }

private:
  // The constant as one number per channel; nullopt when it varies along
  // another dimension.
  static std::optional<ChannelAffine> perChannel(const Constant &constant,
                                                 RankedTensorType image) {
    int64_t rank = static_cast<int64_t>(constant.shape.size());
    int64_t channels = image.getDimSize(1);
    int64_t channelAxis = rank - (image.getRank() - 1);
    for (int64_t i = 0; i < rank; ++i) {
      if (constant.shape[i] != 1 && i != channelAxis) {
        return std::nullopt;
      }
    }
    ChannelAffine affine;
    bool one = constant.elementCount() == 1;
    for (int64_t c = 0; c < channels; ++c) {
      affine.factor.push_back(1);
      affine.offset.push_back(loadElement(constant, one ? 0 : c));
    }
    return affine;
  }

  ConstantStore &constants;
};

/// alpha, beta and the transposes of constant operands become part of the
/// constants.
struct GemmConstants : OpRewritePattern<nn::GemmOp> {
  GemmConstants(MLIRContext *context, ConstantStore &constants)
      : OpRewritePattern(context), constants(constants) {}

  LogicalResult matchAndRewrite(nn::GemmOp op,
                                PatternRewriter &rewriter) const override {
    const Constant *b = constantOf(op.getB(), constants);
    const Constant *c = constantOf(op.getC(), constants);
    float alpha = op.getAlpha().convertToFloat();
    float beta = op.getBeta().convertToFloat();
    bool foldB = b && (alpha != 1 || op.getTransB());
    bool foldC = c && beta != 1;
    if (!foldB && !foldC) {
      return failure();
    }
    Value newB = op.getB(), newC = op.getC();
    bool transB = op.getTransB();
    if (foldB) {
      Constant scaled = scale(*b, alpha);
      alpha = 1;
      newB = makeConst(
          rewriter, op.getLoc(), constants,
          transB ? transposeConstant(scaled, std::vector<int64_t>{1, 0})
                 : std::move(scaled));
      transB = false;
    }
    if (foldC) {
      newC = makeConst(rewriter, op.getLoc(), constants, scale(*c, beta));
      beta = 1;
    }
    rewriter.replaceOpWithNewOp<nn::GemmOp>(
        op, op.getResult().getType(), op.getA(), newB, newC, APFloat(alpha),
        APFloat(beta), op.getTransA(), transB);
    return success();
  }

private:
  static Constant scale(const Constant &constant, double by) {
    Constant result = constant;
    if (by == 1) {
      return result;
    }
    for (int64_t i = 0, n = result.elementCount(); i < n; ++i) {
      storeElement(result, i, loadElement(constant, i) * by);
    }
    return result;
  }

  ConstantStore &constants;
};
/// batch_norm after a gemm with constant weights [K, N].
struct BatchNormIntoGemm : OpRewritePattern<nn::BatchNormOp> {
  BatchNormIntoGemm(MLIRContext *context, ConstantStore &constants)
      : OpRewritePattern(context, /*benefit=*/2), constants(constants) {}

  LogicalResult matchAndRewrite(nn::BatchNormOp op,
                                PatternRewriter &rewriter) const override {
    auto gemm = op.getX().getDefiningOp<nn::GemmOp>();
    if (!gemm || !gemm.getResult().hasOneUse() || gemm.getTransB() ||
        gemm.getAlpha().convertToFloat() != 1 ||
        gemm.getBeta().convertToFloat() != 1) {
      return failure();
    }
    const Constant *b = constantOf(gemm.getB(), constants);
    const Constant *c = constantOf(gemm.getC(), constants);
    int64_t columns = typeOf(gemm.getResult()).getDimSize(1);
    bool plainC =
        !gemm.getC() || (c && c->elementCount() == columns &&
                         (c->shape.empty() || c->shape.back() == columns));
    std::optional<ChannelAffine> affine = affineOf(op, constants);
    if (!b || !plainC || !affine) {
      return failure();
    }
    Constant scaled = *b;
    for (int64_t i = 0, n = b->elementCount(); i < n; ++i) {
      storeElement(scaled, i, loadElement(*b, i) * affine->factor[i % columns]);
    }
    Location loc = plan::resultOf(gemm.getLoc(), op.getLoc());
    Value newB = makeConst(rewriter, loc, constants, std::move(scaled));
    Value newC =
        makeConst(rewriter, loc, constants, affineBias(c, *affine, b->type));
    Value result = nn::GemmOp::create(rewriter, loc, op.getResult().getType(),
                                      gemm.getA(), newB, newC, APFloat(1.0f),
                                      APFloat(1.0f), gemm.getTransA(), false);
    rewriter.replaceOp(op, result);
    return success();
  }

  ConstantStore &constants;
};
} // namespace

void populateScalePatterns(RewritePatternSet &patterns,
                           ConstantStore &constants) {
  patterns.add<BatchNormIntoConv, BatchNormIntoGemm, BatchNormToAffine,
               AddIntoConv, GemmConstants>(patterns.getContext(), constants);
}

} // namespace kiln::nn_fold
