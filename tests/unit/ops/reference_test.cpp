// SPDX-License-Identifier: Apache-2.0
//
// Hand-computed examples of the reference operators. The ONNX node tests
// (tests/conformance/onnx) cover the rest; here stand the rules that no node
// test decides.
#include "ops/library.h"
#include "ops/onnx_call.h"
#include "ops/reference/conv.h"
#include "ops/reference/elementwise.h"
#include "ops/reference/pool.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace kiln::ops {
namespace {

Tensor make(Shape shape, std::vector<double> values,
            DataType type = DataType::F32) {
  Tensor t(type, std::move(shape));
  t.values = std::move(values);
  return t;
}

TEST(Rounding, F16TiesGoToEven) {
  EXPECT_EQ(roundTo(DataType::F16, 2049), 2048);
  EXPECT_EQ(roundTo(DataType::F16, 2051), 2052);
  EXPECT_EQ(roundTo(DataType::F16, 65519.9), 65504);
  EXPECT_TRUE(std::isinf(roundTo(DataType::F16, 65520)));
  EXPECT_EQ(roundTo(DataType::F16, std::ldexp(1.0, -24)), std::ldexp(1.0, -24));
}

TEST(Rounding, F16RoundsOnceFromDouble) {
  // Just above the tie 1 + 2^-11: a detour over f32 would fall on the tie.
  double value = 1 + std::ldexp(1.0, -11) + std::ldexp(1.0, -40);
  EXPECT_EQ(roundTo(DataType::F16, value), 1 + std::ldexp(1.0, -10));
}

TEST(Rounding, Bf16TiesGoToEvenWithOneRounding) {
  double half = std::ldexp(1.0, -8);
  EXPECT_EQ(roundTo(DataType::BF16, 1 + half), 1);
  EXPECT_EQ(roundTo(DataType::BF16, 1 + 3 * half), 1 + 4 * half);
  EXPECT_EQ(roundTo(DataType::BF16, 1 + half + std::ldexp(1.0, -40)),
            1 + 2 * half);
  EXPECT_EQ(roundTo(DataType::BF16, -(1 + half)), -1);
  EXPECT_TRUE(std::isinf(roundTo(DataType::BF16, 3.4028235e38)));
}

TEST(Rounding, IntegersWrap) {
  EXPECT_EQ(roundTo(DataType::U8, 256), 0);
  EXPECT_EQ(roundTo(DataType::U8, -1), 255);
  EXPECT_EQ(roundTo(DataType::I8, 128), -128);
}

TEST(Bytes, IntegersBeyondTheExactRangeAreRefused) {
  std::vector<uint8_t> bytes = {1, 0, 0, 0, 0, 0, 0x20, 0}; // 2^53 + 1
  EXPECT_TRUE(fromBytes(DataType::I64, {1}, bytes).isOk());
  bytes[6] = 0x40;
  EXPECT_EQ(fromBytes(DataType::I64, {1}, bytes).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(Broadcast, AlignsAtTheEndAndNamesWhatDoesNotFit) {
  EXPECT_EQ(*broadcastShape({2, 1, 3}, {4, 1}), (Shape{2, 4, 3}));
  EXPECT_EQ(*broadcastShape({}, {2}), (Shape{2}));
  Result<Shape> bad = broadcastShape({2, 3}, {2});
  EXPECT_EQ(bad.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(bad.status().message().find("2x3"), std::string::npos);
}

TEST(Conv, ASingleTapPicksItsNeighbour) {
  Tensor x = make({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  Tensor w = make({1, 1, 3, 3}, {1, 0, 0, 0, 0, 0, 0, 0, 0});
  ConvAttributes a;
  a.window.pads = {1, 1, 1, 1};
  Result<Tensor> y = conv(x, w, nullptr, a);
  ASSERT_TRUE(y);
  EXPECT_EQ(y->values, (std::vector<double>{0, 0, 0, 0, 1, 2, 0, 4, 5}));
}

TEST(Conv, DepthwiseKeepsChannelsApart) {
  Tensor x = make({1, 2, 1, 2}, {1, 2, 10, 20});
  Tensor w = make({2, 1, 1, 1}, {3, 5});
  ConvAttributes a;
  a.groups = 2;
  Result<Tensor> y = conv(x, w, nullptr, a);
  ASSERT_TRUE(y);
  EXPECT_EQ(y->values, (std::vector<double>{3, 6, 50, 100}));
}

TEST(Conv, SameUpperAndLowerPutTheOddPadAtDifferentEnds) {
  Tensor x = make({1, 1, 1, 2}, {1, 2});
  Tensor w = make({1, 1, 1, 2}, {1, 10});
  ConvAttributes a;
  a.window.autoPad = AutoPad::SameUpper;
  EXPECT_EQ(conv(x, w, nullptr, a)->values, (std::vector<double>{21, 2}));
  a.window.autoPad = AutoPad::SameLower;
  EXPECT_EQ(conv(x, w, nullptr, a)->values, (std::vector<double>{10, 21}));
}

TEST(Conv, WeightsOfAnotherGroupCountAreRefused) {
  ConvAttributes a;
  a.groups = 2;
  EXPECT_EQ(
      conv(make({1, 2, 1, 1}, {1, 2}), make({1, 2, 1, 1}, {1, 1}), nullptr, a)
          .status()
          .code(),
      StatusCode::kInvalidArgument);
}

TEST(AveragePool, CountPadCountsPaddingButNothingBeyond) {
  Tensor x = make({1, 1, 3}, {3, 6, 9});
  Window w{.kernel = {2}, .strides = {2}, .pads = {0, 1}, .ceilMode = true};
  // Windows: [3,6], [9,pad].
  EXPECT_EQ(averagePool(x, w, true)->values, (std::vector<double>{4.5, 4.5}));
  EXPECT_EQ(averagePool(x, w, false)->values, (std::vector<double>{4.5, 9}));
  Window beyond{.kernel = {3}, .strides = {2}, .ceilMode = true};
  Tensor four = make({1, 1, 4}, {3, 6, 9, 12});
  // The second window [9, 12, -] has one tap beyond the end: never counted.
  EXPECT_EQ(averagePool(four, beyond, true)->values,
            (std::vector<double>{6, 10.5}));
}

TEST(MaxPool, PaddingNeverWins) {
  Window w{.kernel = {2}, .pads = {1, 1}};
  Result<MaxPoolResult> y = maxPool(make({1, 1, 2}, {-5, -7}), w);
  ASSERT_TRUE(y);
  EXPECT_EQ(y->values.values, (std::vector<double>{-5, -5, -7}));
  EXPECT_EQ(y->indices.values, (std::vector<double>{0, 0, 1}));
}

TEST(OnnxCall, SoftmaxChangedItsMeaningInOpset13) {
  Tensor x = make({1, 2, 2}, {0, 0, 0, 0});
  OnnxCall call{.op = "Softmax", .opset = 12, .inputs = {&x}};
  EXPECT_EQ(runReference(call)->at(0).values[0], 0.25);
  call.opset = 13;
  EXPECT_EQ(runReference(call)->at(0).values[0], 0.5);
}

TEST(OnnxCall, OldAddAlignsAtItsAxis) {
  Tensor a = make({2, 2}, {0, 0, 0, 0}), b = make({2}, {1, 2});
  OnnxCall call{.op = "Add", .opset = 6, .inputs = {&a, &b}};
  call.attributes["broadcast"] = int64_t{1};
  call.attributes["axis"] = int64_t{0};
  EXPECT_EQ(runReference(call)->at(0).values,
            (std::vector<double>{1, 1, 2, 2}));
}

TEST(OnnxCall, SplitIntoUnequalPartsSinceOpset18) {
  Tensor x = make({2, 3}, {1, 2, 3, 4, 5, 6});
  OnnxCall call{.op = "Split", .opset = 18, .inputs = {&x}, .outputs = 2};
  call.attributes["axis"] = int64_t{-1};
  Result<std::vector<Tensor>> parts = runReference(call);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->at(0).values, (std::vector<double>{1, 2, 4, 5}));
  EXPECT_EQ(parts->at(1).values, (std::vector<double>{3, 6}));
  call.opset = 13;
  EXPECT_EQ(runReference(call).status().code(), StatusCode::kInvalidArgument);
  Tensor sizes = make({2}, {2, 2}, DataType::I64);
  call.inputs.push_back(&sizes);
  EXPECT_EQ(runReference(call).status().code(), StatusCode::kInvalidArgument);
  call.opset = 11;
  call.inputs = {&x};
  call.attributes["split"] = Shape{0, 3};
  parts = runReference(call);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->at(1).values, x.values);
}

TEST(OnnxCall, WhatIsNotThereIsNamed) {
  OnnxCall call{.op = "Wobble", .opset = 13, .inputs = {}};
  EXPECT_EQ(runReference(call).status().code(), StatusCode::kUnsupported);
  call.op = "Conv";
  EXPECT_EQ(runReference(call).status().code(), StatusCode::kInvalidArgument);
  Tensor x = make({1}, {1}), training = make({}, {1}, DataType::Bool);
  call = {.op = "Dropout", .opset = 13, .inputs = {&x, nullptr, &training}};
  EXPECT_EQ(runReference(call).status().code(), StatusCode::kUnsupported);
}

TEST(Library, EveryReferenceHasFactsAndEveryToleranceASource) {
  std::vector<std::string> names = referenceOperators();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(names.size(), allOperators().size());
  for (const std::string &name : names) {
    const OperatorFacts *facts = findOperator(name);
    ASSERT_NE(facts, nullptr) << name;
    EXPECT_FALSE(describe(facts->source).empty());
    bool exact = facts->source == ToleranceSource::Exact;
    EXPECT_EQ(exact, facts->f32.relative == 0) << name;
  }
}

} // namespace
} // namespace kiln::ops
