// SPDX-License-Identifier: Apache-2.0
//
// Convolutions and pools. One spatial dimension is lowered as two, with a
// height of 1.
#include "compiler/constants/byte_ops.h"
#include "compiler/conversion/nn_to_linalg/lowering.h"
#include "compiler/dialect/plan/plan_dialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <limits>

using namespace mlir;

namespace kiln::lowering {

namespace {
/// A window over two spatial dimensions.
struct Window {
  SmallVector<int64_t> kernel, strides, begin, end, dilations;
};
} // namespace

static SmallVector<int64_t> twoEntries(ArrayRef<int64_t> values, int64_t lead) {
  SmallVector<int64_t> result(values);
  if (result.size() == 1) {
    result.insert(result.begin(), lead);
  }
  return result;
}

template <typename Op>
static Window makeWindow(Op op, ArrayRef<int64_t> kernel) {
  return {twoEntries(kernel, 1), twoEntries(op.getStrides(), 1),
          twoEntries(op.getPadsBegin(), 0), twoEntries(op.getPadsEnd(), 0),
          twoEntries(op.getDilations(), 1)};
}

// [N, C, W] as [N, C, 1, W].
static Value toImage(OpBuilder &builder, Location loc, Value x) {
  ArrayRef<int64_t> shape = typeOf(x).getShape();
  if (shape.size() != 3) {
    return x;
  }
  return reshape(builder, loc, x, {shape[0], shape[1], 1, shape[2]});
}

static SmallVector<int64_t> imageShape(RankedTensorType type) {
  SmallVector<int64_t> shape(type.getShape());
  if (shape.size() == 3) {
    shape.insert(shape.begin() + 2, 1);
  }
  return shape;
}

// Pads so that exactly the windows of `out` fit: ceil_mode may need more than
// the declared padding, floor may leave some of it unread.
static Value padImage(OpBuilder &builder, Location loc, Value x,
                      const Window &window, ArrayRef<int64_t> out,
                      double filler) {
  SmallVector<int64_t> begin(4, 0), end(4, 0);
  ArrayRef<int64_t> shape = typeOf(x).getShape();
  for (int i = 0; i < 2; ++i) {
    int64_t extent = (window.kernel[i] - 1) * window.dilations[i] + 1;
    int64_t reach = (out[i + 2] - 1) * window.strides[i] + extent;
    begin[i + 2] = window.begin[i];
    end[i + 2] = std::max<int64_t>(0, reach - window.begin[i] - shape[i + 2]);
  }
  return pad(builder, loc, x, begin, end, filler);
}

static DenseIntElementsAttr vectorAttr(OpBuilder &builder,
                                       ArrayRef<int64_t> values) {
  return builder.getI64VectorAttr(values);
}

//===- convolution --------------------------------------------------------===//

namespace {
struct LowerConv : OpRewritePattern<nn::ConvOp> {
  LowerConv(MLIRContext *context, const ConstantStore &constants)
      : OpRewritePattern(context), constants(constants) {}

  LogicalResult matchAndRewrite(nn::ConvOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    int64_t channels = typeOf(op.getX()).getDimSize(1);
    int64_t group = op.getGroup();
    bool depthwise = group != 1;
    if (depthwise && group != channels) {
      return op.emitOpError("has ")
             << group << " groups of " << channels
             << " channels; supported: 1 and one per channel";
    }
    Window window = makeWindow(op, typeOf(op.getW()).getShape().drop_front(2));
    SmallVector<int64_t> out = imageShape(typeOf(op.getResult()));
    Value x = toImage(rewriter, loc, op.getX());
    x = depthwise ? repeatChannels(rewriter, loc, x, out[1]) : x;
    x = padImage(rewriter, loc, x, window, out, 0);
    Value w = toImage(rewriter, loc, op.getW());
    Value init = filledTensor(rewriter, loc, out, rewriter.getF32Type(), 0);
    Value result = depthwise ? depthwiseConv(rewriter, loc, x, w, init, window)
                             : conv(rewriter, loc, x, w, init, window);
    result = addBias(rewriter, op, result);
    rewriter.replaceOp(
        op, reshape(rewriter, loc, result, typeOf(op.getResult()).getShape()));
    return success();
  }

private:
  static Value conv(OpBuilder &builder, Location loc, Value x, Value w,
                    Value init, const Window &window) {
    return linalg::Conv2DNchwFchwOp::create(
               builder, loc, TypeRange{init.getType()}, ValueRange{x, w},
               ValueRange{init}, vectorAttr(builder, window.strides),
               vectorAttr(builder, window.dilations))
        ->getResult(0);
  }

