// SPDX-License-Identifier: Apache-2.0
#include "compiler/constants/byte_ops.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace kiln {
namespace {

using Shape = std::vector<int64_t>;

// 0, 1, 2, ... in the given shape.
Constant counting(Shape shape, ElementType type = ElementType::kF32) {
  Constant result = makeConstant(type, std::move(shape));
  for (int64_t i = 0, n = result.elementCount(); i < n; ++i) {
    storeElement(result, i, static_cast<double>(i));
  }
  return result;
}

std::vector<double> values(const Constant &constant) {
  std::vector<double> result;
  for (int64_t i = 0, n = constant.elementCount(); i < n; ++i) {
    result.push_back(loadElement(constant, i));
  }
  return result;
}

using Values = std::vector<double>;

TEST(ByteOps, TransposesEveryElementSize) {
  for (ElementType type : {ElementType::kU8, ElementType::kF16,
                           ElementType::kF32, ElementType::kI64}) {
    Constant t =
        transposeConstant(counting({2, 3}, type), std::vector<int64_t>{1, 0});
    EXPECT_EQ(t.shape, Shape({3, 2}));
    EXPECT_EQ(values(t), Values({0, 3, 1, 4, 2, 5})) << elementName(type);
  }
}

TEST(ByteOps, TransposesThreeDimensions) {
  Constant t =
      transposeConstant(counting({2, 2, 3}), std::vector<int64_t>{2, 0, 1});
  EXPECT_EQ(t.shape, Shape({3, 2, 2}));
  EXPECT_EQ(values(t), Values({0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11}));
}

TEST(ByteOps, PadsWithAValue) {
  Constant p = padConstant(counting({1, 2}), std::vector<int64_t>{1, 0},
                           std::vector<int64_t>{0, 1}, 9);
  EXPECT_EQ(p.shape, Shape({2, 3}));
  EXPECT_EQ(values(p), Values({9, 9, 9, 0, 1, 9}));
}

TEST(ByteOps, SlicesWithSteps) {
  Constant s =
      sliceConstant(counting({4, 5}), std::vector<int64_t>{1, 0},
                    std::vector<int64_t>{2, 3}, std::vector<int64_t>{2, 2});
  EXPECT_EQ(s.shape, Shape({2, 3}));
  EXPECT_EQ(values(s), Values({5, 7, 9, 15, 17, 19}));
}

TEST(ByteOps, ConcatenatesAlongAnInnerAxis) {
  Constant a = counting({2, 1}), b = counting({2, 2});
  const Constant *parts[] = {&a, &b};
  Constant c = concatConstants(parts, 1);
  EXPECT_EQ(c.shape, Shape({2, 3}));
  EXPECT_EQ(values(c), Values({0, 0, 1, 1, 2, 3}));
}

// IEEE 754: nearest, ties to even, overflow to infinity.
TEST(ByteOps, RoundsToHalfAndBfloat) {
  auto cast = [](double value, ElementType type) {
    return loadElement(
        castConstant(splatConstant(ElementType::kF32, {1}, value), type), 0);
  };
  EXPECT_EQ(cast(2049, ElementType::kF16), 2048); // tie, down to even
  EXPECT_EQ(cast(2051, ElementType::kF16), 2052); // tie, up to even
  EXPECT_EQ(cast(65519, ElementType::kF16), 65504);
  EXPECT_EQ(cast(65520, ElementType::kF16),
            std::numeric_limits<double>::infinity());
  EXPECT_EQ(cast(std::ldexp(1.0, -25), ElementType::kF16), 0);
  EXPECT_EQ(cast(std::ldexp(1.5, -24), ElementType::kF16),
            std::ldexp(1.0, -23));
  EXPECT_EQ(cast(257, ElementType::kBf16), 256);
  EXPECT_EQ(cast(259, ElementType::kBf16), 260);
  EXPECT_TRUE(std::isnan(
      cast(std::numeric_limits<double>::quiet_NaN(), ElementType::kBf16)));
}

TEST(ByteOps, SaturatesAndTruncatesToIntegers) {
  auto cast = [](double value, ElementType type) {
    return loadInteger(
        castConstant(splatConstant(ElementType::kF32, {1}, value), type), 0);
  };
  EXPECT_EQ(cast(-3.9, ElementType::kI8), -3);
  EXPECT_EQ(cast(300, ElementType::kI8), 127);
  EXPECT_EQ(cast(-1, ElementType::kU8), 0);
  EXPECT_EQ(cast(1e30, ElementType::kI64), std::numeric_limits<int64_t>::max());
}

TEST(ByteOps, KnowsSplats) {
  EXPECT_TRUE(isSplat(splatConstant(ElementType::kF16, {3, 2}, 0.5)));
  EXPECT_FALSE(isSplat(counting({2})));
  EXPECT_FALSE(isSplat(makeConstant(ElementType::kF32, {0})));
}

} // namespace
} // namespace kiln
