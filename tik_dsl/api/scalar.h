// SPDX-License-Identifier: Apache-2.0
//
// Run-time values: numbers that the control core knows only when the kernel
// runs. They are their own type, so that build time and run time cannot be
// mixed up by accident.
//
//   Index count = min(tile, n - i);       // C++ integers join freely
//   Condition first = i == 0;
//   k.when(first, [&] { ... });           // if (first) does not compile
//
// Scalar<T> of an integer T computes in 64 bits (the control core's registers;
// division rounds toward zero). Scalar<bool> has && || !. Scalar<float>,
// Scalar<Half> and Scalar<BFloat16> hold bits and nothing else: the control
// core has no float unit, so arithmetic on them does not compile and the
// message names the vector instruction to use.
//
// A C++ variable of these types names one value: assigning it inside a loop
// does not carry a value around the loop; using it behind the loop is error
// TIK101.
#pragma once

#include "tik_dsl/api/builder_table.h"

#include <concepts>
#include <source_location>

namespace kiln::tik {

/// The author's line: a default argument of every call.
using Line = std::source_location;

struct Half {};     // 16-bit IEEE float
struct BFloat16 {}; // upper half of a float

template <typename T>
concept RunTimeInteger = std::integral<T> && !std::same_as<T, bool>;

namespace detail {

template <typename> inline constexpr bool kNever = false;

template <typename T>
concept FloatBits = std::floating_point<T> || std::same_as<T, Half> ||
                    std::same_as<T, BFloat16>;

constexpr uint32_t kNoFloat = ~0u;
/// The element type that a C++ type of float bits stands for.
template <typename T> constexpr uint32_t floatType() {
  return std::same_as<T, float>      ? KILN_TIK_F32
         : std::same_as<T, Half>     ? KILN_TIK_F16
         : std::same_as<T, BFloat16> ? KILN_TIK_BF16
                                     : kNoFloat;
}

template <typename T, typename Result> Result noFloatArithmetic() {
  static_assert(
      kNever<T>,
      "TIK110: a run-time float is a bit container: the control core has no "
      "float unit; use the vector instruction on a buffer (k.adds, "
      "k.muls, k.maxs, k.mins)");
  return {};
}

inline KilnTikLine toC(const Line &line) {
  return {line.file_name(), line.line(), line.column()};
}

/// What every run-time value is: a handle of a builder.
class Handle {
public:
  const KilnTikTable *table() const { return table_; }
  KilnTikValue handle() const { return handle_; }

protected:
  Handle() = default;
  Handle(const KilnTikTable *table, KilnTikValue handle)
      : table_(table), handle_(handle) {}

private:
  const KilnTikTable *table_ = nullptr;
  KilnTikValue handle_ = 0;
};

} // namespace detail

template <typename T> class Scalar : public detail::Handle {
public:
  Scalar() = default;
  Scalar(const KilnTikTable *table, KilnTikValue handle)
      : Handle(table, handle) {}

  template <typename U = T> explicit operator bool() const {
    static_assert(
        detail::kNever<U>,
        "TIK111: a run-time value is not a C++ bool: the kernel is being "
        "built, not run; write k.when(condition, [&] { ... })");
    return false;
  }
};

using Index = Scalar<int64_t>;
using Condition = Scalar<bool>;

/// A run-time integer or a C++ one, with the author's line.
class Operand {
public:
  template <RunTimeInteger T>
  Operand(T constant, Line line = Line::current())
      : isConstant_(true), constant_(static_cast<int64_t>(constant)),
        line_(line) {}
  template <RunTimeInteger T>
  Operand(const Scalar<T> &value, Line line = Line::current())
      : table_(value.table()), handle_(value.handle()), line_(line) {}

