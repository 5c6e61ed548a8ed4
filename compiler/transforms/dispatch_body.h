// SPDX-License-Identifier: Apache-2.0
//
// Cleans up the body of one dispatch function: fuses chains of elementwise
// generics, removes f32 -> f16 -> f32 round trips between them. Internal to
// compiler/transforms.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace kiln {

llvm::LogicalResult cleanDispatchBody(mlir::func::FuncOp func);

} // namespace kiln
