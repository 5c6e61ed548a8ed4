// SPDX-License-Identifier: Apache-2.0
//
// View: a strided memref as commands want it: the buffer it is a part of, an
// offset, sizes and strides. Follows subviews and reshapes to an npu.alloc or a
// kernel argument.
//
//   FailureOr<View> v = resolveView(math, memref);
//   Value bytes = v->byteOffset(math);
#pragma once

#include "compiler/dialect/npu/NpuIndexMath.h"
#include "compiler/dialect/npu/NpuOps.h"

namespace kiln::npu {

struct View {
  mlir::Value base;
  mlir::OpFoldResult offset; // elements
  llvm::SmallVector<mlir::OpFoldResult> sizes;
  llvm::SmallVector<mlir::OpFoldResult> strides; // elements
  int64_t elementBytes = 1;

  isa::Space space() const { return *spaceOf(base.getType()); }
  mlir::Type elementType() const {
    return mlir::cast<mlir::MemRefType>(base.getType()).getElementType();
  }
  unsigned rank() const { return sizes.size(); }
  mlir::OpFoldResult byteOffset(IndexMath &m) const {
    return m.times(offset, elementBytes);
  }
  /// A static stride in bytes; nullopt when it is a value.
  std::optional<int64_t> byteStride(unsigned i) const {
    auto s = mlir::getConstantIntValue(strides[i]);
    return s ? std::optional(*s * elementBytes) : std::nullopt;
  }
  mlir::OpFoldResult byteStride(IndexMath &m, unsigned i) const {
    return m.times(strides[i], elementBytes);
  }
};

/// Fails, with a diagnostic at the user, on a memref that is neither.
mlir::FailureOr<View> resolveView(IndexMath &m, mlir::Value memref);

/// The largest value an index can have; nullopt when there is no bound.
std::optional<int64_t> upperBound(mlir::OpFoldResult v);

} // namespace kiln::npu
