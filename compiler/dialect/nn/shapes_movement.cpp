// SPDX-License-Identifier: Apache-2.0
//
// Shapes of operations that move elements; any element type.
#include "compiler/dialect/nn/shape_helpers.h"

#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;

namespace kiln::nn {

using Types = SmallVectorImpl<RankedTensorType>;

static LogicalResult checkRank(Operation *op, StringRef name,
                               ArrayRef<int64_t> values, int64_t rank) {
  if (static_cast<int64_t>(values.size()) != rank) {
    return op->emitOpError("attribute '")
           << name << "' has " << values.size() << " entries for rank " << rank;
  }
  return success();
}

LogicalResult ReshapeOp::inferShapes(Types &types) {
  FailureOr<RankedTensorType> x = rankedOperand(*this, 0, "x");
  if (failed(x)) {
    return failure();
  }
  if (llvm::any_of(getShape(), [](int64_t dim) { return dim < 0; })) {
    return emitOpError("shape ")
           << shapeText(getShape()) << " has a negative dimension";
  }
  auto result = RankedTensorType::get(getShape(), x->getElementType());
  if (result.getNumElements() != x->getNumElements()) {
    return emitOpError("cannot turn ")
           << shapeText(x->getShape()) << " (" << x->getNumElements()
           << " elements) into " << shapeText(getShape()) << " ("
           << result.getNumElements() << ")";
  }
  types.push_back(result);
  return success();
}

LogicalResult TransposeOp::inferShapes(Types &types) {
  FailureOr<RankedTensorType> x = rankedOperand(*this, 0, "x");
  if (failed(x) ||
      failed(checkRank(*this, "permutation", getPermutation(), x->getRank()))) {
    return failure();
  }
  llvm::SmallBitVector seen(x->getRank());
  SmallVector<int64_t> shape;
  for (int64_t axis : getPermutation()) {
    if (axis < 0 || axis >= x->getRank() || seen.test(axis)) {
      return emitOpError("attribute 'permutation' is no permutation of [0, ")
             << x->getRank() << ")";
    }
    seen.set(axis);
    shape.push_back(x->getDimSize(axis));
  }
  types.push_back(RankedTensorType::get(shape, x->getElementType()));
  return success();
}

LogicalResult SliceOp::inferShapes(Types &types) {
  FailureOr<RankedTensorType> x = rankedOperand(*this, 0, "x");
  if (failed(x)) {
    return failure();
  }
  int64_t rank = x->getRank();
  if (failed(checkRank(*this, "starts", getStarts(), rank)) ||
      failed(checkRank(*this, "sizes", getSizes(), rank)) ||
      failed(checkRank(*this, "steps", getSteps(), rank))) {
    return failure();
  }
  for (int64_t i = 0; i < rank; ++i) {
    int64_t start = getStarts()[i], size = getSizes()[i], step = getSteps()[i];
    int64_t dim = x->getDimSize(i);
    bool inside =
        start >= 0 && size >= 0 && step >= 1 && start <= dim &&
        (size == 0 || (start < dim && size - 1 <= (dim - 1 - start) / step));
    if (!inside) {
      return emitOpError("dimension ")
             << i << " of size " << dim << " has no " << size
             << " elements from " << start << " with step " << step;
    }
  }
  types.push_back(RankedTensorType::get(getSizes(), x->getElementType()));
  return success();
}

LogicalResult PadOp::inferShapes(Types &types) {
  FailureOr<RankedTensorType> x = rankedOperand(*this, 0, "x");
  if (failed(x)) {
    return failure();
  }
  int64_t rank = x->getRank();
  if (failed(checkRank(*this, "pads_begin", getPadsBegin(), rank)) ||
      failed(checkRank(*this, "pads_end", getPadsEnd(), rank))) {
    return failure();
  }
  SmallVector<int64_t> shape(x->getShape());
  constexpr int64_t kLimit = int64_t(1) << 31;
  for (int64_t i = 0; i < rank; ++i) {
    for (int64_t pad : {getPadsBegin()[i], getPadsEnd()[i]}) {
      if (pad < 0 || pad > kLimit) {
        return emitOpError("pads dimension ")
               << i << " by " << pad << ", expected at least 0";
      }
      shape[i] += pad;
    }
  }
  types.push_back(RankedTensorType::get(shape, x->getElementType()));
  return success();
}

LogicalResult ConcatOp::inferShapes(Types &types) {
  if (getXs().empty()) {
    return emitOpError("needs an operand");
  }
  FailureOr<RankedTensorType> first = rankedOperand(*this, 0, "xs");
  if (failed(first)) {
    return failure();
  }
  int64_t axis = getAxis(), rank = first->getRank();
  if (axis < 0 || axis >= rank) {
    return emitOpError("axis ") << axis << " is outside [0, " << rank << ")";
  }
  SmallVector<int64_t> shape(first->getShape());
  for (unsigned i = 1; i < getXs().size(); ++i) {
    FailureOr<RankedTensorType> x = rankedOperand(*this, i, "xs");
    if (failed(x)) {
      return failure();
    }
    SmallVector<int64_t> expected(first->getShape());
    if (x->getRank() == rank) {
      expected[axis] = x->getDimSize(axis);
    }
    if (x->getShape() != ArrayRef<int64_t>(expected) ||
        x->getElementType() != first->getElementType()) {
      return emitOpError("operand #")
             << i << " is " << *x << " and does not fit " << *first
             << " along axis " << axis;
    }
    shape[axis] += x->getDimSize(axis);
  }
  types.push_back(RankedTensorType::get(shape, first->getElementType()));
  return success();
}

} // namespace kiln::nn
