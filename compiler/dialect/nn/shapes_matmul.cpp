// SPDX-License-Identifier: Apache-2.0
#include "compiler/dialect/nn/shape_helpers.h"

using namespace mlir;

namespace kiln::nn {

using Types = SmallVectorImpl<RankedTensorType>;

static LogicalResult checkPair(Operation *op, RankedTensorType a,
                               RankedTensorType b) {
  if (failed(requireFloat(op, a.getElementType()))) {
    return failure();
  }
  if (a.getElementType() != b.getElementType()) {
    return op->emitOpError("operands have different element types: ")
           << a.getElementType() << " and " << b.getElementType();
  }
  return success();
}

LogicalResult MatmulOp::inferShapes(Types &types) {
  FailureOr<RankedTensorType> lhs = rankedOperand(*this, 0, "lhs");
  FailureOr<RankedTensorType> rhs = rankedOperand(*this, 1, "rhs");
  if (failed(lhs) || failed(rhs) || failed(checkPair(*this, *lhs, *rhs))) {
    return failure();
  }
  SmallVector<int64_t> a(lhs->getShape()), b(rhs->getShape());
  if (a.empty() || b.empty()) {
    return emitOpError("operands must not be scalars");
  }
  bool vectorLeft = a.size() == 1, vectorRight = b.size() == 1;
  if (vectorLeft) {
    a.insert(a.begin(), 1);
  }
  if (vectorRight) {
    b.push_back(1);
  }
  if (a.back() != b[b.size() - 2]) {
    return emitOpError("shapes ")
           << shapeText(lhs->getShape()) << " and "
           << shapeText(rhs->getShape()) << " disagree in K: " << a.back()
           << " and " << b[b.size() - 2];
  }
  auto shape = broadcastShapes(ArrayRef<int64_t>(a).drop_back(2),
                               ArrayRef<int64_t>(b).drop_back(2));
  if (failed(shape)) {
    return emitOpError("batch dimensions of ")
           << shapeText(lhs->getShape()) << " and "
           << shapeText(rhs->getShape()) << " do not broadcast";
  }
  if (!vectorLeft) {
    shape->push_back(a[a.size() - 2]);
  }
  if (!vectorRight) {
    shape->push_back(b.back());
  }
  types.push_back(RankedTensorType::get(*shape, lhs->getElementType()));
  return success();
}

static LogicalResult checkGemmC(GemmOp op, ArrayRef<int64_t> shape,
                                Type element) {
  if (!op.getC()) {
    return success();
  }
  FailureOr<RankedTensorType> c = rankedOperand(op, 2, "c");
  if (failed(c)) {
    return failure();
  }
  auto joined = broadcastShapes(c->getShape(), shape);
  if (failed(joined) || ArrayRef<int64_t>(*joined) != shape ||
      c->getElementType() != element) {
    return op.emitOpError("operand 'c' is ")
           << *c << " and does not broadcast to "
           << RankedTensorType::get(shape, element);
  }
  return success();
}

LogicalResult GemmOp::inferShapes(Types &types) {
  FailureOr<RankedTensorType> a = rankedOperand(*this, 0, "a");
  FailureOr<RankedTensorType> b = rankedOperand(*this, 1, "b");
  if (failed(a) || failed(b) || failed(checkPair(*this, *a, *b))) {
    return failure();
  }
  if (a->getRank() != 2 || b->getRank() != 2) {
    return emitOpError("needs matrices, found shapes ")
           << shapeText(a->getShape()) << " and " << shapeText(b->getShape());
  }
  int64_t m = a->getDimSize(getTransA() ? 1 : 0);
  int64_t k = a->getDimSize(getTransA() ? 0 : 1);
  int64_t bk = b->getDimSize(getTransB() ? 1 : 0);
  int64_t n = b->getDimSize(getTransB() ? 0 : 1);
  if (k != bk) {
    return emitOpError("shapes ")
           << shapeText(a->getShape()) << (getTransA() ? " (transposed)" : "")
           << " and " << shapeText(b->getShape())
           << (getTransB() ? " (transposed)" : "") << " disagree in K: " << k
           << " and " << bk;
  }
  if (failed(checkGemmC(*this, {m, n}, a->getElementType()))) {
    return failure();
  }
  types.push_back(RankedTensorType::get({m, n}, a->getElementType()));
  return success();
}

LogicalResult SoftmaxOp::inferShapes(Types &types) {
  if (failed(inferUnary(*this, types))) {
    return failure();
  }
  int64_t axis = getAxis(), rank = types[0].getRank();
  if (axis < 0 || axis >= rank) {
    return emitOpError("axis ") << axis << " is outside [0, " << rank << ")";
  }
  return success();
}

} // namespace kiln::nn
