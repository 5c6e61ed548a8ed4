// SPDX-License-Identifier: Apache-2.0
#include "hal/format/expr.h"

#include <algorithm>
#include <limits>
#include <string>

namespace kiln::hal {
namespace {

/// Deeper than any sane size expression; bounds the evaluation stack.
constexpr size_t kMaxDepth = 64;

Status bad(size_t position, const std::string &what) {
  return {StatusCode::kInvalidArgument,
          "expression operator " + std::to_string(position) + ": " + what};
}

bool pushes(ExprOp op) {
  return op == ExprOp::kConstant || op == ExprOp::kSymbol;
}

int64_t floorDiv(int64_t a, int64_t b) {
  int64_t q = a / b;
  return (a % b != 0 && (a < 0) != (b < 0)) ? q - 1 : q;
}

/// Division and remainder; empty for a zero divisor and the one overflow.
std::optional<int64_t> divide(ExprOp op, int64_t a, int64_t b) {
  if (b == 0 || (a == std::numeric_limits<int64_t>::min() && b == -1)) {
    return std::nullopt;
  }
  int64_t floor = floorDiv(a, b);
  if (op == ExprOp::kFloorDiv) {
    return floor;
  }
  int64_t rest = a - floor * b;
  return op == ExprOp::kMod ? rest : floor + (rest != 0);
}

std::optional<int64_t> apply(ExprOp op, int64_t a, int64_t b) {
  int64_t r = 0;
  switch (op) {
  case ExprOp::kAdd:
    return __builtin_add_overflow(a, b, &r) ? std::nullopt : std::optional(r);
  case ExprOp::kSub:
    return __builtin_sub_overflow(a, b, &r) ? std::nullopt : std::optional(r);
  case ExprOp::kMul:
    return __builtin_mul_overflow(a, b, &r) ? std::nullopt : std::optional(r);
  case ExprOp::kMin:
    return std::min(a, b);
  case ExprOp::kMax:
    return std::max(a, b);
  case ExprOp::kLess:
    return a < b;
  case ExprOp::kEqual:
    return a == b;
  default:
    return divide(op, a, b);
  }
}

} // namespace

Status verify(const Expr &expr, size_t symbolCount) {
  size_t depth = 0, used = 0;
  for (size_t i = 0; i < expr.ops.size(); ++i) {
    ExprOp op = expr.ops[i];
    if (static_cast<unsigned>(op) >= kNumExprOps) {
      return bad(i, "unknown operator " +
                        std::to_string(static_cast<unsigned>(op)));
    }
    if (!pushes(op)) {
      if (depth < 2) {
        return bad(i, "needs two operands, the stack holds " +
                          std::to_string(depth));
      }
      --depth;
      continue;
    }
    if (used == expr.values.size()) {
      return bad(i, "has no value");
    }
    int64_t value = expr.values[used++];
    if (op == ExprOp::kSymbol &&
        (value < 0 || static_cast<uint64_t>(value) >= symbolCount)) {
      return bad(i, "symbol " + std::to_string(value) + " of " +
                        std::to_string(symbolCount));
    }
    if (++depth > kMaxDepth) {
      return bad(i, "stack deeper than " + std::to_string(kMaxDepth));
    }
  }
  if (depth != 1 || used != expr.values.size()) {
    return {StatusCode::kInvalidArgument,
            "expression leaves " + std::to_string(depth) +
                " results and uses " + std::to_string(used) + " of " +
                std::to_string(expr.values.size()) +
                " values; expected one result and all values"};
  }
  return Status::ok();
}

Result<int64_t> evaluate(const Expr &expr, std::span<const int64_t> symbols) {
  KILN_RETURN_IF_ERROR(verify(expr, symbols.size()));
  std::vector<int64_t> stack;
  size_t used = 0;
  for (size_t i = 0; i < expr.ops.size(); ++i) {
    ExprOp op = expr.ops[i];
    if (pushes(op)) {
      int64_t value = expr.values[used++];
      stack.push_back(op == ExprOp::kSymbol ? symbols[value] : value);
      continue;
    }
    int64_t b = stack.back();
    stack.pop_back();
    std::optional<int64_t> r = apply(op, stack.back(), b);
    if (!r) {
      return bad(i, "overflow or division by zero with operands " +
                        std::to_string(stack.back()) + " and " +
                        std::to_string(b));
    }
    stack.back() = *r;
  }
  return stack.back();
}

std::optional<int64_t> constantValue(const Expr &expr) {
  if (expr.ops.size() != 1 || expr.values.size() != 1 ||
      expr.ops[0] != ExprOp::kConstant) {
    return std::nullopt;
  }
  return expr.values[0];
}

} // namespace kiln::hal
