// SPDX-License-Identifier: Apache-2.0
#include "compiler/dialect/nn/constant_fold.h"

#include "compiler/constants/byte_ops.h"
#include "compiler/dialect/nn/nn_dialect.h"
#include "compiler/dialect/plan/element_types.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;

namespace kiln::nn {

static std::vector<int64_t> toVector(ArrayRef<int64_t> values) {
  return {values.begin(), values.end()};
}

// Element strides of `shape` seen through the larger broadcast shape.
static SmallVector<int64_t> broadcastStrides(ArrayRef<int64_t> shape,
                                             size_t rank) {
  SmallVector<int64_t> strides(rank, 0);
  int64_t stride = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    int64_t dim = shape[shape.size() - 1 - i];
    strides[rank - 1 - i] = dim == 1 ? 0 : stride;
    stride *= dim;
  }
  return strides;
}

template <typename Fn>
static std::optional<Constant>
foldBinary(Operation *op, ArrayRef<const Constant *> operands, Fn fn) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  ArrayRef<int64_t> shape = type.getShape();
  Constant result = makeConstant(operands[0]->type, toVector(shape));
  auto left = broadcastStrides(operands[0]->shape, shape.size());
  auto right = broadcastStrides(operands[1]->shape, shape.size());
  SmallVector<int64_t> index(shape.size(), 0);
  int64_t a = 0, b = 0;
  for (int64_t i = 0, n = type.getNumElements(); i < n; ++i) {
    storeElement(
        result, i,
        fn(loadElement(*operands[0], a), loadElement(*operands[1], b)));
    for (size_t d = shape.size(); d-- > 0;) {
      a += left[d];
      b += right[d];
      if (++index[d] < shape[d]) {
        break;
      }
      a -= left[d] * shape[d];
      b -= right[d] * shape[d];
      index[d] = 0;
    }
  }
  return result;
}

template <typename Fn>
static std::optional<Constant> foldUnary(const Constant &x, Fn fn) {
  Constant result = makeConstant(x.type, x.shape);
  for (int64_t i = 0, n = x.elementCount(); i < n; ++i) {
    storeElement(result, i, fn(loadElement(x, i)));
  }
  return result;
}

static std::optional<Constant>
foldMovement(Operation *op, ArrayRef<const Constant *> operands) {
  using Folded = std::optional<Constant>;
  const Constant &x = *operands[0];
  return llvm::TypeSwitch<Operation *, Folded>(op)
      .Case([&](ReshapeOp reshape) -> Folded {
        return reshapeConstant(x, toVector(reshape.getShape()));
      })
      .Case([&](TransposeOp transpose) -> Folded {
        return transposeConstant(x, transpose.getPermutation());
      })
      .Case([&](SliceOp slice) -> Folded {
        return sliceConstant(x, slice.getStarts(), slice.getSizes(),
                             slice.getSteps());
      })
      .Case([&](PadOp pad) -> Folded {
        return padConstant(x, pad.getPadsBegin(), pad.getPadsEnd(),
                           pad.getValue().convertToFloat());
      })
      .Case([&](ConcatOp concat) -> Folded {
        return concatConstants({operands.data(), operands.size()},
                               concat.getAxis());
      })
      .Case([&](CastOp cast) -> Folded {
        return castConstant(x, *toElementType(cast.getTo()));
      })
      .Default([](Operation *) -> Folded { return std::nullopt; });
}

static std::optional<Constant>
foldArithmetic(Operation *op, ArrayRef<const Constant *> operands) {
  using Folded = std::optional<Constant>;
  return llvm::TypeSwitch<Operation *, Folded>(op)
      .Case<AddOp>([&](auto) {
        return foldBinary(op, operands,
                          [](double a, double b) { return a + b; });
      })
      .Case<SubOp>([&](auto) {
        return foldBinary(op, operands,
                          [](double a, double b) { return a - b; });
      })
      .Case<MulOp>([&](auto) {
        return foldBinary(op, operands,
                          [](double a, double b) { return a * b; });
      })
      .Case<DivOp>([&](auto) {
        return foldBinary(op, operands,
                          [](double a, double b) { return a / b; });
      })
      .Case<SqrtOp>([&](auto) {
        return foldUnary(*operands[0], [](double a) { return std::sqrt(a); });
      })
      .Case<NegOp>([&](auto) {
        return foldUnary(*operands[0], [](double a) { return -a; });
      })
      .Default([](Operation *) -> Folded { return std::nullopt; });
}

std::optional<Constant> foldConstant(Operation *op,
                                     ArrayRef<const Constant *> operands) {
  if (operands.empty() || op->getNumResults() != 1) {
    return std::nullopt;
  }
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !type.hasStaticShape() ||
      type.getNumElements() > kMaxFoldedElements) {
    return std::nullopt;
  }
  if (std::optional<Constant> moved = foldMovement(op, operands)) {
    return moved;
  }
  if (!isFloat(operands[0]->type)) {
    return std::nullopt;
  }
  return foldArithmetic(op, operands);
}

} // namespace kiln::nn