  bool isConstant() const { return isConstant_; }
  int64_t constant() const { return constant_; }
  const Line &line() const { return line_; }
  const KilnTikTable *table() const { return table_; }
  /// The handle; makes one of a constant.
  KilnTikValue handle(const KilnTikTable *table) const {
    if (isConstant_) {
      return table->constant(table->self, constant_);
    }
    if (table_ == nullptr) {
      const KilnTikLine at = detail::toC(line_);
      table->mistake(table->self, 108,
                     "an Index is used that was never given a value", &at);
    }
    return handle_;
  }

private:
  bool isConstant_ = false;
  const KilnTikTable *table_ = nullptr;
  KilnTikValue handle_ = 0;
  int64_t constant_ = 0;
  Line line_;
};

namespace detail {

/// A value of two, by a function of the table; none where neither has a value.
template <typename Result, auto Entry>
Result combine(uint32_t op, const Operand &a, const Operand &b) {
  const KilnTikTable *t = a.table() == nullptr ? b.table() : a.table();
  if (t == nullptr) {
    return {};
  }
  const KilnTikLine line = toC(b.line());
  return {t, (t->*Entry)(t->self, op, a.handle(t), b.handle(t), &line)};
}
inline Index arith(KilnTikArith op, const Operand &a, const Operand &b) {
  return combine<Index, &KilnTikTable::arith>(op, a, b);
}
inline Condition compare(KilnTikCompare op, const Operand &a,
                         const Operand &b) {
  return combine<Condition, &KilnTikTable::compare>(op, a, b);
}

/// The handle of a condition; TIK108 where it was never given a value.
inline KilnTikValue handleOf(const Condition &condition, const KilnTikTable *t,
                             const KilnTikLine &at) {
  if (condition.table() == nullptr) {
    t->mistake(t->self, 108, "a Condition is used that was never given a value",
               &at);
  }
  return condition.handle();
}

inline Condition logic(KilnTikArith op, const Condition &a,
                       const Condition &b) {
  const KilnTikTable *t = a.table();
  if (t == nullptr) {
    return {};
  }
  return {t, t->arith(t->self, op, a.handle(), b.handle(), nullptr)};
}

} // namespace detail

// Integers: run-time (op) either, and C++ (op) run-time.
#define KILN_TIK_OPERATOR(op, result, function, code)                          \
  template <RunTimeInteger T>                                                  \
  result operator op(const Scalar<T> &a, const Operand &b) {                   \
    return detail::function(code, Operand(a, b.line()), b);                    \
  }                                                                            \
  template <RunTimeInteger C> result operator op(C a, const Operand &b) {      \
    return detail::function(code, Operand(a, b.line()), b);                    \
  }                                                                            \
  template <detail::FloatBits T, typename B>                                   \
  result operator op(const Scalar<T> &, const B &) {                           \
    return detail::noFloatArithmetic<T, result>();                             \
  }
KILN_TIK_OPERATOR(+, Index, arith, KILN_TIK_ADD)
KILN_TIK_OPERATOR(-, Index, arith, KILN_TIK_SUB)
KILN_TIK_OPERATOR(*, Index, arith, KILN_TIK_MUL)
KILN_TIK_OPERATOR(/, Index, arith, KILN_TIK_DIV)
KILN_TIK_OPERATOR(%, Index, arith, KILN_TIK_REM)
KILN_TIK_OPERATOR(<, Condition, compare, KILN_TIK_LT)
KILN_TIK_OPERATOR(<=, Condition, compare, KILN_TIK_LE)
KILN_TIK_OPERATOR(>, Condition, compare, KILN_TIK_GT)
KILN_TIK_OPERATOR(>=, Condition, compare, KILN_TIK_GE)
#undef KILN_TIK_OPERATOR

// == and != in both orders and of two run-time values: C++20 would otherwise
// try the arguments in reverse and find two equally good ways.
#define KILN_TIK_EQUALITY(op, code)                                            \
  template <RunTimeInteger T, RunTimeInteger U>                                \
  Condition operator op(const Scalar<T> &a, const Scalar<U> &b) {              \
    return detail::compare(code, a, b);                                        \
  }                                                                            \
  template <RunTimeInteger T, RunTimeInteger C>                                \
  Condition operator op(const Scalar<T> &a, C b) {                             \
    return detail::compare(code, a, b);                                        \
  }                                                                            \
  template <RunTimeInteger C, RunTimeInteger T>                                \
  Condition operator op(C a, const Scalar<T> &b) {                             \
    return detail::compare(code, a, b);                                        \
  }
KILN_TIK_EQUALITY(==, KILN_TIK_EQ)
KILN_TIK_EQUALITY(!=, KILN_TIK_NE)
#undef KILN_TIK_EQUALITY

inline Condition operator&&(const Condition &a, const Condition &b) {
  return detail::logic(KILN_TIK_AND, a, b);
}
inline Condition operator||(const Condition &a, const Condition &b) {
  return detail::logic(KILN_TIK_OR, a, b);
}
inline Condition operator!(const Condition &a) {
  const KilnTikTable *t = a.table();
  return t ? Condition(t, t->logicalNot(t->self, a.handle(), nullptr)) : a;
}

inline Index min(const Operand &a, const Operand &b) {
  return detail::arith(KILN_TIK_MIN, a, b);
}
inline Index max(const Operand &a, const Operand &b) {
  return detail::arith(KILN_TIK_MAX, a, b);
}
/// The least q with q * b >= a, for a >= 0 and b > 0.
inline Index ceilDiv(const Operand &a, const Operand &b) {
  return detail::arith(KILN_TIK_CEIL_DIV, a, b);
}
constexpr int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t max(int64_t a, int64_t b) { return a < b ? b : a; }
constexpr int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t alignUp(int64_t a, int64_t b) { return ceilDiv(a, b) * b; }

/// a where the condition holds, else b.
inline Index select(const Condition &condition, const Operand &a,
                    const Operand &b) {
  const KilnTikTable *t = condition.table();
  if (t == nullptr) {
    return {};
  }
  const KilnTikLine line = detail::toC(a.line());
  return {t, t->select(t->self, condition.handle(), a.handle(t), b.handle(t),
                       &line)};
}

/// The author knows that `value` is a multiple of `n`; alignment checks
/// believe it, the engines check it.
inline Index assumeMultiple(const Index &value, int64_t n,
                            Line line = Line::current()) {
  const KilnTikTable *t = value.table();
  if (t == nullptr) {
    return {};
  }
  const KilnTikLine at = detail::toC(line);
  return {t, t->assumeMultiple(t->self, value.handle(), n, &at)};
}

} // namespace kiln::tik
