// SPDX-License-Identifier: Apache-2.0
//
// plan-concat-in-place: a dispatch that only joins its operands one behind the
// other becomes plan.concat: the producers write straight into their parts of
// the result, and no kernel runs.
//
//   %c = plan.dispatch @concat(%a, %b)   ->   %c = plan.concat %a, %b
//
// It runs after a target has chosen physical layouts, so it sees the real
// shapes. A dispatch stays when the parts are not contiguous (a dimension
// before the axis is larger than 1), an operand is a model input, a constant
// or part of something else, an operand is joined twice, or a part would not
// start at a multiple of 64 bytes.
#pragma once

#include "compiler/dialect/plan/plan_dialect.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace kiln::plan {

/// Rewrites `func` and erases the functions nothing calls any more.
void concatInPlace(FuncOp func);

std::unique_ptr<mlir::Pass> createConcatInPlacePass();

} // namespace kiln::plan
