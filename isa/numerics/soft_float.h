// SPDX-License-Identifier: Apache-2.0
//
// Floating-point arithmetic in integers: the base of the oracle.
//
//   using F = SoftFloat<>;
//   uint32_t sum = F::add(kF32, a, b);               // IEEE add, bits in/out
//   uint16_t h = F::convert(kF32, kF16, x, RoundingMode::kRtz);
//
// Values are bit patterns in the low bits of a uint32_t. Contract (machine.md,
// "Arithmetic contract"): subnormals are kept in and out, every NaN result is
// the canonical quiet NaN, infinities and signed zeros follow IEEE 754-2019,
// the result is the exact value rounded once. Written to be read, not to be
// fast: the kernels beside it are proven equal to it.
//
// `M` is a mutant for the tests (mutant.h); SoftFloat<> is the contract.
#pragma once

#include "isa/codec/machine_types.h"
#include "isa/gen/opcodes.h"
#include "isa/numerics/mutant.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace kiln::isa::oracle {

using Wide = unsigned __int128;

/// An IEEE binary interchange format.
struct Format {
  unsigned mantissaBits; // without the hidden bit
  unsigned exponentBits;

  constexpr int bias() const { return (1 << (exponentBits - 1)) - 1; }
  constexpr uint32_t exponentMask() const { return (1u << exponentBits) - 1; }
  constexpr uint32_t mantissaMask() const { return (1u << mantissaBits) - 1; }
  constexpr uint32_t signBit() const {
    return 1u << (mantissaBits + exponentBits);
  }
  constexpr uint32_t infinity() const { return exponentMask() << mantissaBits; }
  constexpr uint32_t largest() const { return infinity() - 1; }
  constexpr uint32_t nan() const {
    return infinity() | (1u << (mantissaBits - 1));
  }
  constexpr bool isNan(uint32_t x) const {
    return (x & ~signBit()) > infinity();
  }
  constexpr bool isInf(uint32_t x) const {
    return (x & ~signBit()) == infinity();
  }
  constexpr bool isZero(uint32_t x) const { return (x & ~signBit()) == 0; }
  constexpr bool isNegative(uint32_t x) const { return (x & signBit()) != 0; }
};
inline constexpr Format kF16{10, 5}, kBf16{7, 8}, kF32{23, 8};

/// The format of a floating-point element type.
constexpr Format formatOf(ElementType t) {
  return t == ElementType::F16 ? kF16 : t == ElementType::BF16 ? kBf16 : kF32;
}
constexpr bool isFloat(ElementType t) { return t >= ElementType::F16; }

/// Sign and magnitude mantissa * 2^exponent. The lowest mantissa bit of an
/// inexact intermediate is sticky: set when bits below it were lost.
struct Magnitude {
  bool negative = false;
  int exponent = 0;
  Wide mantissa = 0;
};

constexpr int bitWidth(Wide x) {
  const auto high = static_cast<uint64_t>(x >> 64);
  return high != 0 ? 64 + std::bit_width(high)
                   : std::bit_width(static_cast<uint64_t>(x));
}

/// x >> shift with the lost bits gathered into bit 0.
constexpr Wide shiftRightSticky(Wide x, int shift) {
  if (shift <= 0) {
    return x;
  }
  if (shift > 127) {
    return x != 0;
  }
  const Wide kept = x >> shift;
  return kept | ((kept << shift) != x);
}

