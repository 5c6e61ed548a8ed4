// SPDX-License-Identifier: Apache-2.0
//
// The vector unit's and FIX's arithmetic in integers, one element at a time.
//
//   using V = VectorOracle<>;
//   uint32_t r = V::binary(BinaryOp::kMax, ElementType::F16, a, b);
//   uint32_t s = V::rowSum(ElementType::F16, row);  // one rounding at the end
//
// Elements are bit patterns in the low bits of a uint32_t; the bits above the
// type's width are ignored in operands and zero in results.
//
// Floats: IEEE with one rounding to nearest even (a bf16 operation is exact
// and rounded once to bf16), canonical NaN. Integers wrap in add, sub, mul,
// madd and sums.
// Casts round by mode; integers saturate, NaN becomes 0; floats overflow as
// the rounding mode says. A row sum: lane j = +0 plus elements e = j, j+64,
// ... ascending, then lane j + lane j+32, j+16, ... j+1; lanes start from +0,
// so a missing element counts as +0. A column sum: +0 plus the rows
// ascending. f16 and bf16 sum in f32 and round once.
#pragma once

#include "isa/numerics/elementary.h"
#include "isa/numerics/error_function.h"
#include "isa/numerics/logarithm.h"
#include "isa/numerics/soft_float.h"
#include "isa/numerics/trigonometry.h"
#include "isa/numerics/vector_types.h"

#include <span>
#include <vector>

