// SPDX-License-Identifier: Apache-2.0
//
// sin and cos in fixed point for every finite f32, shared by the oracle and
// the kernels.
//
//   From 1/2 on, x * 2/pi modulo 4 with 126 fraction bits from 256 bits of
//   2/pi (Payne and Hanek): exact enough for the f32 nearest to a multiple of
//   pi/2, whatever its size. The fraction is folded to [-1/2, 1/2] and becomes
//   y in [-pi/4, pi/4]; the quadrant says which of sin(y) and cos(y) it is.
//   sin(y) = y * S(y^2), S of degree 5; cos(y) = C(y^2), C of degree 6 (errors
//   below 2^-34).
//
// Worst-case errors: tests/unit/isa/numerics/functions_test.cpp.
// Coefficients: Chebyshev interpolation in 300-bit arithmetic, rounded to
// nearest.
#pragma once

#include "isa/numerics/logarithm.h"

namespace kiln::isa::elementary {

/// 2/pi, 256 fraction bits, most significant word first.
inline constexpr std::array<uint64_t, 4> kTwoOverPi = {
    0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
    0xfe5163abdebbc561};
/// pi/2 with 62 fraction bits.
inline constexpr uint64_t kHalfPi = 0x6487ed5110b4611a;
/// sin(y)/y = s0 - z*(s1 - ...) and cos(y) = c0 - z*(c1 - ...), z = y*y; 32
/// fraction bits.
inline constexpr std::array<uint64_t, 6> kSin = {
    4294967296, 715827883, 35791394, 852176, 11835, 106,
};
inline constexpr std::array<uint64_t, 7> kCos = {
    4294967296, 2147483648, 178956971, 5965232, 106522, 1183, 9,
};

/// y = +-mantissa * 2^exponent in [-pi/4, pi/4], mantissa below 2^31, and the
/// quadrant x was in.
struct Reduced {
  bool negative = false;
  unsigned quadrant = 0;
  int exponent = 0;
  uint64_t mantissa = 0;
};

/// |x| = mantissa * 2^(field - 150) with field >= 126.
constexpr Reduced reduce(uint32_t mantissa, int field) {
  __extension__ using Wide = unsigned __int128;
  // The 128 bits of 2/pi that meet the mantissa at weights 2^1 to 2^-126.
  const auto skip = static_cast<unsigned>(std::max(field - 152, 0));
  const unsigned word = skip / 64, bit = skip % 64;
  const auto at = [&](unsigned i) {
    return i < kTwoOverPi.size() ? kTwoOverPi[i] : 0;
  };
  Wide window = Wide(at(word)) << 64 | at(word + 1);
  if (bit != 0) {
    window = window << bit | at(word + 2) >> (64 - bit);
  }
  // With field < 152 the window starts above the bits of weight 2^1.
  window >>= std::max(152 - field, 0);
  const Wide product = mantissa * window;
  Reduced r;
  r.quadrant = static_cast<unsigned>(product >> 126);
  Wide fraction = product & ((Wide(1) << 126) - 1);
  if (fraction >> 125 != 0) {
    fraction = (Wide(1) << 126) - fraction;
    r.quadrant = (r.quadrant + 1) & 3;
    r.negative = true;
  }
  // The top 62 bits of the fraction times pi/2.
  const auto high = static_cast<uint64_t>(fraction >> 64);
  const int width = high != 0 ? 64 + std::bit_width(high)
                              : std::bit_width(static_cast<uint64_t>(fraction));
  const auto top = static_cast<uint64_t>(width > 62 ? fraction >> (width - 62)
                                                    : fraction << (62 - width));
  const Wide y = Wide(top) * kHalfPi; // 124 bits or one more
  const auto yTop = static_cast<uint64_t>(y >> 62);
  const int drop = std::bit_width(yTop) - 31;
  r.mantissa = yTop >> drop;
  r.exponent = width - 62 - 126 + drop;
  return r;
}

/// sin or cos of +-y as the quadrant and the sign of x say.
constexpr Scaled sinOrCos(bool cosine, bool negative, uint32_t mantissa,
                          int field) {
  Reduced y;
  if (field <= 125) { // below 1/2: exact
    y.mantissa = uint64_t(mantissa) << 7;
    y.exponent = field - 150 - 7;
  } else {
    y = reduce(mantissa, field);
  }
  const int shift = -2 * y.exponent - 32;
  const uint64_t z = shift < 64 ? (y.mantissa * y.mantissa) >> shift : 0;
  const unsigned quadrant = y.quadrant + (cosine ? 1 : 0);
  Scaled r;
  // sin(x) is odd in x, cos(x) even.
  r.negative = ((quadrant & 2) != 0) != (!cosine && negative);
  if ((quadrant & 1) != 0) {
    uint64_t c = kCos[6];
    for (size_t i = 6; i-- > 0;) {
      c = kCos[i] - ((c * z) >> 32);
    }
    r.exponent = -32;
    r.mantissa = c;
    return r;
  }
  uint64_t s = kSin[5];
  for (size_t i = 5; i-- > 0;) {
    s = kSin[i] - ((s * z) >> 32);
  }
  r.negative = r.negative != y.negative;
  r.exponent = y.exponent - 32;
  r.mantissa = y.mantissa * s;
  return r;
}

} // namespace kiln::isa::elementary
