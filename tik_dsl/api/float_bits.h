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

/// Smallest and largest finite value of a type.
struct TypeRange {
  double low, high;
};
inline TypeRange rangeOf(uint32_t type) {
  switch (type) {
  case KILN_TIK_I8:
    return {-128, 127};
  case KILN_TIK_U8:
    return {0, 255};
  case KILN_TIK_I16:
    return {-32768, 32767};
  case KILN_TIK_U16:
    return {0, 65535};
  case KILN_TIK_I32:
    return {-2147483648.0, 2147483647.0};
  case KILN_TIK_F16:
    return {-65504, 65504};
  default:
    return {-3.4028235677973366e38, 3.4028235677973366e38};
  }
}

inline bool isFraction(double value, uint32_t type) {
  return type < KILN_TIK_F16 &&
         value != static_cast<double>(static_cast<int64_t>(value)) &&
         value > -9e18 && value < 9e18;
}

/// Why a number is none of a type; null when it is one. Infinities and NaN are
/// numbers of the float types.
inline const char *unfit(double value, uint32_t type) {
  if (isFraction(value, type)) {
    return "a fraction is no number of the integer type of the elements";
  }
  const bool finite = value - value == 0;
  const TypeRange range = rangeOf(type);
  if ((finite || type < KILN_TIK_F16) &&
      !(value >= range.low && value <= range.high)) {
    return "the number is beyond the type of the elements";
  }
  return nullptr;
}

} // namespace kiln::tik::detail