template <Mutant M = Mutant::kNone> struct SoftFloat {
  /// A finite number; infinities and NaN are the caller's.
  static constexpr Magnitude unpack(Format f, uint32_t x) {
    const uint32_t field = (x >> f.mantissaBits) & f.exponentMask();
    uint32_t mantissa = x & f.mantissaMask();
    if (field != 0) {
      mantissa |= 1u << f.mantissaBits;
    } else if (M == Mutant::kFlushInput) {
      mantissa = 0;
    }
    const int exponent = std::max<int>(static_cast<int>(field), 1) - f.bias() -
                         static_cast<int>(f.mantissaBits);
    return {f.isNegative(x), exponent, mantissa};
  }

  static constexpr RoundingMode effective(RoundingMode r) {
    if (M == Mutant::kCastTiesAway && r == RoundingMode::kRne) {
      return RoundingMode::kRmm;
    }
    if (M == Mutant::kCastTruncates) {
      return RoundingMode::kRtz;
    }
    if (M == Mutant::kCastModesSwapped && r == RoundingMode::kRdn) {
      return RoundingMode::kRup;
    }
    if (M == Mutant::kCastModesSwapped && r == RoundingMode::kRup) {
      return RoundingMode::kRdn;
    }
    return r;
  }

  /// mantissa / 2^shift rounded to an integer (shift may be any size).
  static constexpr Wide roundShift(Wide mantissa, int shift, bool negative,
                                   RoundingMode mode) {
    if (shift <= 0) {
      return mantissa << -shift;
    }
    const Wide kept = shift > 127 ? 0 : mantissa >> shift;
    const Wide rest = shift > 127 ? mantissa : mantissa - (kept << shift);
    if (rest == 0) {
      return kept;
    }
    // Compare the rest with half a unit; a unit above 2^128 has rest < half.
    const int order = shift > 128                     ? -1
                      : rest < Wide(1) << (shift - 1) ? -1
                      : rest > Wide(1) << (shift - 1) ? 1
                                                      : 0;
    const bool odd = (kept & 1) != 0;
    bool up = false;
    switch (effective(mode)) {
    case RoundingMode::kRne:
      up = order > 0 || (order == 0 && odd);
      break;
    case RoundingMode::kRtz:
      break;
    case RoundingMode::kRdn:
      up = negative;
      break;
    case RoundingMode::kRup:
      up = !negative;
      break;
    case RoundingMode::kRmm:
      up = order >= 0;
      break;
    case RoundingMode::kRhu:
      up = order > 0 || (order == 0 && !negative);
      break;
    case RoundingMode::kRod:
      up = !odd;
      break;
    }
    return kept + (up ? 1 : 0);
  }

  static constexpr uint32_t overflow(Format f, bool negative,
                                     RoundingMode mode) {
    bool toInfinity = true;
    switch (effective(mode)) {
    case RoundingMode::kRtz:
    case RoundingMode::kRod:
      toInfinity = false;
      break;
    case RoundingMode::kRdn:
      toInfinity = negative;
      break;
    case RoundingMode::kRup:
      toInfinity = !negative;
      break;
    default:
      break;
    }
    if (M == Mutant::kOverflowSaturates) {
      toInfinity = false;
    }
    return (negative ? f.signBit() : 0) |
           (toInfinity ? f.infinity() : f.largest());
  }

  /// The number rounded to the format.
  static constexpr uint32_t pack(Format f, Magnitude v,
                                 RoundingMode mode = RoundingMode::kRne) {
    const uint32_t sign = v.negative ? f.signBit() : 0;
    if (v.mantissa == 0) {
      return sign;
    }
    const int smallest = 1 - f.bias();
    const int top = std::max(v.exponent + bitWidth(v.mantissa) - 1, smallest);
    const int unit = top - static_cast<int>(f.mantissaBits);
    const Wide kept =
        roundShift(v.mantissa, unit - v.exponent, v.negative, mode);
    if (top > f.bias()) {
      return overflow(f, v.negative, mode);
    }
    if (M == Mutant::kFlushOutput && kept < Wide(1) << f.mantissaBits) {
      return sign;
    }
    // The hidden bit of a normal number adds one to the exponent field, and so
    // does a carry out of the rounding.
    const uint32_t bits =
        (static_cast<uint32_t>(top - smallest) << f.mantissaBits) +
        static_cast<uint32_t>(kept);
    return bits >= f.infinity() ? overflow(f, v.negative, mode) : sign | bits;
  }

  static constexpr uint32_t nan(Format f, uint32_t a, uint32_t b) {
    if (M == Mutant::kNanNotCanonical && f.isNan(a)) {
      return a;
    }
    if (M == Mutant::kNanNotCanonical && f.isNan(b)) {
      return b;
    }
    return f.nan();
  }

  /// The sum with at most a sticky error; both operands finite. An exact zero
  /// from operands of unlike signs is +0.
  static constexpr Magnitude addExact(Magnitude a, Magnitude b) {
    if (a.mantissa == 0 && b.mantissa == 0) {
      return {a.negative && b.negative, 0, 0};
    }
    if (a.mantissa == 0) {
      return b;
    }
    if (b.mantissa == 0) {
      return a;
    }
    // Put the top bit of both at bit 120: a shift of the smaller one by two or
    // more loses at most one bit to cancellation, far above the sticky bit.
    normalise(a);
    normalise(b);
    if (a.exponent < b.exponent) {
      std::swap(a, b);
    }
    b.mantissa = shiftRightSticky(b.mantissa, a.exponent - b.exponent);
    if (a.negative == b.negative) {
      a.mantissa += b.mantissa;
      return a;
    }
    if (a.mantissa == b.mantissa) {
      return {false, 0, 0};
    }
    if (a.mantissa > b.mantissa) {
      a.mantissa -= b.mantissa;
      return a;
    }
    b.exponent = a.exponent;
    b.mantissa -= a.mantissa;
    return b;
  }

  static constexpr Magnitude multiplyExact(Magnitude a, Magnitude b) {
    return {a.negative != b.negative, a.exponent + b.exponent,
            a.mantissa * b.mantissa};
  }

  static constexpr uint32_t add(Format f, uint32_t a, uint32_t b) {
    if (f.isNan(a) || f.isNan(b)) {
      return nan(f, a, b);
    }
    if (f.isInf(a) || f.isInf(b)) {
      if (f.isInf(a) && f.isInf(b) && a != b) {
        return M == Mutant::kInfMinusInf ? a : f.nan();
      }
      return f.isInf(a) ? a : b;
    }
    return pack(f, addExact(unpack(f, a), unpack(f, b)));
  }

  static constexpr uint32_t subtract(Format f, uint32_t a, uint32_t b) {
    return add(f, a, f.isNan(b) ? b : b ^ f.signBit());
  }

  static constexpr uint32_t multiply(Format f, uint32_t a, uint32_t b) {
    if (f.isNan(a) || f.isNan(b)) {
      return nan(f, a, b);
    }
    const uint32_t sign = (a ^ b) & f.signBit();
    if (f.isInf(a) || f.isInf(b)) {
      if (f.isZero(a) || f.isZero(b)) {
        return M == Mutant::kInfTimesZero ? sign : f.nan();
      }
      return sign | f.infinity();
    }
    return pack(f, multiplyExact(unpack(f, a), unpack(f, b)));
  }

  /// a * b + c with one rounding.
  static constexpr uint32_t multiplyAdd(Format f, uint32_t a, uint32_t b,
                                        uint32_t c) {
    if (M == Mutant::kMaddTwoRoundings || f.isInf(a) || f.isInf(b) ||
        f.isInf(c) || f.isNan(a) || f.isNan(b) || f.isNan(c)) {
      return add(f, multiplySpecial(f, a, b), c);
    }
    return pack(
        f, addExact(multiplyExact(unpack(f, a), unpack(f, b)), unpack(f, c)));
  }

  static constexpr uint32_t divide(Format f, uint32_t a, uint32_t b) {
    if (f.isNan(a) || f.isNan(b)) {
      return nan(f, a, b);
    }
    const uint32_t sign = (a ^ b) & f.signBit();
    if (f.isInf(a)) {
      return f.isInf(b) ? f.nan() : sign | f.infinity();
    }
    if (f.isInf(b)) {
      return sign;
    }
    if (f.isZero(b)) {
      return f.isZero(a) ? f.nan() : sign | f.infinity();
    }
    Magnitude x = unpack(f, a);
    const Magnitude y = unpack(f, b);
    // 64 quotient bits more than the operands have, and a sticky bit.
    const Wide dividend = x.mantissa << 88;
    const Wide quotient = dividend / y.mantissa;
    const bool inexact = quotient * y.mantissa != dividend;
    return pack(f, {sign != 0, x.exponent - y.exponent - 89,
                    (quotient << 1) | inexact});
  }

  static constexpr uint32_t squareRoot(Format f, uint32_t a) {
    if (f.isNan(a)) {
      return nan(f, a, a);
    }
    if (f.isZero(a)) {
      return a;
    }
    if (f.isNegative(a)) {
      return f.nan();
    }
    if (f.isInf(a)) {
      return a;
    }
    Magnitude x = unpack(f, a);
    int shift = 90; // the exponent must be even
    if ((x.exponent - shift) % 2 != 0) {
      ++shift;
    }
    const Wide radicand = x.mantissa << shift;
    Wide root = 0;
    for (int bit = 63; bit >= 0; --bit) {
      const Wide trial = root | Wide(1) << bit;
      if (trial * trial <= radicand) {
        root = trial;
      }
    }
    const bool inexact = root * root != radicand;
    return pack(f,
                {false, (x.exponent - shift) / 2 - 1, (root << 1) | inexact});
  }

  /// IEEE 754-2019 maximum: NaN propagates, +0 > -0.
  static constexpr uint32_t maximum(Format f, uint32_t a, uint32_t b) {
    return select(f, a, b, true);
  }
  /// IEEE 754-2019 minimum: NaN propagates, -0 < +0.
  static constexpr uint32_t minimum(Format f, uint32_t a, uint32_t b) {
    return select(f, a, b, false);
  }

  /// Between formats; an overflow goes where the rounding mode says.
  static constexpr uint32_t convert(Format from, Format to, uint32_t x,
                                    RoundingMode mode = RoundingMode::kRne) {
    if (from.isNan(x)) {
      return to.nan();
    }
    const uint32_t sign = from.isNegative(x) ? to.signBit() : 0;
    if (from.isInf(x)) {
      return sign | to.infinity();
    }
    return pack(to, unpack(from, x), mode);
  }

  static constexpr uint32_t
  fromInteger(Format to, int64_t x, RoundingMode mode = RoundingMode::kRne) {
    const Wide magnitude = x < 0 ? -Wide(x) : Wide(x);
    return pack(to, {x < 0, 0, magnitude}, mode);
  }

  /// Rounded to an integer, not yet saturated to its type; values beyond
  /// +-2^62 (infinities included) give +-2^62. Not for NaN.
  static constexpr int64_t toInteger(Format from, uint32_t x,
                                     RoundingMode mode) {
    constexpr int64_t kBig = int64_t(1) << 62;
    const bool negative = from.isNegative(x);
    const Magnitude v = unpack(from, x);
    if (from.isInf(x) || v.exponent + bitWidth(v.mantissa) > 62) {
      return negative ? -kBig : kBig;
    }
    const auto kept = static_cast<int64_t>(
        roundShift(v.mantissa, -v.exponent, negative, mode));
    return negative ? -kept : kept;
  }

  /// Integers in the order of the floating-point values, -0 before +0.
  static constexpr int64_t orderKey(Format f, uint32_t x) {
    const int64_t magnitude = x & ~f.signBit();
    return f.isNegative(x) ? -magnitude - 1 : magnitude;
  }

private:
  static constexpr void normalise(Magnitude &v) {
    const int shift = 121 - bitWidth(v.mantissa);
    v.mantissa <<= shift;
    v.exponent -= shift;
  }

  static constexpr uint32_t multiplySpecial(Format f, uint32_t a, uint32_t b) {
    // A product that overflows although both factors are finite must not
    // become an infinity in front of an infinite addend.
    const bool finite =
        !f.isNan(a) && !f.isInf(a) && !f.isNan(b) && !f.isInf(b);
    if (finite && M != Mutant::kMaddTwoRoundings) {
      return (a ^ b) & f.signBit();
    }
    return multiply(f, a, b);
  }

  static constexpr uint32_t select(Format f, uint32_t a, uint32_t b,
                                   bool larger) {
    if (M == Mutant::kMaxDropsNan && f.isNan(a) != f.isNan(b)) {
      return f.isNan(a) ? b : a;
    }
    if (f.isNan(a) || f.isNan(b)) {
      return nan(f, a, b);
    }
    if (M == Mutant::kMaxZerosEqual && f.isZero(a) && f.isZero(b)) {
      return a;
    }
    const bool aLarger = orderKey(f, a) >= orderKey(f, b);
    return aLarger == larger ? a : b;
  }
};

} // namespace kiln::isa::oracle