  static Value depthwiseConv(OpBuilder &builder, Location loc, Value x, Value w,
                             Value init, const Window &window) {
    ArrayRef<int64_t> shape = typeOf(w).getShape();
    w = reshape(builder, loc, w, {shape[0], shape[2], shape[3]});
    return linalg::DepthwiseConv2DNchwChwOp::create(
               builder, loc, TypeRange{init.getType()}, ValueRange{x, w},
               ValueRange{init}, vectorAttr(builder, window.strides),
               vectorAttr(builder, window.dilations))
        ->getResult(0);
  }

  // With several filters per channel, filter f reads channel f / multiplier:
  // every channel is repeated.
  Value repeatChannels(OpBuilder &builder, Location loc, Value x,
                       int64_t filters) const {
    RankedTensorType type = typeOf(x);
    ArrayRef<int64_t> s = type.getShape();
    int64_t multiplier = filters / s[1];
    if (multiplier == 1) {
      return x;
    }
    auto wide = RankedTensorType::get({s[0], s[1], multiplier, s[2], s[3]},
                                      type.getElementType());
    Value narrow = reshape(builder, loc, x, {s[0], s[1], 1, s[2], s[3]});
    Value repeated =
        elementwise(builder, loc, narrow, wide, constants,
                    [](OpBuilder &, Location, ValueRange v) { return v[0]; });
    return reshape(builder, loc, repeated, {s[0], filters, s[2], s[3]});
  }

  Value addBias(OpBuilder &builder, nn::ConvOp op, Value result) const {
    Location loc = op.getLoc();
    auto type = typeOf(result).clone(typeOf(op.getResult()).getElementType());
    if (op.getBias()) {
      Value bias = reshape(builder, loc, op.getBias(),
                           {typeOf(op.getBias()).getDimSize(0), 1, 1});
      return elementwise(builder, loc, {result, bias}, type, constants,
                         [](OpBuilder &b, Location l, ValueRange v) {
                           return Value(
                               arith::AddFOp::create(b, l, v[0], v[1]));
                         });
    }
    if (type == result.getType()) {
      return result;
    }
    return elementwise(
        builder, loc, result, type, constants,
        [](OpBuilder &, Location, ValueRange v) { return v[0]; });
  }

  const ConstantStore &constants;
};

//===- pools --------------------------------------------------------------===//

template <typename PoolOp>
Value pool(OpBuilder &builder, Location loc, Value x, const Window &window,
           Value init) {
  Value shape =
      emptyTensor(builder, loc, window.kernel, typeOf(x).getElementType());
  return PoolOp::create(builder, loc, TypeRange{init.getType()},
                        ValueRange{x, shape}, ValueRange{init},
                        vectorAttr(builder, window.strides),
                        vectorAttr(builder, window.dilations))
      ->getResult(0);
}

constexpr double kLowest = -std::numeric_limits<double>::infinity();

Value maxPool(OpBuilder &builder, Location loc, Value x, const Window &window,
              RankedTensorType result) {
  SmallVector<int64_t> out = imageShape(result);
  x = toImage(builder, loc, x);
  x = padImage(builder, loc, x, window, out, kLowest);
  Value init =
      filledTensor(builder, loc, out, result.getElementType(), kLowest);
  Value value = pool<linalg::PoolingNchwMaxOp>(builder, loc, x, window, init);
  return reshape(builder, loc, value, result.getShape());
}

// The sum over every window, in f32.
Value sumPool(OpBuilder &builder, Location loc, Value x, const Window &window,
              ArrayRef<int64_t> out) {
  x = padImage(builder, loc, toImage(builder, loc, x), window, out, 0);
  Value init = filledTensor(builder, loc, out, builder.getF32Type(), 0);
  return pool<linalg::PoolingNchwSumOp>(builder, loc, x, window, init);
}

struct LowerMaxPool : OpRewritePattern<nn::MaxPoolOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::MaxPoolOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, maxPool(rewriter, op.getLoc(), op.getX(),
                                   makeWindow(op, op.getKernel()),
                                   typeOf(op.getResult())));
    return success();
  }
};

// The window of a global pool: the whole image.
Window wholeImage(RankedTensorType type) {
  SmallVector<int64_t> shape = imageShape(type);
  return {{shape[2], shape[3]}, {1, 1}, {0, 0}, {0, 0}, {1, 1}};
}

