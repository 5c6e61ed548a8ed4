// SPDX-License-Identifier: Apache-2.0
//
// Evaluates an nn operation whose operands are all constants.
//
//   std::optional<Constant> value = nn::foldConstant(op, {shape});
//
// Data movement folds for every element type, arithmetic for floats, rounded
// to the result type. nullopt: not an operation that folds, or a result of
// more than kMaxFoldedElements elements.
#pragma once

#include "compiler/constants/constant_store.h"
#include "mlir/IR/Operation.h"

#include <optional>

namespace kiln::nn {

/// 1 GiB of f32: above every real weight, below what exhausts a machine.
constexpr int64_t kMaxFoldedElements = int64_t(1) << 28;

std::optional<Constant> foldConstant(mlir::Operation *op,
                                     llvm::ArrayRef<const Constant *> operands);

} // namespace kiln::nn
