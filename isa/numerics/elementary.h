// SPDX-License-Identifier: Apache-2.0
//
// exp and tanh in fixed point: the algorithm itself, shared by the oracle and
// (lane for lane) by the kernels, small enough for hardware: 32x32-bit
// multiplications, a 64-entry table, one 64/32-bit division for tanh.
//
//   exp(x): t = |x| * log2(e), negated for negative x; 2^t = 2^k * 2^(j/64) *
//     2^g with k = floor(t), j the next six bits, 0 <= g < 2^-6; 2^g - 1 by a
//     cubic (Chebyshev interpolation, error 2^-35).
//   tanh(x): x * P(x^2) below 1/4 (P of degree 5 in x^2, error 2^-41), above
//     it (1 - e) / (1 + e) with e = exp(-2|x|).
//
// The result keeps 62 (exp) or 32 (tanh) fraction bits with an error below
// 2^-31 (exp) or 2^-29 (tanh) of the value, and is rounded once, to nearest
// even, to the destination type. Worst-case errors in ULP, asserted by
// tests/unit/isa/numerics/elementary_test.cpp: f16 and bf16 0.51, f32 0.51
// (exp) and 0.53 (tanh). 1/x and sqrt are correctly rounded (soft_float.h).
// Table and coefficients: 300-bit arithmetic, rounded to nearest.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace kiln::isa::elementary {

/// 2^(j/64) with 62 fraction bits.
inline constexpr std::array<uint64_t, 64> kExp2Table = {
    0x4000000000000000, 0x40b268f9de0183ba, 0x4166c34c5615d0ec,
    0x421d1461d66f2023, 0x42d561b3e6243d8a, 0x438fb0cb4f468808,
    0x444c0740496d4294, 0x450a6abaa4b77ecd, 0x45cae0f1f545eb73,
    0x468d6fadbf2dd4f3, 0x47521cc5a2e6a9e0, 0x4818ee218a3358ee,
    0x48e1e9b9d588e19b, 0x49ad159789f37496, 0x4a7a77d47f7b84b1,
    0x4b4a169b900c2d00, 0x4c1bf828c6dc54b8, 0x4cf022c9905bfd32,
    0x4dc69cdceaa72a9c, 0x4e9f6cd3967fdba8, 0x4f7a993048d088d7,
    0x50582887dcb8a7e1, 0x513821818624b40c, 0x521a8ad704f3404f,
    0x52ff6b54d8a89c75, 0x53e6c9da74b29ab5, 0x54d0ad5a753e077c,
    0x55bd1cdad49f699c, 0x56ac1f752150a563, 0x579dbc56b48521ba,
    0x5891fac0e95612c8, 0x5988e20954889245, 0x5a827999fcef3242,
    0x5b7ec8f19468bbc9, 0x5c7dd7a3b17dcf75, 0x5d7fad59099f22fe,
    0x5e8451cfac061b5f, 0x5f8bccdb3d398841, 0x6096266533384a2b,
    0x61a3666d124bb204, 0x62b39508aa836d6f, 0x63c6ba6455dcd8ae,
    0x64dcdec3371793d1, 0x65f60a7f79393e2e, 0x6712460a8fc24072,
    0x683199ed779592ca, 0x69540ec8f895722d, 0x6a79ad55e7f6fd10,
    0x6ba27e656b4eb57a, 0x6cce8ae13c57ebdb, 0x6dfddbcbed791bab,
    0x6f307a412f074892, 0x70666f76154a7089, 0x719fc4b95f452d29,
    0x72dc8373be41a454, 0x741cb5281e25ee34, 0x75606373ee921c97,
    0x76a7980f6cca15c2, 0x77f25ccdee6d7ae6, 0x7940bb9e2cffd89d,
    0x7a92be8a92436616, 0x7be86fb985689ddc, 0x7d41d96db915019d,
    0x7e9f06067a4360ba,
};

/// log2(e) = (kLog2eHigh + kLog2eLow * 2^-32) * 2^-31.
inline constexpr uint64_t kLog2eHigh = 0xb8aa3b29, kLog2eLow = 0x5c17f0bc;
/// 2^g - 1 = g * (c1 + g * (c2 + g * c3)); 32 fraction bits.
inline constexpr uint64_t kExp2C1 = 0xb17217fd, kExp2C2 = 0x3d7f65c4,
                          kExp2C3 = 0x0e4453a8;
/// tanh(x)/x = 1 - z*(t0 - z*(t1 - z*(t2 - z*(t3 - z*t4)))), z = x*x; 32
/// fraction bits.
inline constexpr std::array<uint64_t, 5> kTanh = {
    1431655765, 572662285, 231789113, 93803799, 35752614};

/// 2^exponent * mantissa / 2^62, mantissa in [2^62, 2^63).
struct Exp2Result {
  int exponent;
  uint64_t mantissa;
};

/// exp(+-mantissa * 2^(field - 150)), the fields of a finite f32 with the
/// hidden bit in the mantissa; field <= 133 (|x| < 128).
constexpr Exp2Result exp(bool negative, uint32_t mantissa, int field) {
  const uint64_t m = mantissa;
  // |x| * log2(e) with 39 fraction bits above the exponent of x, then with 32.
  const uint64_t product = ((m * kLog2eHigh) << 8) + ((m * kLog2eLow) >> 24);
  const auto t = static_cast<int64_t>(product >> std::min(157 - field, 63));
  const int64_t s = negative ? -t : t;
  const auto fraction = static_cast<uint64_t>(s) & 0xffffffff;
  const uint64_t g = (fraction << 6) & 0xffffffff; // 38 fraction bits
  const uint64_t inner = kExp2C2 + ((kExp2C3 * g) >> 38);
  const uint64_t outer = kExp2C1 + ((inner * g) >> 38);
  const uint64_t delta = (outer * g) >> 32; // 2^g - 1, 38 fraction bits
  const uint64_t base = kExp2Table[fraction >> 26];
  return {static_cast<int>(s >> 32), base + (((base >> 31) * delta) >> 7)};
}

/// tanh(mantissa * 2^(field - 150)) = result * 2^exponent.
struct TanhResult {
  int exponent;
  uint64_t mantissa;
};

constexpr TanhResult tanh(uint32_t mantissa, int field) {
  if (field <= 124) { // below 1/4
    const uint64_t m = mantissa;
    const uint64_t z = (m * m) >> std::min(264 - 2 * field, 63);
    uint64_t p = kTanh[4]; // z has 36 fraction bits and is below 2^32
    for (int i = 3; i >= 0; --i) {
      p = kTanh[static_cast<size_t>(i)] - ((p * z) >> 36);
    }
    return {field - 150 - 32, m * ((uint64_t(1) << 32) - ((p * z) >> 36))};
  }
  if (field >= 131) { // 16 or more: 1 to more than 40 bits
    return {0, 1};
  }
  const Exp2Result e = exp(true, mantissa, field + 1);
  const uint64_t one = uint64_t(1) << 62;
  const uint64_t part = e.mantissa >> -e.exponent;
  return {-32, ((one - part) << 1) / ((one + part) >> 31)};
}

} // namespace kiln::isa::elementary