struct LowerGlobalMaxPool : OpRewritePattern<nn::GlobalMaxPoolOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::GlobalMaxPoolOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, maxPool(rewriter, op.getLoc(), op.getX(),
                                   wholeImage(typeOf(op.getX())),
                                   typeOf(op.getResult())));
    return success();
  }
};

struct LowerGlobalAveragePool : OpRewritePattern<nn::GlobalAveragePoolOp> {
  LowerGlobalAveragePool(MLIRContext *context, const ConstantStore &constants)
      : OpRewritePattern(context), constants(constants) {}

  LogicalResult matchAndRewrite(nn::GlobalAveragePoolOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Window window = wholeImage(typeOf(op.getX()));
    RankedTensorType type = typeOf(op.getResult());
    SmallVector<int64_t> out = imageShape(type);
    Value sum = sumPool(rewriter, loc, op.getX(), window, out);
    double count = static_cast<double>(window.kernel[0] * window.kernel[1]);
    Value mean = elementwise(
        rewriter, loc, sum, RankedTensorType::get(out, type.getElementType()),
        constants, [&](OpBuilder &b, Location l, ValueRange v) -> Value {
          return arith::MulFOp::create(b, l, v[0],
                                       scalar(b, l, b.getF32Type(), 1 / count));
        });
    rewriter.replaceOp(op, reshape(rewriter, loc, mean, type.getShape()));
    return success();
  }

  const ConstantStore &constants;
};

struct LowerAveragePool : OpRewritePattern<nn::AveragePoolOp> {
  LowerAveragePool(MLIRContext *context, ConstantStore &constants)
      : OpRewritePattern(context), constants(constants) {}

  LogicalResult matchAndRewrite(nn::AveragePoolOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Window window = makeWindow(op, op.getKernel());
    RankedTensorType type = typeOf(op.getResult());
    SmallVector<int64_t> out = imageShape(type);
    Value sum = sumPool(rewriter, loc, op.getX(), window, out);
    Value factor = factors(rewriter, op, window, out);
    Value mean =
        elementwise(rewriter, loc, {sum, factor},
                    RankedTensorType::get(out, type.getElementType()),
                    constants, [](OpBuilder &b, Location l, ValueRange v) {
                      return Value(arith::MulFOp::create(b, l, v[0], v[1]));
                    });
    rewriter.replaceOp(op, reshape(rewriter, loc, mean, type.getShape()));
    return success();
  }

private:
  // How many positions of window `o` count in dimension i: those inside the
  // image, or inside image and declared padding.
  static int64_t countAt(const Window &window, int i, int64_t o, int64_t size,
                         bool includePads) {
    int64_t low = includePads ? -window.begin[i] : 0;
    int64_t high = includePads ? size + window.end[i] : size;
    int64_t count = 0;
    for (int64_t k = 0; k < window.kernel[i]; ++k) {
      int64_t at =
          o * window.strides[i] - window.begin[i] + k * window.dilations[i];
      count += at >= low && at < high;
    }
    return count;
  }

  // One reciprocal per output position; equal ones fold to a scalar.
  Value factors(OpBuilder &builder, nn::AveragePoolOp op, const Window &window,
                ArrayRef<int64_t> out) const {
    SmallVector<int64_t> image = imageShape(typeOf(op.getX()));
    Constant table = makeConstant(ElementType::kF32, {out[2], out[3]});
    for (int64_t h = 0; h < out[2]; ++h) {
      int64_t rows = countAt(window, 0, h, image[2], op.getCountIncludePad());
      for (int64_t w = 0; w < out[3]; ++w) {
        int64_t columns =
            countAt(window, 1, w, image[3], op.getCountIncludePad());
        storeElement(
            table, h * out[3] + w,
            1.0 / static_cast<double>(std::max<int64_t>(1, rows * columns)));
      }
    }
    auto type = RankedTensorType::get({out[2], out[3]}, builder.getF32Type());
    return plan::ConstOp::create(builder, op.getLoc(), type,
                                 constants.add(std::move(table)), ArrayAttr());
  }

  ConstantStore &constants;
};
} // namespace

void populateWindow(RewritePatternSet &patterns, ConstantStore &constants) {
  MLIRContext *context = patterns.getContext();
  patterns.add<LowerMaxPool, LowerGlobalMaxPool>(context);
  patterns.add<LowerConv, LowerAveragePool, LowerGlobalAveragePool>(context,
                                                                    constants);
}

} // namespace kiln::lowering
