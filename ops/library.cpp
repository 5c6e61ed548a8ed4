// SPDX-License-Identifier: Apache-2.0
#include "ops/library.h"

namespace kiln::ops {
namespace {

using Source = ToleranceSource;

constexpr Tolerance kExact{};
// Sums of up to 4608 = 512 * 3 * 3 products in fp32: the bound k * 2^-24 *
// sum|a*b| is 2.7e-4 of the magnitude sum; random signs leave its square root.
// The absolute part covers cancellation for operands of magnitude about one.
constexpr Tolerance kDot32{1e-4, 1e-5};
// fp16 operands, fp32 sums, one rounding to fp16: half an ULP is 2^-11.
constexpr Tolerance kDot16{1e-3, 1e-3};
// exp and tanh: 4 ULP of fp32, 1 ULP of fp16 (2^-10).
constexpr Tolerance kElementary32{5e-7, 1e-7};
constexpr Tolerance kElementary16{1e-3, 1e-6};

constexpr OperatorFacts kOperators[] = {
    {"Add", Source::Exact, kExact, kExact},
    {"AveragePool", Source::DotProduct, kDot32, kDot16},
    {"BatchNormalization", Source::DotProduct, kDot32, kDot16},
    {"Concat", Source::Exact, kExact, kExact},
    {"Constant", Source::Exact, kExact, kExact},
    {"ConstantOfShape", Source::Exact, kExact, kExact},
    {"Conv", Source::DotProduct, kDot32, kDot16},
    {"Dropout", Source::Exact, kExact, kExact},
    {"Flatten", Source::Exact, kExact, kExact},
    {"Gemm", Source::DotProduct, kDot32, kDot16},
    {"GlobalAveragePool", Source::DotProduct, kDot32, kDot16},
    {"Identity", Source::Exact, kExact, kExact},
    {"MatMul", Source::DotProduct, kDot32, kDot16},
    {"MaxPool", Source::Exact, kExact, kExact},
    {"Mul", Source::Exact, kExact, kExact},
    {"Relu", Source::Exact, kExact, kExact},
    {"Reshape", Source::Exact, kExact, kExact},
    {"Sigmoid", Source::Elementary, kElementary32, kElementary16},
    {"Softmax", Source::Elementary, {2e-6, 1e-7}, kElementary16},
    {"Split", Source::Exact, kExact, kExact},
    {"Sub", Source::Exact, kExact, kExact},
    // More than two terms: the order of additions is free.
    {"Sum", Source::DotProduct, {1e-6, 1e-6}, kDot16},
    {"Tanh", Source::Elementary, kElementary32, kElementary16},
    {"Transpose", Source::Exact, kExact, kExact},
};

} // namespace

std::string_view describe(ToleranceSource source) {
  switch (source) {
  case Source::Exact:
    return "exact: the definition rounds at most once (IEEE 754)";
  case Source::DotProduct:
    return "order of additions in a sum (Higham, Accuracy and Stability of "
           "Numerical Algorithms, 3.1)";
  case Source::Elementary:
    return "a few ULP of another exp or tanh";
  }
  return "";
}

Tolerance OperatorFacts::tolerance(DataType type) const {
  switch (type) {
  case DataType::F16:
    return f16;
  case DataType::BF16: // 8 bits fewer than fp16's 11, three fewer digits
    return {f16.relative * 8, f16.absolute * 8};
  case DataType::F32:
  case DataType::F64:
    return f32;
  default:
    return kExact;
  }
}

const OperatorFacts *findOperator(std::string_view op) {
  for (const OperatorFacts &facts : kOperators) {
    if (facts.op == op) {
      return &facts;
    }
  }
  return nullptr;
}

std::span<const OperatorFacts> allOperators() { return kOperators; }

Tolerance modelTolerance(DataType type) {
  switch (type) {
  case DataType::F16:
  case DataType::BF16:
    return {0, 5e-3};
  case DataType::F32:
  case DataType::F64:
    return {1e-3, 1e-4};
  default:
    return kExact;
  }
}

} // namespace kiln::ops
