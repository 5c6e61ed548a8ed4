// SPDX-License-Identifier: Apache-2.0
//
// Shapes of operations that slide a window over the spatial dimensions.
#include "compiler/dialect/nn/shape_helpers.h"

using namespace mlir;

namespace kiln::nn {

using Types = SmallVectorImpl<RankedTensorType>;

namespace {
/// One spatial dimension of a sliding window.
struct Window {
  int64_t kernel, stride, padBegin, padEnd, dilation;
  bool ceilMode = false;
};
} // namespace

// floor((in + pads - extent) / stride) + 1. ceil_mode rounds up, but a window
// that would start beyond image and leading padding is dropped (ONNX operator
// specification, MaxPool).
static int64_t outputSize(int64_t in, const Window &w) {
  int64_t extent = (w.kernel - 1) * w.dilation + 1;
  int64_t room = in + w.padBegin + w.padEnd - extent;
  if (room < 0) {
    return 0;
  }
  if (!w.ceilMode) {
    return room / w.stride + 1;
  }
  int64_t out = (room + w.stride - 1) / w.stride + 1;
  if ((out - 1) * w.stride >= in + w.padBegin) {
    --out;
  }
  return out;
}

static LogicalResult checkCount(Operation *op, StringRef name,
                                ArrayRef<int64_t> values, int64_t spatial,
                                int64_t minimum) {
  if (static_cast<int64_t>(values.size()) != spatial) {
    return op->emitOpError("attribute '")
           << name << "' has " << values.size() << " entries for " << spatial
           << " spatial dimensions";
  }
  // Far above any real window, far below what could overflow.
  constexpr int64_t kLimit = int64_t(1) << 31;
  for (int64_t value : values) {
    if (value < minimum || value > kLimit) {
      return op->emitOpError("attribute '")
             << name << "' holds " << value << ", expected at least "
             << minimum;
    }
  }
  return success();
}

template <typename Op>
static LogicalResult inferWindow(Op op, RankedTensorType x,
                                 ArrayRef<int64_t> kernel, int64_t channels,
                                 bool ceilMode, Types &types) {
  int64_t spatial = x.getRank() - 2;
  if (failed(checkCount(op, "kernel", kernel, spatial, 1)) ||
      failed(checkCount(op, "strides", op.getStrides(), spatial, 1)) ||
      failed(checkCount(op, "pads_begin", op.getPadsBegin(), spatial, 0)) ||
      failed(checkCount(op, "pads_end", op.getPadsEnd(), spatial, 0)) ||
      failed(checkCount(op, "dilations", op.getDilations(), spatial, 1))) {
    return failure();
  }
  SmallVector<int64_t> shape = {x.getDimSize(0), channels};
  for (int64_t i = 0; i < spatial; ++i) {
    Window window{
        kernel[i],          op.getStrides()[i],   op.getPadsBegin()[i],
        op.getPadsEnd()[i], op.getDilations()[i], ceilMode};
    int64_t size = outputSize(x.getDimSize(i + 2), window);
    if (size < 1) {
      return op->emitOpError("the window of ")
             << (window.kernel - 1) * window.dilation + 1
             << " elements in spatial dimension " << i
             << " is larger than the padded input of "
             << x.getDimSize(i + 2) + window.padBegin + window.padEnd;
    }
    shape.push_back(size);
  }
  types.push_back(RankedTensorType::get(shape, x.getElementType()));
  return success();
}

// The input [N, C, spatial...] with at least one spatial dimension.
static FailureOr<RankedTensorType> image(Operation *op) {
  FailureOr<RankedTensorType> x = rankedOperand(op, 0, "x");
  if (failed(x) || failed(requireFloat(op, x->getElementType()))) {
    return failure();
  }
  if (x->getRank() < 3) {
    return op->emitOpError("needs an input [N, C, spatial...], found shape ")
           << shapeText(x->getShape());
  }
  return x;
}

static LogicalResult checkConvBias(ConvOp op, RankedTensorType x,
                                   int64_t filters) {
  if (!op.getBias()) {
    return success();
  }
  FailureOr<RankedTensorType> bias = rankedOperand(op, 2, "bias");
  if (failed(bias)) {
    return failure();
  }
  if (bias->getRank() != 1 || bias->getDimSize(0) != filters ||
      bias->getElementType() != x.getElementType()) {
    return op.emitOpError("bias is ")
           << *bias << ", expected "
           << RankedTensorType::get({filters}, x.getElementType());
  }
  return success();
}

LogicalResult ConvOp::inferShapes(Types &types) {
  FailureOr<RankedTensorType> x = image(*this);
  FailureOr<RankedTensorType> w = rankedOperand(*this, 1, "w");
  if (failed(x) || failed(w)) {
    return failure();
  }
  if (w->getRank() != x->getRank() ||
      w->getElementType() != x->getElementType()) {
    return emitOpError("weights are ")
           << *w << ", expected rank " << x->getRank() << " and element type "
           << x->getElementType();
  }
  int64_t group = getGroup(), channels = x->getDimSize(1);
  int64_t filters = w->getDimSize(0);
  if (group < 1 || channels % group != 0 || filters % group != 0) {
    return emitOpError("group ") << group << " must divide the input channels "
                                 << channels << " and the filters " << filters;
  }
  if (w->getDimSize(1) != channels / group) {
    return emitOpError("weights take ")
           << w->getDimSize(1) << " channels per group, the input has "
           << channels << " in " << group << " group(s)";
  }
  if (failed(checkConvBias(*this, *x, filters))) {
    return failure();
  }
  return inferWindow(*this, *x, w->getShape().drop_front(2), filters,
                     /*ceilMode=*/false, types);
}

LogicalResult MaxPoolOp::inferShapes(Types &types) {
  FailureOr<RankedTensorType> x = image(*this);
  if (failed(x)) {
    return failure();
  }
  return inferWindow(*this, *x, getKernel(), x->getDimSize(1), getCeilMode(),
                     types);
}

LogicalResult AveragePoolOp::inferShapes(Types &types) {
  FailureOr<RankedTensorType> x = image(*this);
  if (failed(x)) {
    return failure();
  }
  return inferWindow(*this, *x, getKernel(), x->getDimSize(1), getCeilMode(),
                     types);
}

static LogicalResult inferGlobal(Operation *op, Types &types) {
  FailureOr<RankedTensorType> x = image(op);
  if (failed(x)) {
    return failure();
  }
  SmallVector<int64_t> shape(x->getRank(), 1);
  shape[0] = x->getDimSize(0);
  shape[1] = x->getDimSize(1);
  types.push_back(RankedTensorType::get(shape, x->getElementType()));
  return success();
}

LogicalResult GlobalAveragePoolOp::inferShapes(Types &types) {
  return inferGlobal(*this, types);
}

LogicalResult GlobalMaxPoolOp::inferShapes(Types &types) {
  return inferGlobal(*this, types);
}

} // namespace kiln::nn
