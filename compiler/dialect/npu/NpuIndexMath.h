// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic on index values that composes and folds affine expressions, so
// constants stay constants through every level of tiling and lowering.
//
//   IndexMath m{builder, loc};
//   OpFoldResult bytes = m.times(m.add(offset, m.index(16)), 2);
#pragma once

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/IR/Builders.h"

namespace kiln::npu {

struct IndexMath {
  mlir::OpBuilder &b;
  mlir::Location loc;
  using Index = mlir::OpFoldResult;

  Index apply(mlir::AffineExpr expr, llvm::ArrayRef<Index> operands) {
    return mlir::affine::makeComposedFoldedAffineApply(
        b, loc, mlir::AffineMap::get(operands.size(), 0, expr), operands);
  }
  Index min(llvm::ArrayRef<mlir::AffineExpr> exprs, llvm::ArrayRef<Index> v) {
    return mlir::affine::makeComposedFoldedAffineMin(
        b, loc, mlir::AffineMap::get(v.size(), 0, exprs, b.getContext()), v);
  }
  Index max(llvm::ArrayRef<mlir::AffineExpr> exprs, llvm::ArrayRef<Index> v) {
    return mlir::affine::makeComposedFoldedAffineMax(
        b, loc, mlir::AffineMap::get(v.size(), 0, exprs, b.getContext()), v);
  }
  mlir::AffineExpr d(unsigned i) { return b.getAffineDimExpr(i); }
  mlir::AffineExpr c(int64_t value) { return b.getAffineConstantExpr(value); }
  Index index(int64_t value) { return b.getIndexAttr(value); }
  Index floorDiv(Index v, int64_t by) { return apply(d(0).floorDiv(by), {v}); }
  Index ceilDiv(Index v, int64_t by) { return apply(d(0).ceilDiv(by), {v}); }
  Index times(Index v, int64_t by) { return apply(d(0) * by, {v}); }
  Index add(Index v, Index w) { return apply(d(0) + d(1), {v, w}); }
  mlir::Value value(Index v) {
    return mlir::getValueOrCreateConstantIndexOp(b, loc, v);
  }
};

} // namespace kiln::npu
