// SPDX-License-Identifier: Apache-2.0
//
// f32 arithmetic between f16 operands and an f16 result, as the shared level
// writes it, done in f16 where the bits are the same:
//
//   trunc(max(ext(a) + ext(b), 0))  ==  max(a + b, 0) in f16
//
// One + - or * of f16 values, rounded to f32 and then to f16, is the f16
// operation (24 >= 2 * 11 + 2 bits: Figueroa, "When is double rounding
// innocuous?", 1995); maximum, minimum and negation commute with rounding. A
// second operation on a sum does not: such bodies stay in f32. V works on twice
// as many lanes in f16 and needs no casts.
#pragma once

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace kiln::npu {

/// Rewrites the body of `op` to f16 when the whole of it can be; true if so.
bool narrowToHalf(mlir::linalg::GenericOp op);

} // namespace kiln::npu
