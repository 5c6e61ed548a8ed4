// SPDX-License-Identifier: Apache-2.0
//
// The recipe of a plan.const, evaluated on raw bytes: what turns a blob of the
// ConstantStore into the bytes that a package holds.
//
//   Result<Constant> value = evaluateConstant(constOp, constants);
//
// Steps (kind, parameters; the step's type is the result):
//   "reshape"    none                 the same elements in another shape
//   "cast"       none                 element type, nearest even
//   "transpose"  permutation          result dimension i is permutation[i]
//   "pad"        begin, end, [value]  one entry per dimension; value is f32
//   "slice"      starts, [steps]      the box of the result's shape
// Lists are DenseI64ArrayAttr. Blocked layouts are compositions: FRACTAL_Z of
// [F, C, KH, KW] is pad to [16 N1, C0 C1, KH, KW], reshape to
// [N1, 16, C1, C0, KH, KW], transpose to [C1, KH, KW, N1, 16, C0], reshape.
// A new kind is one row of the table in const_recipe.cpp.
//
// Errors: kInternal for a step whose parameters do not fit: recipes are made
// by passes.
#pragma once

#include "compiler/constants/constant_store.h"
#include "compiler/dialect/plan/plan_dialect.h"
#include "isa/support/status.h"

namespace kiln {

/// One step.
Result<Constant> evaluateStep(plan::StepAttr step, const Constant &input);

/// The blob of `op` with its whole recipe applied.
Result<Constant> evaluateConstant(plan::ConstOp op,
                                  const ConstantStore &constants);

} // namespace kiln
