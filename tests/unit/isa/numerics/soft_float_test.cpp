// SPDX-License-Identifier: Apache-2.0
//
// The oracle against IEEE hardware (f32 operations of this machine), against
// exact arithmetic in double (conversions), and against hand-worked cases of
// the contract. The contract's own code is not used to make expectations.
#include "isa/numerics/cube_oracle.h"
#include "isa/numerics/vector_oracle.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

namespace kiln::isa::oracle {
namespace {

using F = SoftFloat<>;

float asFloat(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, 4);
  return x;
}
uint32_t asBits(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return std::isnan(x) ? 0x7fc00000 : bits;
}

/// The value of a finite half-precision pattern, from its definition.
double valueOf(Format f, uint32_t x) {
  const int field = static_cast<int>((x >> f.mantissaBits) & f.exponentMask());
  const double fraction = x & f.mantissaMask();
  const double hidden = field != 0 ? std::ldexp(1.0, int(f.mantissaBits)) : 0;
  const double magnitude =
      std::ldexp(hidden + fraction, std::max(field, 1) - f.bias() -
                                        static_cast<int>(f.mantissaBits));
  return f.isNegative(x) ? -magnitude : magnitude;
}

TEST(SoftFloat, EqualsTheHardwareOnRandomF32) {
  std::mt19937 random(1);
  for (unsigned i = 0; i < 300000; ++i) {
    const auto a = static_cast<uint32_t>(random());
    auto b = static_cast<uint32_t>(random());
    auto c = static_cast<uint32_t>(random());
    if (i % 2 != 0) { // exponents that interact
      b = (b & 0x807fffff) | ((a & 0x7f800000) ^ (b % 8 << 23));
      const uint32_t product = asBits(asFloat(a) * asFloat(b));
      c = (c & 0x807fffff) | ((product & 0x7f800000) ^ (c % 8 << 23));
    }
    const float x = asFloat(a), y = asFloat(b), z = asFloat(c);
    ASSERT_EQ(asBits(x + y), F::add(kF32, a, b)) << a << " " << b;
    ASSERT_EQ(asBits(x - y), F::subtract(kF32, a, b)) << a << " " << b;
    ASSERT_EQ(asBits(x * y), F::multiply(kF32, a, b)) << a << " " << b;
    ASSERT_EQ(asBits(x / y), F::divide(kF32, a, b)) << a << " " << b;
    ASSERT_EQ(asBits(std::sqrt(x)), F::squareRoot(kF32, a)) << a;
    ASSERT_EQ(asBits(std::fma(x, y, z)), F::multiplyAdd(kF32, a, b, c))
        << a << " " << b << " " << c;
  }
}

TEST(SoftFloat, WidensEveryHalfExactly) {
  for (Format f : {kF16, kBf16}) {
    for (uint32_t x = 0; x < 65536; ++x) {
      if (f.isNan(x)) {
        EXPECT_EQ(0x7fc00000u, F::convert(f, kF32, x));
      } else if (!f.isInf(x)) {
        ASSERT_EQ(asBits(static_cast<float>(valueOf(f, x))),
                  F::convert(f, kF32, x));
      }
    }
  }
}

/// The two neighbours of a value in a format, and which one each mode takes,
/// from the definitions of the modes.
TEST(SoftFloat, RoundsToTheNeighbourEachModeNames) {
  std::mt19937 random(2);
  for (Format f : {kF16, kBf16}) {
    for (unsigned i = 0; i < 40000; ++i) {
      const uint32_t below = static_cast<uint32_t>(random()) % f.largest();
      const double lo = valueOf(f, below), hi = valueOf(f, below + 1);
      const double middle = (lo + hi) / 2;
      const double candidates[] = {lo, middle, (lo + middle) / 2,
                                   (middle + hi) / 2};
      const double magnitude = candidates[i % 4];
      const bool negative = i % 8 >= 4;
      const auto x = static_cast<float>(negative ? -magnitude : magnitude);
      if (static_cast<double>(x) != (negative ? -magnitude : magnitude)) {
        continue; // bf16 near its end: the midpoint is not an f32
      }
      const bool exact = i % 4 == 0, tie = i % 4 == 1, upper = i % 4 == 3;
      const bool odd = (below & 1) != 0;
      const bool takeUpper[] = {
          tie ? odd : upper,       // nearest even
          false,                   // toward zero
          negative,                // down
          !negative,               // up
          tie || upper,            // nearest, away
          tie ? !negative : upper, // nearest, up
          !odd,                    // odd
      };
      for (unsigned mode = 0; mode < 7; ++mode) {
        const uint32_t want = (below + (!exact && takeUpper[mode] ? 1 : 0)) |
                              (negative ? f.signBit() : 0);
        ASSERT_EQ(want, F::convert(kF32, f, asBits(x),
                                   static_cast<RoundingMode>(mode)))
            << "mode " << mode << " x " << x;
      }
    }
  }
}

TEST(SoftFloat, RoundsToIntegersByMode) {
  struct Case {
    float x;
    int64_t want[7]; // rne rtz rdn rup rmm rhu rod
  };
  const Case cases[] = {
      {2.5f, {2, 2, 2, 3, 3, 3, 3}},
      {3.5f, {4, 3, 3, 4, 4, 4, 3}},
      {-2.5f, {-2, -2, -3, -2, -3, -2, -3}},
      {-3.5f, {-4, -3, -4, -3, -4, -3, -3}},
      {0.25f, {0, 0, 0, 1, 0, 0, 1}},
      {-0.75f, {-1, 0, -1, 0, -1, -1, -1}},
      {7.0f, {7, 7, 7, 7, 7, 7, 7}},
      {8388609.0f,
       {8388609, 8388609, 8388609, 8388609, 8388609, 8388609, 8388609}},
  };
  for (const Case &c : cases) {
    for (unsigned mode = 0; mode < 7; ++mode) {
      EXPECT_EQ(c.want[mode], F::toInteger(kF32, asBits(c.x),
                                           static_cast<RoundingMode>(mode)))
          << c.x << " mode " << mode;
    }
  }
}

TEST(VectorOracle, CastsSaturate) {
  using V = VectorOracle<>;
  const auto cast = [](float x, ElementType to) {
    return V::cast(ElementType::F32, to, RoundingMode::kRne, asBits(x));
  };
  EXPECT_EQ(0x7fu, cast(127.5f, ElementType::I8));
  EXPECT_EQ(0x80u, cast(-1e9f, ElementType::I8));
  EXPECT_EQ(0xffu, cast(255.5f, ElementType::U8));
  EXPECT_EQ(0u, cast(-3.0f, ElementType::U8));
  EXPECT_EQ(0x7fffffffu, cast(3e9f, ElementType::I32));
  EXPECT_EQ(0x80000000u, cast(-INFINITY, ElementType::I32));
  EXPECT_EQ(0u, cast(NAN, ElementType::I16));
  EXPECT_EQ(0x7c00u, cast(65520.0f, ElementType::F16));
  EXPECT_EQ(0x7bffu, cast(65519.0f, ElementType::F16));
  EXPECT_EQ(0xffu, V::cast(ElementType::I16, ElementType::U8,
                           RoundingMode::kRne, 300));
  EXPECT_EQ(0u, V::cast(ElementType::I16, ElementType::U8, RoundingMode::kRne,
                        0xffff));
}

/// machine.md, worked by hand: a pair that cancels sets E, the residue loses
/// what lies below 2^(E-74).
TEST(CubeOracle, TruncatesTheResidueBelowTheGuardBits) {
  std::array<uint16_t, 16> a{}, b{};
  a[0] = 0x7800; // 32768 = 1024 * 2^(30-25)
  a[1] = 0xf800;
  b[0] = b[1] = 0x3c00; // 1 = 1024 * 2^(15-25); E = 45
  a[2] = 0x3c01;        // 1025 * 2^(15-25)
  b[2] = 0x1401;        // 1025 * 2^(5-25); ea+eb = 20, 25 below E
  // product 1050625 * 2^(20-50), shifted right by one: 525312 * 2^(45-74)
  EXPECT_EQ(asBits(std::ldexp(525312.0f, 45 - 74)),
            CubeOracle<>::dotHalf(kF16, a, b, 16));
  a[2] |= 0x8000; // truncation is toward zero
  EXPECT_EQ(asBits(-std::ldexp(525312.0f, 45 - 74)),
            CubeOracle<>::dotHalf(kF16, a, b, 16));
}

TEST(CubeOracle, DotOfOrdinaryNumbersIsTheirRoundedSum) {
  std::mt19937 random(3);
  for (unsigned i = 0; i < 20000; ++i) {
    std::array<uint16_t, 16> a, b;
    double sum = 0;
    for (unsigned k = 0; k < 16; ++k) {
      // exponent fields 10 to 21: every product is exact, no truncation
      const auto draw = [&] {
        return static_cast<uint16_t>((random() % 0x3000 + 0x2800) ^
                                     (random() & 0x8000));
      };
      a[k] = draw();
      b[k] = draw();
      sum += valueOf(kF16, a[k]) * valueOf(kF16, b[k]);
    }
    ASSERT_EQ(asBits(static_cast<float>(sum + 0.0)),
              CubeOracle<>::dotHalf(kF16, a, b, 16));
  }
}

TEST(VectorOracle, RowSumAddsLanesByHalves) {
  // 2^24 in lane 0 and ones in the others: by halves, lane 0 meets lane 32's
  // 1 and loses it; the ones of the other lanes gather first.
  std::vector<uint32_t> row(64, asBits(1.0f));
  row[0] = asBits(16777216.0f);
  // lane 0: 2^24+1 -> 2^24, +1+1(16,48: 2) = +2, +4, +8, +16, +32
  EXPECT_EQ(asBits(16777216.0f + 62.0f),
            VectorOracle<>::rowSum(ElementType::F32, row));
}

} // namespace
} // namespace kiln::isa::oracle
