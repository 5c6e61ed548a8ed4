// SPDX-License-Identifier: Apache-2.0
#include "compiler/dialect/nn/shape_helpers.h"

using namespace mlir;

namespace kiln::nn {

using Types = SmallVectorImpl<RankedTensorType>;

LogicalResult inferUnary(Operation *op, Types &types) {
  FailureOr<RankedTensorType> x = rankedOperand(op, 0, "x");
  if (failed(x) || failed(requireFloat(op, x->getElementType()))) {
    return failure();
  }
  types.push_back(*x);
  return success();
}

FailureOr<SmallVector<int64_t>> broadcastShapes(ArrayRef<int64_t> a,
                                                ArrayRef<int64_t> b) {
  size_t rank = std::max(a.size(), b.size());
  SmallVector<int64_t> result(rank);
  for (size_t i = 0; i < rank; ++i) {
    int64_t left = i < a.size() ? a[a.size() - 1 - i] : 1;
    int64_t right = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (left != right && left != 1 && right != 1) {
      return failure();
    }
    result[rank - 1 - i] = left == 1 ? right : left;
  }
  return result;
}

LogicalResult inferBroadcast(Operation *op, Types &types) {
  FailureOr<RankedTensorType> lhs = rankedOperand(op, 0, "lhs");
  FailureOr<RankedTensorType> rhs = rankedOperand(op, 1, "rhs");
  if (failed(lhs) || failed(rhs) ||
      failed(requireFloat(op, lhs->getElementType()))) {
    return failure();
  }
  if (lhs->getElementType() != rhs->getElementType()) {
    return op->emitOpError("operands have different element types: ")
           << lhs->getElementType() << " and " << rhs->getElementType();
  }
  auto shape = broadcastShapes(lhs->getShape(), rhs->getShape());
  if (failed(shape)) {
    return op->emitOpError("shapes ")
           << shapeText(lhs->getShape()) << " and "
           << shapeText(rhs->getShape()) << " do not broadcast";
  }
  types.push_back(RankedTensorType::get(*shape, lhs->getElementType()));
  return success();
}

LogicalResult CastOp::inferShapes(Types &types) {
  FailureOr<RankedTensorType> x = rankedOperand(*this, 0, "x");
  if (failed(x) || failed(requireFloat(*this, x->getElementType())) ||
      failed(requireFloat(*this, getTo()))) {
    return failure();
  }
  types.push_back(x->clone(getTo()));
  return success();
}

LogicalResult BatchNormOp::inferShapes(Types &types) {
  FailureOr<RankedTensorType> x = rankedOperand(*this, 0, "x");
  if (failed(x) || failed(requireFloat(*this, x->getElementType()))) {
    return failure();
  }
  if (x->getRank() < 2) {
    return emitOpError("needs an input [N, C, ...], found shape ")
           << shapeText(x->getShape());
  }
  static constexpr StringRef kNames[] = {"x", "scale", "bias", "mean",
                                         "variance"};
  for (unsigned i = 1; i < 5; ++i) {
    FailureOr<RankedTensorType> type = rankedOperand(*this, i, kNames[i]);
    if (failed(type) || failed(requireFloat(*this, type->getElementType()))) {
      return failure();
    }
    if (type->getRank() != 1 || type->getDimSize(0) != x->getDimSize(1)) {
      return emitOpError("operand '")
             << kNames[i] << "' has shape " << shapeText(type->getShape())
             << ", expected " << x->getDimSize(1) << " (the channels of x)";
    }
  }
  types.push_back(*x);
  return success();
}

} // namespace kiln::nn
