// SPDX-License-Identifier: Apache-2.0
//
// Dispatch functions with permuted arguments and results: what
// toChannelsLast() does to one body.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace kiln::cpu {

/// The order of a tensor's dimensions in memory: dimension i of the stored
/// tensor is dimension form[i] of the logical one. Empty: as they are.
using Form = llvm::SmallVector<int64_t, 4>;

/// [N, C, H, W] stored as [N, H, W, C].
Form imageForm();
Form inverseOf(llvm::ArrayRef<int64_t> form);
mlir::RankedTensorType permuted(mlir::RankedTensorType type,
                                llvm::ArrayRef<int64_t> form);

/// True when permuteBody() knows every operation of the body.
bool canPermute(mlir::func::FuncOp func);
/// The convolution or pool of the body; null: none, or several.
mlir::linalg::LinalgOp findWindow(mlir::func::FuncOp func);
/// Elementwise operations, or one concat, that give all of the result.
bool isElementwiseBody(mlir::func::FuncOp func);
/// One operation, and it may read its operands in any order.
bool readsThroughMaps(mlir::func::FuncOp func);

/// A detached copy of `func` whose argument i is stored as forms[i] and whose
/// result is stored as `result`; so are values of the result's shape inside.
/// Loops are interchanged to run along memory. Needs canPermute().
mlir::func::FuncOp permuteBody(mlir::func::FuncOp func,
                               llvm::ArrayRef<Form> forms, const Form &result);

} // namespace kiln::cpu
