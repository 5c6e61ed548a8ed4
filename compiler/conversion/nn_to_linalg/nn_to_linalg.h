// SPDX-License-Identifier: Apache-2.0
//
// nn-to-linalg: lowers every nn operation of the plan functions to linalg on
// tensors, logical layouts, in the form that form-dispatches expects.
//
// - Contractions and average pools accumulate in f32 (conv_2d_nchw_fchw,
//   depthwise_conv_2d_nchw_chw, matmul, batch_matmul, pooling_nchw_sum);
//   bias, scale and the rounding to f16 follow as linalg.generic.
// - Elementwise operations compute in f32: f16 operands are extended, the
//   result is truncated. Rounding once from f32 equals f16 arithmetic for
//   + - * / and sqrt. Broadcast operands lose their unit dimensions, so all
//   indexing maps are projected permutations. A splat constant is an
//   arith.constant in the body.
// - The generics of a softmax carry the attribute `plan.group`.
//
// `constants` is read (splats) and extended (divisors of average pools).
#pragma once

#include "compiler/constants/constant_store.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace kiln {

std::unique_ptr<mlir::Pass> createNnToLinalgPass(ConstantStore &constants);

} // namespace kiln
