// SPDX-License-Identifier: Apache-2.0
//
// Facts: what is known of a run-time integer while a kernel is built: a range,
// a divisor, and whether the ends of the range are really reached. They let
// the builder check counts and offsets that are no constants.
//
//   Facts i = Facts::iteration({0, 96}, 32);      // 0..64, multiple of 32
//   Facts bytes = i * Facts::constant(2);
//   bytes.divisor % 32 == 0
//
// `reachesHigh` is only claimed where it is certain: constants, loop variables
// with constant bounds, and what is monotonic in a single one of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace kiln::tik {

struct Facts {
  static constexpr int64_t kLimit = int64_t{1} << 52;

  int64_t low = -kLimit;
  int64_t high = kLimit;
  int64_t divisor = 1; // 0: of everything (the constant 0)
  bool reachesLow = false;
  bool reachesHigh = false;

  static Facts constant(int64_t value) {
    const bool far = value < -kLimit || value > kLimit;
    return {value, value, far ? 1 : value < 0 ? -value : value, true, true};
  }
  static Facts atLeast(int64_t low) { return {low, kLimit, 1, false, false}; }
  /// Values of a loop variable.
  static Facts iteration(const Facts &from, const Facts &to,
                         const Facts &step) {
    Facts f;
    f.divisor = std::gcd(from.divisor, step.divisor);
    f.low = from.low;
    f.high = std::max(from.low, clamp(__int128{to.high} - 1));
    if (from.isConstant() && to.isConstant() && step.isConstant() &&
        step.low > 0 && to.low > from.low) {
      const __int128 steps = (__int128{to.low} - from.low - 1) / step.low;
      f.high = clamp(from.low + steps * step.low);
      f.reachesLow = f.reachesHigh = true;
    }
    return f;
  }

  bool isConstant() const { return low == high; }
  bool isMultipleOf(int64_t n) const { return divisor % n == 0; }

  static int64_t clamp(__int128 v) {
    return v > kLimit    ? kLimit
           : v < -kLimit ? -kLimit
                         : static_cast<int64_t>(v);
  }
};

inline Facts operator+(const Facts &a, const Facts &b) {
  return {
      Facts::clamp(__int128{a.low} + b.low),
      Facts::clamp(__int128{a.high} + b.high), std::gcd(a.divisor, b.divisor),
      (a.isConstant() && b.reachesLow) || (b.isConstant() && a.reachesLow),
      (a.isConstant() && b.reachesHigh) || (b.isConstant() && a.reachesHigh)};
}

inline Facts negate(const Facts &a) {
  return {Facts::clamp(-__int128{a.high}), Facts::clamp(-__int128{a.low}),
          a.divisor, a.reachesHigh, a.reachesLow};
}
inline Facts operator-(const Facts &a, const Facts &b) { return a + negate(b); }

inline Facts operator*(const Facts &a, const Facts &b) {
  if (b.isConstant() && !a.isConstant()) {
    return b * a;
  }
  const __int128 products[] = {
      __int128{a.low} * b.low, __int128{a.low} * b.high,
      __int128{a.high} * b.low, __int128{a.high} * b.high};
  Facts f;
  f.low = Facts::clamp(*std::min_element(products, products + 4));
  f.high = Facts::clamp(*std::max_element(products, products + 4));
  const __int128 divisor = __int128{a.divisor} * b.divisor;
  f.divisor = divisor > Facts::kLimit ? std::max(a.divisor, b.divisor)
                                      : static_cast<int64_t>(divisor);
  if (a.isConstant()) {
    f.reachesLow = a.low >= 0 ? b.reachesLow : b.reachesHigh;
    f.reachesHigh = a.low >= 0 ? b.reachesHigh : b.reachesLow;
  }
  return f;
}

inline Facts minimum(const Facts &a, const Facts &b) {
  const bool single = a.isConstant() || b.isConstant();
  return {std::min(a.low, b.low), std::min(a.high, b.high),
          std::gcd(a.divisor, b.divisor),
          single && a.reachesLow && b.reachesLow,
          single && a.reachesHigh && b.reachesHigh};
}
inline Facts maximum(const Facts &a, const Facts &b) {
  return negate(minimum(negate(a), negate(b)));
}

/// Either of the two.
inline Facts either(const Facts &a, const Facts &b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high),
          std::gcd(a.divisor, b.divisor), false, false};
}

/// (a + bias) / b for a constant b > 0, rounded down; bias 0 or b - 1.
inline Facts divide(const Facts &a, const Facts &b, bool up) {
  if (!b.isConstant() || b.low <= 0) {
    return a.low >= 0 && b.low > 0 ? Facts{0, a.high, 1, false, false}
                                   : Facts{};
  }
  const int64_t bias = up ? b.low - 1 : 0;
  if (a.low < 0) { // rounded toward 0, whatever it is for
    return a.high >= Facts::kLimit
               ? Facts{}
               : Facts{a.low,
                       a.high < 0
                           ? 0
                           : Facts::clamp((__int128{a.high} + bias) / b.low),
                       1, false, false};
  }
  const bool exact = a.divisor % b.low == 0;
  return {Facts::clamp((__int128{a.low} + bias) / b.low),
          a.high >= Facts::kLimit
              ? Facts::kLimit
              : Facts::clamp((__int128{a.high} + bias) / b.low),
          exact ? a.divisor / b.low : 1, a.reachesLow, a.reachesHigh};
}

inline Facts remainder(const Facts &a, const Facts &b) {
  if (!b.isConstant() || b.low <= 0 || a.low < 0) {
    return {};
  }
  return {0, std::min(b.low - 1, a.high), std::gcd(a.divisor, b.divisor), false,
          false};
}

} // namespace kiln::tik
