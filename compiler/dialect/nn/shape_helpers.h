// SPDX-License-Identifier: Apache-2.0
//
// What the shape functions of nn share. Internal to compiler/dialect/nn.
#pragma once

#include "compiler/dialect/nn/nn_dialect.h"

namespace kiln::nn {

/// "1x3x224x224", or "scalar" for rank 0: shapes in messages.
std::string shapeText(llvm::ArrayRef<int64_t> shape);

/// The operand's type, or an error that it has no static shape yet.
llvm::FailureOr<mlir::RankedTensorType>
rankedOperand(mlir::Operation *op, unsigned index, llvm::StringRef name);

/// f32 or f16, or an error that says what was found.
llvm::LogicalResult requireFloat(mlir::Operation *op, mlir::Type element);

} // namespace kiln::nn
