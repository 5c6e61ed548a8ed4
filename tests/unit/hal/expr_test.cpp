// SPDX-License-Identifier: Apache-2.0
#include "hal/format/expr.h"

#include <gtest/gtest.h>

#include <limits>

namespace kiln::hal {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

Expr binary(ExprOp op, int64_t a, int64_t b) {
  return {{ExprOp::kConstant, ExprOp::kConstant, op}, {a, b}};
}

int64_t value(ExprOp op, int64_t a, int64_t b) {
  Result<int64_t> r = evaluate(binary(op, a, b), {});
  EXPECT_TRUE(r) << r.status().message();
  return r ? *r : -999;
}

TEST(Expr, ComputesEveryOperator) {
  EXPECT_EQ(value(ExprOp::kAdd, 3, -5), -2);
  EXPECT_EQ(value(ExprOp::kSub, 3, -5), 8);
  EXPECT_EQ(value(ExprOp::kMul, 3, -5), -15);
  EXPECT_EQ(value(ExprOp::kMin, 3, -5), -5);
  EXPECT_EQ(value(ExprOp::kMax, 3, -5), 3);
  EXPECT_EQ(value(ExprOp::kLess, 3, -5), 0);
  EXPECT_EQ(value(ExprOp::kLess, -5, 3), 1);
  EXPECT_EQ(value(ExprOp::kEqual, 4, 4), 1);
  EXPECT_EQ(value(ExprOp::kEqual, 4, 5), 0);
}

TEST(Expr, DividesTowardsMinusInfinity) {
  EXPECT_EQ(value(ExprOp::kFloorDiv, 7, 2), 3);
  EXPECT_EQ(value(ExprOp::kFloorDiv, -7, 2), -4);
  EXPECT_EQ(value(ExprOp::kCeilDiv, 7, 2), 4);
  EXPECT_EQ(value(ExprOp::kCeilDiv, -7, 2), -3);
  EXPECT_EQ(value(ExprOp::kCeilDiv, 8, 2), 4);
  EXPECT_EQ(value(ExprOp::kMod, -7, 2), 1);
  EXPECT_EQ(value(ExprOp::kMod, 7, -2), -1);
}

TEST(Expr, ReadsSymbolsInOrder) {
  Expr e{{ExprOp::kSymbol, ExprOp::kConstant, ExprOp::kMul, ExprOp::kSymbol,
          ExprOp::kSub},
         {1, 64, 0}};
  EXPECT_EQ(*evaluate(e, std::vector<int64_t>{5, 2}), 2 * 64 - 5);
}

TEST(Expr, ReportsOverflowAndZeroDivisors) {
  EXPECT_FALSE(evaluate(binary(ExprOp::kAdd, kMax, 1), {}));
  EXPECT_FALSE(evaluate(binary(ExprOp::kSub, kMin, 1), {}));
  EXPECT_FALSE(evaluate(binary(ExprOp::kMul, kMax, 2), {}));
  EXPECT_FALSE(evaluate(binary(ExprOp::kFloorDiv, kMin, -1), {}));
  EXPECT_FALSE(evaluate(binary(ExprOp::kMod, 1, 0), {}));
  EXPECT_FALSE(evaluate(binary(ExprOp::kCeilDiv, 1, 0), {}));
}

TEST(Expr, RefusesCodeThatIsNotWellFormed) {
  EXPECT_FALSE(verify({{}, {}}, 0));
  EXPECT_FALSE(verify({{ExprOp::kAdd}, {}}, 0));
  EXPECT_FALSE(verify({{ExprOp::kConstant}, {}}, 0));
  EXPECT_FALSE(verify({{ExprOp::kConstant}, {1, 2}}, 0));
  EXPECT_FALSE(verify({{ExprOp::kConstant, ExprOp::kConstant}, {1, 2}}, 0));
  EXPECT_FALSE(verify({{ExprOp::kSymbol}, {0}}, 0));
  EXPECT_FALSE(verify({{ExprOp::kSymbol}, {-1}}, 1));
  EXPECT_FALSE(verify({{static_cast<ExprOp>(12)}, {}}, 0));
  Expr deep;
  deep.ops.assign(1000, ExprOp::kConstant);
  deep.values.assign(1000, 1);
  deep.ops.insert(deep.ops.end(), 999, ExprOp::kAdd);
  EXPECT_FALSE(verify(deep, 0));
}

} // namespace
} // namespace kiln::hal
