// SPDX-License-Identifier: Apache-2.0
//
// The form of each value of a vector group in UB (see vector.h).
#pragma once

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace kiln::npu {

/// Decides the forms of the values that a set of operations reads and writes.
class VectorForms {
public:
  explicit VectorForms(llvm::ArrayRef<mlir::Operation *> ops);

  /// Whether the value of this operand takes one 32-byte block per element.
  bool isElementForm(mlir::OpOperand &operand) const;

private:
  bool allElements_ = false;
  llvm::DenseMap<mlir::Value, bool> elementForm_;
};

/// The loop that runs along the columns of V's commands: innermost in every
/// operand that has it. -1: none, the operation runs element by element.
int64_t columnLoop(mlir::linalg::LinalgOp op);

} // namespace kiln::npu
