// SPDX-License-Identifier: Apache-2.0
//
// The expression code of plans: stack code over 64-bit integers, used for
// offsets, sizes, block counts and kernel constants.
//
//   Expr size{{ExprOp::kSymbol, ExprOp::kConstant, ExprOp::kMul}, {0, 64}};
//   Result<int64_t> bytes = evaluate(size, symbols);   // symbols[0] * 64
//
// An operator pops its operands (right one on top) and pushes its result.
// `values` holds one operand per kConstant (the value) and kSymbol (its
// index), in order. Pure functions, any thread.
#pragma once

#include "isa/support/status.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace kiln::hal {

enum class ExprOp : uint8_t {
  kConstant,
  kSymbol,
  kAdd,
  kSub,
  kMul,
  kFloorDiv,
  kCeilDiv,
  kMod, // sign of the divisor, as floor division leaves it
  kMin,
  kMax,
  kLess, // 1 or 0
  kEqual // 1 or 0
};
constexpr unsigned kNumExprOps = 12;

struct Expr {
  std::vector<ExprOp> ops;
  std::vector<int64_t> values;

  /// The expression that is always `value`.
  static Expr constant(int64_t value) { return {{ExprOp::kConstant}, {value}}; }
  bool operator==(const Expr &) const = default;
};

/// Checks stack depth, operand count and symbol indices: an expression that
/// passes fails evaluate() only by overflow or a division by zero.
/// kInvalidArgument names the operator.
Status verify(const Expr &expr, size_t symbolCount);

/// The value of a verified expression; kInvalidArgument on overflow or a
/// divisor of zero. An expression that is not well formed is refused too.
Result<int64_t> evaluate(const Expr &expr, std::span<const int64_t> symbols);

/// The value of an expression that is a single constant.
std::optional<int64_t> constantValue(const Expr &expr);

} // namespace kiln::hal
