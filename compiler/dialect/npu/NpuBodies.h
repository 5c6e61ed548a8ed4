// SPDX-License-Identifier: Apache-2.0
//
// Bodies of structured operations that run on V: what a schedule must know of
// the way linalg-to-npu computes them, one command per operation.
#pragma once

#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"

namespace kiln::npu {

/// Whether an operation of an elementwise body is computed in the tile of the
/// result: the next one alone reads it, in the result's type.
bool computesInResult(mlir::Operation &inner);

/// UB bytes per element for what a body keeps beside operands and result.
int64_t temporaryBytes(mlir::Block &body);

} // namespace kiln::npu
