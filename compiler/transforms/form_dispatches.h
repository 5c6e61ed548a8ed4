// SPDX-License-Identifier: Apache-2.0
//
// form-dispatches: cuts the linalg body of every plan function into dispatch
// functions.
//
//   %y = linalg.conv ...; %z = linalg.generic (bias, relu) ...
//     becomes
//   %z = plan.dispatch @conv_1(%x, %w, %b) : ...
//   func.func private @conv_1(...) attributes {plan.dispatch} { ... }
//
// One dispatch = one root (contraction, pool, softmax group, data movement or
// elementwise) and the elementwise operations after it: they join when they
// read the root's result with the identity map and nothing else reads it. Of
// several producers the latest is taken, so a residual add joins the branch
// that is computed last. Fills, constants, empty tensors and the padding of a
// convolution or pool are copied into every dispatch that needs them. A pure
// conversion between f32 and f16 stays a dispatch of its own: it is where
// precision changes on purpose.
//
// Each dispatch says how many multiply-accumulates its contraction has
// (plan.macs) and which value of the model it gives (plan.result).
//
// Reshapes and contiguous slices become plan.slice, reshapes of constants a
// step of their recipe. A dispatch is named after the node of its root. Inside
// a dispatch chains of elementwise operations become one generic, computed in
// f32 throughout.
//
// verify-shared-level checks the form this leaves behind; see
// compiler/README.md for what targets may rely on.
#pragma once

#include "mlir/Pass/Pass.h"

#include <memory>

namespace kiln {

std::unique_ptr<mlir::Pass> createFormDispatchesPass();

/// verify-shared-level: plan functions hold only plan operations; dispatch
/// bodies hold only linalg, tensor, arith and math on static tensors, return
/// one tensor and carry locations.
std::unique_ptr<mlir::Pass> createVerifySharedLevelPass();

} // namespace kiln
