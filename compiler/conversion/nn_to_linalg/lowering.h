// SPDX-License-Identifier: Apache-2.0
//
// What the families of nn-to-linalg share. Internal to this folder.
#pragma once

#include "compiler/constants/constant_store.h"
#include "compiler/dialect/nn/nn_dialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"

namespace kiln::lowering {

using BodyFn = llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location,
                                              mlir::ValueRange)>;

inline mlir::RankedTensorType typeOf(mlir::Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType());
}

/// tensor.empty of a static type.
mlir::Value emptyTensor(mlir::OpBuilder &builder, mlir::Location loc,
                        llvm::ArrayRef<int64_t> shape, mlir::Type element);
/// A tensor filled with one value.
mlir::Value filledTensor(mlir::OpBuilder &builder, mlir::Location loc,
                         llvm::ArrayRef<int64_t> shape, mlir::Type element,
                         double value);

/// The same elements in another shape, by collapse_shape and expand_shape.
mlir::Value reshape(mlir::OpBuilder &builder, mlir::Location loc,
                    mlir::Value value, llvm::ArrayRef<int64_t> shape);

/// tensor.pad per dimension; nothing when all pads are 0.
mlir::Value pad(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
                llvm::ArrayRef<int64_t> begin, llvm::ArrayRef<int64_t> end,
                double filler);

/// A constant of the element type (scalar).
mlir::Value scalar(mlir::OpBuilder &builder, mlir::Location loc,
                   mlir::Type element, double value);

/// x as f32 inside a body: extended when it is narrower.
mlir::Value toF32(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x);
/// An f32 value rounded to `element`.
mlir::Value fromF32(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x,
                    mlir::Type element);

/// An all-parallel generic of type `result`. Operands broadcast by numpy's
/// rules; splat constants become scalars. `body` gets f32 scalars, one per
/// operand, and returns an f32 scalar.
mlir::Value elementwise(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::ValueRange operands,
                        mlir::RankedTensorType result,
                        const ConstantStore &constants, BodyFn body);

/// Every nn.custom becomes the operations of its body; the bodies go.
void inlineCustom(mlir::ModuleOp module, ConstantStore &constants);

// One function per family; `constants` outlives the patterns.
void populateElementwise(mlir::RewritePatternSet &patterns,
                         ConstantStore &constants);
void populateMatmul(mlir::RewritePatternSet &patterns,
                    ConstantStore &constants);
void populateMovement(mlir::RewritePatternSet &patterns);
void populateSoftmax(mlir::RewritePatternSet &patterns);
void populateWindow(mlir::RewritePatternSet &patterns,
                    ConstantStore &constants);

} // namespace kiln::lowering
