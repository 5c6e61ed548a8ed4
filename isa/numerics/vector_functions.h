// SPDX-License-Identifier: Apache-2.0
//
// Elementary functions over arrays that have no SIMD kernel of their own.
// Private to isa/numerics; see vector_kernels.h.
#pragma once

#include "isa/numerics/vector_types.h"

#include <cstddef>

namespace kiln::isa::numerics {

/// Whether function() computes the operation for the type.
constexpr bool hasFunction(UnaryOp op, ElementType type) {
  switch (op) {
  case UnaryOp::kTanh:
  case UnaryOp::kLn:
  case UnaryOp::kErf:
  case UnaryOp::kSin:
  case UnaryOp::kCos:
    return true;
  case UnaryOp::kRsqrt: // f32 has a SIMD kernel
    return type != ElementType::F32;
  default:
    return false;
  }
}

/// dst[i] = op(src[i]); F16, BF16 and F32.
void function(UnaryOp op, ElementType type, const void *src, void *dst,
              size_t n);

} // namespace kiln::isa::numerics
