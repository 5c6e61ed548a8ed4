// SPDX-License-Identifier: Apache-2.0
//
// Recipes of constants: what turns the bytes a model came with into the bytes
// a program reads. Evaluated on raw bytes when the package is written; the IR
// never sees a weight.
//
//   step         parameters                          type afterwards
//   reshape      -                                   same count
//   transpose    permutation: array<i64>             permuted shape
//   cast         -                                   other element type
//   pad          low, high: array<i64>; value: f64   grown shape
//   slice        starts: array<i64>                  box of the shape
//
// Packed layouts are made of these: FRACTAL_Z of [K, N] is pad, reshape,
// transpose.
#pragma once

#include "compiler/constants/constant_store.h"
#include "isa/support/status.h"

#include "mlir/IR/BuiltinAttributes.h"

namespace kiln::target {

/// Runs the steps of a plan.const in order; null: none. A step that does not
/// fit its constant is kInternal: a pass of ours wrote it.
Result<Constant> evaluateRecipe(const Constant &constant,
                                mlir::ArrayAttr recipe);

} // namespace kiln::target
