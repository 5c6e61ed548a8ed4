// SPDX-License-Identifier: Apache-2.0
#include "compiler/conversion/linalg_to_npu/view.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;

namespace kiln::npu {

namespace {

FailureOr<View> wholeBuffer(IndexMath &m, Value base) {
  auto type = dyn_cast<MemRefType>(base.getType());
  if (!type || !type.hasStaticShape() || !type.getLayout().isIdentity()) {
    return emitError(m.loc) << "buffer of type " << base.getType()
                            << " is neither static nor contiguous";
  }
  View v{base, m.index(0), {}, {}, 1};
  v.elementBytes = (type.getElementTypeBitWidth() + 7) / 8;
  int64_t stride = 1;
  v.strides.resize(type.getRank());
  for (int64_t i = type.getRank(); i-- > 0;) {
    v.strides[i] = m.index(stride);
    stride *= type.getDimSize(i);
  }
  for (int64_t size : type.getShape()) {
    v.sizes.push_back(m.index(size));
  }
  return v;
}

/// a * b where at least one is a constant (strides of our buffers are).
FailureOr<OpFoldResult> product(IndexMath &m, OpFoldResult a, OpFoldResult b) {
  if (auto constant = getConstantIntValue(b)) {
    return m.times(a, *constant);
  }
  if (auto constant = getConstantIntValue(a)) {
    return m.times(b, *constant);
  }
  return failure();
}

FailureOr<View> viewOf(IndexMath &m, memref::SubViewOp op) {
  FailureOr<View> source = resolveView(m, op.getSource());
  if (failed(source)) {
    return failure();
  }
  View v = *source;
  v.sizes.clear();
  v.strides.clear();
  llvm::SmallBitVector dropped = op.getDroppedDims();
  for (unsigned i = 0; i < source->rank(); ++i) {
    FailureOr<OpFoldResult> move =
        product(m, op.getMixedOffsets()[i], source->strides[i]);
    FailureOr<OpFoldResult> stride =
        product(m, op.getMixedStrides()[i], source->strides[i]);
    if (failed(move) || failed(stride)) {
      return op.emitError("view with two unknown strides");
    }
    v.offset = m.add(v.offset, *move);
    if (!dropped.test(i)) {
      v.sizes.push_back(op.getMixedSizes()[i]);
      v.strides.push_back(*stride);
    }
  }
  return v;
}

FailureOr<View> viewOf(IndexMath &m, memref::ExpandShapeOp op) {
  FailureOr<View> source = resolveView(m, op.getSrc());
  if (failed(source)) {
    return failure();
  }
  View v = *source;
  v.sizes = getMixedValues(op.getStaticOutputShape(), op.getOutputShape(), m.b);
  v.strides.assign(v.sizes.size(), m.index(0));
  for (auto [i, group] : llvm::enumerate(op.getReassociationIndices())) {
    OpFoldResult stride = source->strides[i];
    for (int64_t d : llvm::reverse(group)) {
      v.strides[d] = stride;
      FailureOr<OpFoldResult> next = product(m, stride, v.sizes[d]);
      if (failed(next)) {
        return op.emitError("reshape with unknown strides");
      }
      stride = *next;
    }
  }
  return v;
}

FailureOr<View> viewOf(IndexMath &m, memref::CollapseShapeOp op) {
  FailureOr<View> source = resolveView(m, op.getSrc());
  if (failed(source)) {
    return failure();
  }
  View v = *source;
  v.sizes.clear();
  v.strides.clear();
  for (const auto &group : op.getReassociationIndices()) {
    OpFoldResult size = m.index(1);
    OpFoldResult stride = source->strides[group.back()];
    for (int64_t d : group) {
      FailureOr<OpFoldResult> next = product(m, size, source->sizes[d]);
      if (failed(next)) {
        return op.emitError("reshape with two unknown sizes");
      }
      size = *next;
    }
    // The innermost dimension that counts gives the stride.
    for (int64_t d : llvm::reverse(group)) {
      if (getConstantIntValue(source->sizes[d]) != 1) {
        stride = source->strides[d];
        break;
      }
    }
    v.sizes.push_back(size);
    v.strides.push_back(stride);
  }
  return v;
}

} // namespace

FailureOr<View> resolveView(IndexMath &m, Value memref) {
  Operation *def = memref.getDefiningOp();
  if (!def || llvm::isa<AllocOp>(def)) {
    return wholeBuffer(m, memref);
  }
  if (auto op = dyn_cast<memref::SubViewOp>(def)) {
    return viewOf(m, op);
  }
  if (auto op = dyn_cast<memref::ExpandShapeOp>(def)) {
    return viewOf(m, op);
  }
  if (auto op = dyn_cast<memref::CollapseShapeOp>(def)) {
    return viewOf(m, op);
  }
  if (auto op = dyn_cast<memref::CastOp>(def)) {
    return resolveView(m, op.getSource());
  }
  return def->emitError("is no view of a buffer that commands can name");
}

std::optional<int64_t> upperBound(OpFoldResult v) {
  if (auto constant = getConstantIntValue(v)) {
    return constant;
  }
  FailureOr<int64_t> bound = ValueBoundsConstraintSet::computeConstantBound(
      presburger::BoundType::UB, cast<Value>(v), nullptr, /*closedUB=*/true);
  return failed(bound) ? std::nullopt : std::optional(*bound);
}

} // namespace kiln::npu
