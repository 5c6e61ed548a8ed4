// SPDX-License-Identifier: Apache-2.0
//
// Bits of a number in an element type, for the scalar operand of vector
// instructions. Floats round to nearest even, integers wrap.
#pragma once

#include "tik_dsl/api/builder_table.h"

namespace kiln::tik::detail {

inline int64_t bitsOf(double value, uint32_t type) {
  switch (type) {
  case KILN_TIK_F32:
    return __builtin_bit_cast(uint32_t, static_cast<float>(value));
  case KILN_TIK_F16:
    return __builtin_bit_cast(uint16_t, static_cast<_Float16>(value));
  case KILN_TIK_BF16: {
    const auto bits = __builtin_bit_cast(uint32_t, static_cast<float>(value));
    return value != value ? 0x7fc0 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  }
  default:
    return static_cast<int64_t>(value);
  }
}

} // namespace kiln::tik::detail