namespace kiln::isa::oracle {

constexpr unsigned bitsOf(ElementType t) { return 8 * sizeOf(t); }
constexpr bool isSigned(ElementType t) {
  return t != ElementType::U8 && t != ElementType::U16;
}
constexpr uint32_t maskOf(ElementType t) {
  return static_cast<uint32_t>((uint64_t(1) << bitsOf(t)) - 1);
}
/// The value of an integer element.
constexpr int64_t integerValue(ElementType t, uint32_t x) {
  const auto v = static_cast<int64_t>(x & maskOf(t));
  return isSigned(t) && (v >> (bitsOf(t) - 1)) != 0
             ? v - (int64_t(1) << bitsOf(t))
             : v;
}
constexpr int64_t smallest(ElementType t) {
  return isSigned(t) ? -(int64_t(1) << (bitsOf(t) - 1)) : 0;
}
constexpr int64_t largest(ElementType t) {
  return (int64_t(1) << (bitsOf(t) - (isSigned(t) ? 1 : 0))) - 1;
}
constexpr int64_t saturate(ElementType t, int64_t v) {
  return std::clamp(v, smallest(t), largest(t));
}

template <Mutant M = Mutant::kNone> struct VectorOracle {
  using F = SoftFloat<M>;

  static constexpr uint32_t binary(BinaryOp op, ElementType t, uint32_t a,
                                   uint32_t b) {
    a &= maskOf(t);
    b &= maskOf(t);
    if (isLogic(op)) {
      return logic(op, t, a, b);
    }
    if (!isFloat(t)) {
      return integerBinary(op, t, a, b);
    }
    const Format f = formatOf(t);
    if (M == Mutant::kBf16TwoRoundings && t == ElementType::BF16) {
      return F::convert(kF32, kBf16, floatBinary(op, kF32, a << 16, b << 16));
    }
    return floatBinary(op, f, a, b);
  }

  static constexpr bool compare(CompareOp op, ElementType t, uint32_t a,
                                uint32_t b) {
    a &= maskOf(t);
    b &= maskOf(t);
    if (isFloat(t)) {
      const Format f = formatOf(t);
      if (f.isNan(a) || f.isNan(b)) {
        return M == Mutant::kCompareNanOrdered ? op != CompareOp::kNe
                                               : op == CompareOp::kNe;
      }
      if (f.isZero(a) && f.isZero(b) && M != Mutant::kCompareZerosDiffer) {
        a = b;
      }
      return holds(op, F::orderKey(f, a), F::orderKey(f, b));
    }
    if (M == Mutant::kCompareUnsigned) {
      return holds(op, int64_t(a), int64_t(b));
    }
    return holds(op, integerValue(t, a), integerValue(t, b));
  }

  /// a * b + c, one rounding.
  static constexpr uint32_t multiplyAdd(ElementType t, uint32_t a, uint32_t b,
                                        uint32_t c) {
    if (!isFloat(t)) {
      return binary(BinaryOp::kAdd, t, binary(BinaryOp::kMul, t, a, b), c);
    }
    if (M == Mutant::kBf16TwoRoundings && t == ElementType::BF16) {
      return F::convert(kF32, kBf16,
                        F::multiplyAdd(kF32, a << 16, b << 16, c << 16));
    }
    return F::multiplyAdd(formatOf(t), a & maskOf(t), b & maskOf(t),
                          c & maskOf(t));
  }

  static constexpr uint32_t unary(UnaryOp op, ElementType t, uint32_t a) {
    const Format f = formatOf(t);
    a &= maskOf(t);
    switch (op) {
    case UnaryOp::kExp:
      return exp(f, SoftFloat<>::convert(f, kF32, a));
    case UnaryOp::kRec:
      return F::divide(f, oneOf(f), a);
    case UnaryOp::kSqrt:
      return F::squareRoot(f, a);
    case UnaryOp::kNot:
      return ~a & maskOf(t);
    default:
      return function(op, f, SoftFloat<>::convert(f, kF32, a));
    }
  }

  /// The unrounded value of a function (exp, 1/x and sqrt apart) of a nonzero
  /// finite f32, positive for ln and 1/sqrt.
  static constexpr elementary::Scaled scaled(UnaryOp op, uint32_t x) {
    auto mantissa = static_cast<uint32_t>(F::unpack(kF32, x).mantissa);
    int field = std::max(static_cast<int>((x >> 23) & 0xff), 1);
    const bool negative = kF32.isNegative(x);
    elementary::Scaled r;
    switch (op) {
    case UnaryOp::kTanh: {
      const elementary::TanhResult t = elementary::tanh(mantissa, field);
      return {negative, t.exponent, t.mantissa};
    }
    case UnaryOp::kErf:
      r = elementary::erf(mantissa, field);
      r.negative = negative;
      return r;
    case UnaryOp::kSin:
    case UnaryOp::kCos:
      return elementary::sinOrCos(op == UnaryOp::kCos, negative, mantissa,
                                  field);
    case UnaryOp::kRsqrt:
      return elementary::reciprocalRoot(mantissa, field);
    default: // kLn
      while (mantissa != 0 && mantissa < 0x800000) {
        mantissa <<= 1;
        --field;
      }
      return elementary::ln(mantissa, field);
    }
  }

  /// exp(a - b): the difference rounds to f32, the result to `to`.
  static constexpr uint32_t expDifference(ElementType from, ElementType to,
                                          uint32_t a, uint32_t b) {
    const Format f = formatOf(from);
    a &= maskOf(from);
    b &= maskOf(from);
    if (M == Mutant::kExpDifferenceInType) {
      return exp(formatOf(to), F::convert(f, kF32, F::subtract(f, a, b)));
    }
    const uint32_t difference =
        F::subtract(kF32, F::convert(f, kF32, a), F::convert(f, kF32, b));
    return exp(formatOf(to), difference);
  }

  static constexpr uint32_t cast(ElementType from, ElementType to,
                                 RoundingMode mode, uint32_t x) {
    x &= maskOf(from);
    if (isFloat(from) && isFloat(to)) {
      return F::convert(formatOf(from), formatOf(to), x, mode);
    }
    if (isFloat(to)) {
      return F::fromInteger(formatOf(to), integerValue(from, x), mode);
    }
    int64_t value = 0;
    if (!isFloat(from)) {
      value = integerValue(from, x);
    } else if (formatOf(from).isNan(x)) {
      value = M == Mutant::kCastNanSaturates ? largest(to) : 0;
    } else {
      value = F::toInteger(formatOf(from), x, mode);
    }
    if (M != Mutant::kCastWraps) {
      value = saturate(to, value);
    }
    return static_cast<uint32_t>(value) & maskOf(to);
  }

  /// Sum of a row. 8 and 16-bit integers wrap.
  static uint32_t rowSum(ElementType t, std::span<const uint32_t> row) {
    constexpr size_t kLanes = M == Mutant::kSum32Lanes ? 32 : kReduceLanes;
    if (M == Mutant::kSumSequential) {
      return columnSum(t, row);
    }
    std::vector<uint32_t> lane(kLanes, 0);
    for (size_t i = 0; i < row.size(); ++i) {
      const size_t e = M == Mutant::kSumDescending ? row.size() - 1 - i : i;
      lane[e % kLanes] = accumulate(t, lane[e % kLanes], row[e]);
    }
    for (size_t half = kLanes / 2; half > 0; half /= 2) {
      for (size_t j = 0; j < half; ++j) {
        lane[j] = M == Mutant::kSumAdjacentPairs
                      ? addSums(t, lane[2 * j], lane[2 * j + 1])
                      : addSums(t, lane[j], lane[j + half]);
      }
    }
    return finishSum(t, lane[0]);
  }

  /// Sum down a column.
  static uint32_t columnSum(ElementType t, std::span<const uint32_t> column) {
    uint32_t sum = 0;
    for (size_t i = 0; i < column.size(); ++i) {
      const bool back = M == Mutant::kSumDescending;
      sum = accumulate(t, sum, column[back ? column.size() - 1 - i : i]);
    }
    return finishSum(t, sum);
  }

  /// Maximum or minimum of a row or a column: order does not matter. Not
  /// empty.
  static uint32_t extreme(BinaryOp op, ElementType t,
                          std::span<const uint32_t> row) {
    uint32_t result = binary(op, t, row[0], row[0]);
    for (const uint32_t x : row.subspan(1)) {
      result = binary(op, t, result, x);
    }
    return result;
  }

  /// The lowest index of the extreme, the first NaN where there is one.
  static size_t argExtreme(BinaryOp op, ElementType t,
                           std::span<const uint32_t> row) {
    size_t best = 0;
    for (size_t i = 1; i < row.size(); ++i) {
      const uint32_t x = row[i], y = row[best];
      if (M == Mutant::kArgSkipsNan && isFloat(t) &&
          (formatOf(t).isNan(x) || formatOf(t).isNan(y))) {
        best = formatOf(t).isNan(y) ? i : best;
        continue;
      }
      if (M == Mutant::kArgZerosEqual && isFloat(t) && formatOf(t).isZero(x) &&
          formatOf(t).isZero(y)) {
        continue;
      }
      const uint32_t both = binary(op, t, y, x);
      const bool changes = both != binary(op, t, y, y);
      if (changes || (M == Mutant::kArgLast && both == binary(op, t, x, x))) {
        best = i;
      }
    }
    return best;
  }

  /// Whether a key comes strictly before another in a sorted list.
  static constexpr bool sortBefore(ElementType t, uint32_t a, uint32_t b) {
    a &= maskOf(t);
    b &= maskOf(t);
    if (!isFloat(t)) {
      return integerValue(t, a) > integerValue(t, b);
    }
    const Format f = formatOf(t);
    if (f.isNan(a) || f.isNan(b)) {
      return M == Mutant::kSortNanLast ? !f.isNan(a) && f.isNan(b)
                                       : f.isNan(a) && !f.isNan(b);
    }
    if (M == Mutant::kSortZerosEqual && f.isZero(a) && f.isZero(b)) {
      return false;
    }
    return F::orderKey(f, a) > F::orderKey(f, b);
  }

  /// Positions of the keys in sorted order, equal ones as they came.
  static std::vector<size_t> sorted(ElementType t,
                                    std::span<const uint32_t> keys) {
    std::vector<size_t> order;
    for (size_t i = 0; i < keys.size(); ++i) {
      size_t at = order.size();
      while (at > 0 && (M == Mutant::kSortUnstable
                            ? !sortBefore(t, keys[order[at - 1]], keys[i])
                            : sortBefore(t, keys[i], keys[order[at - 1]]))) {
        --at;
      }
      order.insert(order.begin() + static_cast<std::ptrdiff_t>(at), i);
    }
    return order;
  }

  /// Element e of a sequence: start + e * step, one rounding.
  static constexpr uint32_t sequence(ElementType t, uint32_t start,
                                     uint32_t step, uint32_t e) {
    if (!isFloat(t)) {
      return (start + step * e) & maskOf(t);
    }
    const Format f = formatOf(t);
    const bool finite =
        !f.isNan(start) && !f.isInf(start) && !f.isNan(step) && !f.isInf(step);
    if (!finite || M == Mutant::kSequenceTwoRoundings) {
      return F::add(f, start, F::multiply(f, step, F::fromInteger(f, e)));
    }
    const Magnitude index{false, 0, e};
    return F::pack(f, F::addExact(F::multiplyExact(F::unpack(f, step), index),
                                  F::unpack(f, start)));
  }

  /// FIX: f32(accumulator) * scale -> activation -> cast.
  static constexpr uint32_t fix(const FixMode &mode, uint32_t accumulator) {
    if (mode.out == ElementType::I32) {
      return accumulator;
    }
    uint32_t x = accumulator;
    if (mode.accumulator == ElementType::I32) {
      x = F::fromInteger(kF32, static_cast<int32_t>(accumulator));
    } else if (kF32.isNan(x)) {
      x = M == Mutant::kNanNotCanonical ? x : kF32.nan();
    }
    if (M == Mutant::kFixReluFirst) {
      x = activate(mode, x);
    }
    if (M == Mutant::kFixScaleFused && mode.scaled &&
        mode.out == ElementType::F16 && finite(x) && finite(mode.scale) &&
        !(mode.activation != Activation::kNone && kF32.isNegative(x))) {
      return F::pack(kF16, F::multiplyExact(F::unpack(kF32, x),
                                            F::unpack(kF32, mode.scale)));
    }
    if (M == Mutant::kFixAccExact && mode.scaled && finite(mode.scale) &&
        mode.accumulator == ElementType::I32) {
      const int64_t v = static_cast<int32_t>(accumulator);
      const Magnitude exact{v < 0, 0, static_cast<Wide>(v < 0 ? -v : v)};
      x = F::pack(kF32, F::multiplyExact(exact, F::unpack(kF32, mode.scale)));
    } else if (mode.scaled) {
      x = F::multiply(kF32, x, mode.scale);
    }
    if (M != Mutant::kFixReluFirst) {
      x = activate(mode, x);
    }
    if (isFloat(mode.out)) {
      return mode.out == ElementType::F32
                 ? x
                 : F::convert(kF32, formatOf(mode.out), x);
    }
    return fixInteger(mode, x);
  }

private:
  static constexpr bool holds(CompareOp op, int64_t x, int64_t y) {
    switch (op) {
    case CompareOp::kEq:
      return x == y;
    case CompareOp::kNe:
      return x != y;
    case CompareOp::kLt:
      return x < y;
    case CompareOp::kLe:
      return M == Mutant::kCompareLeIsLt ? x < y : x <= y;
    case CompareOp::kGt:
      return x > y;
    case CompareOp::kGe:
      return x >= y;
    }
    return false;
  }

  static constexpr uint32_t oneOf(Format f) {
    return static_cast<uint32_t>(f.bias()) << f.mantissaBits;
  }
  static constexpr bool finite(uint32_t x) {
    return !kF32.isNan(x) && !kF32.isInf(x);
  }

  static constexpr uint32_t activate(const FixMode &mode, uint32_t x) {
    switch (mode.activation) {
    case Activation::kNone:
      return x;
    case Activation::kRelu:
      return relu(x);
    case Activation::kLeaky:
    case Activation::kPrelu: {
      const bool below = compare(CompareOp::kLt, ElementType::F32, x, 0);
      return below != (M == Mutant::kLeakyScalesPositive)
                 ? F::multiply(kF32, x, mode.parameter)
                 : x;
    }
    case Activation::kClip:
      return M == Mutant::kClipKeepsNegative
                 ? F::minimum(kF32, x, mode.parameter)
                 : F::minimum(kF32, relu(x), mode.parameter);
    }
    return x;
  }

  /// Maximum of x and +0.
  static constexpr uint32_t relu(uint32_t x) {
    if (M == Mutant::kReluKeepsNegativeZero && x == kF32.signBit()) {
      return x;
    }
    if (M == Mutant::kReluDropsNan && kF32.isNan(x)) {
      return 0;
    }
    return F::maximum(kF32, x, 0);
  }

  static constexpr uint32_t fixInteger(const FixMode &mode, uint32_t x) {
    const RoundingMode rounding =
        M == Mutant::kFixTruncates ? RoundingMode::kRtz : RoundingMode::kRne;
    int64_t value =
        kF32.isNan(x) ? 0 : SoftFloat<>::toInteger(kF32, x, rounding);
    if (M == Mutant::kFixZeroPointFirst) {
      value = saturate(mode.out, value);
    }
    value += mode.zeroPoint;
    if (M != Mutant::kFixWraps) {
      value = saturate(mode.out, value);
    }
    return static_cast<uint32_t>(value) & maskOf(mode.out);
  }

  static constexpr uint32_t floatBinary(BinaryOp op, Format f, uint32_t a,
                                        uint32_t b) {
    switch (op) {
    case BinaryOp::kAdd:
      return F::add(f, a, b);
    case BinaryOp::kSub:
      return F::subtract(f, a, b);
    case BinaryOp::kMul:
      return F::multiply(f, a, b);
    case BinaryOp::kDiv:
      return F::divide(f, a, b);
    case BinaryOp::kMax:
      return F::maximum(f, a, b);
    case BinaryOp::kMin:
      return F::minimum(f, a, b);
    default: // on bits or integers
      break;
    }
    return 0;
  }

  static constexpr uint32_t logic(BinaryOp op, ElementType t, uint32_t a,
                                  uint32_t b) {
    const uint32_t bits = op == BinaryOp::kAnd  ? a & b
                          : op == BinaryOp::kOr ? a | b
                                                : a ^ b;
    if (M == Mutant::kLogicCanonicalNan && isFloat(t) &&
        formatOf(t).isNan(bits)) {
      return formatOf(t).nan();
    }
    return bits;
  }

  static constexpr uint32_t shift(BinaryOp op, ElementType t, uint32_t a,
                                  uint32_t count) {
    const unsigned width = bitsOf(t);
    if (M == Mutant::kShiftCountWraps) {
      count %= width;
    }
    const unsigned by = std::min<uint32_t>(count, width);
    if (op == BinaryOp::kShl) {
      return static_cast<uint32_t>(uint64_t(a) << by) & maskOf(t);
    }
    const bool sign = op == BinaryOp::kShr ? M != Mutant::kShrFillsZeros
                                           : M == Mutant::kShrUnsignedFillsSign;
    const int64_t value = sign ? integerValue(t, a) : int64_t(a);
    return static_cast<uint32_t>(value >> by) & maskOf(t);
  }

  static constexpr uint32_t integerBinary(BinaryOp op, ElementType t,
                                          uint32_t a, uint32_t b) {
    if (isShift(op)) {
      return shift(op, t, a, b);
    }
    const int64_t x = integerValue(t, a), y = integerValue(t, b);
    int64_t result = 0;
    switch (op) {
    case BinaryOp::kAdd:
      result = x + y;
      break;
    case BinaryOp::kSub:
      result = x - y;
      break;
    case BinaryOp::kMul:
      result = x * y;
      break;
    case BinaryOp::kDiv: // not an instruction
      break;
    case BinaryOp::kMax:
      result = std::max(x, y);
      break;
    case BinaryOp::kMin:
      result = std::min(x, y);
      break;
    default: // above
      break;
    }
    if (M == Mutant::kIntegersSaturate) {
      result = saturate(t, result);
    }
    return static_cast<uint32_t>(result) & maskOf(t);
  }

  static constexpr uint32_t exp(Format to, uint32_t x) {
    if (M == Mutant::kExpTwoRoundings && to.mantissaBits != 23) {
      return SoftFloat<>::convert(kF32, to, VectorOracle<>::exp(kF32, x));
    }
    if (kF32.isNan(x)) {
      return to.nan();
    }
    const bool negative = kF32.isNegative(x);
    const auto field = static_cast<int>((x >> 23) & 0xff);
    if (field >= 134) { // |x| >= 128, or infinite
      return negative ? 0 : to.infinity();
    }
    const auto mantissa = static_cast<uint32_t>(F::unpack(kF32, x).mantissa);
    const elementary::Exp2Result r =
        elementary::exp(negative, mantissa, std::max(field, 1));
    return F::pack(to, {false, r.exponent - 62, r.mantissa});
  }

  /// A function of an f32 argument, rounded once to `to`.
  static constexpr uint32_t function(UnaryOp op, Format to, uint32_t x) {
    if (M == Mutant::kFunctionTwoRoundings && to.mantissaBits != 23) {
      return SoftFloat<>::convert(kF32, to,
                                  VectorOracle<>::function(op, kF32, x));
    }
    if (kF32.isNan(x)) {
      return to.nan();
    }
    const uint32_t sign = kF32.isNegative(x) ? to.signBit() : 0;
    const uint32_t one = static_cast<uint32_t>(to.bias()) << to.mantissaBits;
    if (op == UnaryOp::kLn || op == UnaryOp::kRsqrt) {
      if (kF32.isZero(x)) {
        return op == UnaryOp::kLn ? to.signBit() | to.infinity()
                                  : sign | to.infinity();
      }
      if (sign != 0) {
        return M == Mutant::kLnOfMagnitude && op == UnaryOp::kLn
                   ? VectorOracle<>::function(op, to, x ^ kF32.signBit())
                   : to.nan();
      }
      if (kF32.isInf(x)) {
        return op == UnaryOp::kLn ? to.infinity() : 0;
      }
    } else if (kF32.isInf(x)) {
      return op == UnaryOp::kSin || op == UnaryOp::kCos ? to.nan() : sign | one;
    }
    if (M == Mutant::kSinReducedCoarsely && op == UnaryOp::kSin &&
        ((x >> 23) & 0xff) > 140) {
      x &= ~uint32_t{7};
    }
    const elementary::Scaled r = scaled(op, x);
    return F::pack(to, {r.negative, r.exponent, r.mantissa});
  }

  template <Mutant> friend struct VectorOracle;

  /// One element onto a running sum (f32 bits for floats).
  static constexpr uint32_t accumulate(ElementType t, uint32_t sum,
                                       uint32_t x) {
    if (!isFloat(t)) {
      const auto value = static_cast<uint32_t>(integerValue(t, x));
      return M == Mutant::kSumSaturates
                 ? static_cast<uint32_t>(
                       saturate(t, int64_t(static_cast<int32_t>(sum)) +
                                       static_cast<int32_t>(value)))
                 : sum + value;
    }
    const Format f = formatOf(t);
    const uint32_t next =
        F::add(kF32, sum, SoftFloat<>::convert(f, kF32, x & maskOf(t)));
    if (M == Mutant::kSumRoundsEachStep) {
      return SoftFloat<>::convert(f, kF32, SoftFloat<>::convert(kF32, f, next));
    }
    return next;
  }
  static constexpr uint32_t addSums(ElementType t, uint32_t a, uint32_t b) {
    return isFloat(t) ? F::add(kF32, a, b) : a + b;
  }
  static constexpr uint32_t finishSum(ElementType t, uint32_t sum) {
    return isFloat(t) ? SoftFloat<>::convert(kF32, formatOf(t), sum)
                      : sum & maskOf(t);
  }
};

} // namespace kiln::isa::oracle
