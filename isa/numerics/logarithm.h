// SPDX-License-Identifier: Apache-2.0
//
// ln and 1/sqrt in fixed point, shared by the oracle and the kernels.
//
//   ln(x): x = 2^k * f with f in [sqrt(1/2), sqrt(2)); c = n/256 close to 1/f
//     from a table over the top six bits of f, exactly 1 where f is within 1/64
//     of 1; r = f*c - 1, exact in 32 fraction bits and below 2^-6;
//     ln(x) = k*ln(2) - ln(c) + ln(1 + r), ln(1 + r) = r*q(r) with q of degree
//     5 (Chebyshev interpolation, error below 2^-38). Near 1 only r*q(r) is
//     left, so the error is relative there.
//   1/sqrt(x): the integer square root of a quotient with a sticky bit:
//     correctly rounded.
//
// Worst-case errors: tests/unit/isa/numerics/functions_test.cpp. Table and
// coefficients: 300-bit arithmetic, rounded to nearest.
#pragma once

#include "isa/numerics/elementary.h"

#include <bit>

namespace kiln::isa::elementary {

/// +-mantissa * 2^exponent; bit 0 may stand for lost bits below.
struct Scaled {
  bool negative = false;
  int exponent = 0;
  uint64_t mantissa = 0;
};

/// 256/f for f in [j/64, (j+1)/64), j from 45 on.
inline constexpr std::array<uint16_t, 46> kLnReciprocal = {
    360, 352, 345, 338, 331, 324, 318, 312, 306, 301, 295, 290,
    285, 280, 275, 271, 266, 262, 256, 256, 250, 246, 243, 239,
    236, 232, 229, 226, 223, 220, 217, 214, 211, 209, 206, 204,
    201, 199, 196, 194, 192, 189, 187, 185, 183, 181,
};
/// -ln(kLnReciprocal/256) with 44 fraction bits.
inline constexpr std::array<int64_t, 46> kLnOffset = {
    -5997643945474,
    -5602297284376,
    -5248927290640,
    -4888313485926,
    -4520152658774,
    -4144122152286,
    -3815286670770,
    -3480187281035,
    -3138580702010,
    -2848752300875,
    -2494535246155,
    -2193806794175,
    -1887848020751,
    -1576473767511,
    -1259488866465,
    -1001723287256,
    -674112589814,
    -407559216983,
    0,
    0,
    417225548579,
    700976636271,
    916834387929,
    1208827581541,
    1431047623176,
    1731776075157,
    1960744852421,
    2192733085117,
    2427821474943,
    2666094002866,
    2907638109239,
    3152544886445,
    3400909285152,
    3568455180563,
    3822804469627,
    3994436914348,
    4255066659744,
    4430989986226,
    4698218203641,
    4878652462747,
    5060956540215,
    5338004565892,
    5525157246330,
    5714322359755,
    5905543655988,
    6098866327211,
};
/// ln(2) with 44 fraction bits.
inline constexpr int64_t kLn2 = 12193974156573;
/// q(r), lowest power first, 32 fraction bits.
inline constexpr std::array<int64_t, 6> kLnSeries = {
    4294967296, -2147483648, 1431655745, -1073741806, 859218202, -716024534,
};

/// ln(mantissa * 2^(field - 150)); mantissa in [2^23, 2^24), any field.
constexpr Scaled ln(uint32_t mantissa, int field) {
  int k = field - 127;
  int64_t f = int64_t(mantissa) << 1; // 24 fraction bits
  if (mantissa >= 0xb504f3) {         // sqrt(2)
    ++k;
    f >>= 1;
  }
  const auto j = static_cast<size_t>((f >> 18) - 45);
  const int64_t r = f * kLnReciprocal[j] - (int64_t(1) << 32);
  int64_t q = kLnSeries[5];
  for (size_t i = 5; i-- > 0;) {
    q = kLnSeries[i] + ((q * r) >> 32);
  }
  if (k == 0 && kLnOffset[j] == 0) {
    const int64_t v = (r < 0 ? -r : r) * q; // below 2^60
    return {r < 0, -64, static_cast<uint64_t>(v)};
  }
  const int64_t v = k * kLn2 + kLnOffset[j] + ((r * q) >> 20);
  return {v < 0, -44, static_cast<uint64_t>(v < 0 ? -v : v)};
}

/// 1/sqrt(mantissa * 2^(field - 150)), mantissa not 0; correctly rounded once
/// it is rounded to at most 48 bits.
constexpr Scaled reciprocalRoot(uint32_t mantissa, int field) {
  __extension__ using Wide = unsigned __int128;
  int exponent = field - 150;
  uint64_t m = mantissa;
  if (exponent % 2 != 0) {
    m <<= 1;
    --exponent;
  }
  const Wide one = Wide(1) << 126;
  const Wide quotient = one / m;
  uint64_t root = 0;
  for (int bit = 63; bit >= 0; --bit) {
    const uint64_t trial = root | uint64_t(1) << bit;
    if (Wide(trial) * trial <= quotient) {
      root = trial;
    }
  }
  const bool inexact = Wide(root) * root * m != one;
  // root < 2^63: the sticky bit has room.
  return {false, -exponent / 2 - 64, root << 1 | (inexact ? 1 : 0)};
}

} // namespace kiln::isa::elementary
