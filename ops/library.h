// SPDX-License-Identifier: Apache-2.0
//
// What the project promises about each operator: how far a device's result may
// lie from the reference, per precision, and where that number comes from.
//
//   const OperatorFacts *facts = findOperator("Conv");
//   Tolerance t = facts->tolerance(DataType::F16);
//
// An element passes when |got - want| <= absolute + relative * |want|.
#pragma once

#include "ops/reference/data_type.h"

#include <span>
#include <string_view>

namespace kiln::ops {

struct Tolerance {
  double relative = 0;
  double absolute = 0;
};

/// Why a tolerance has its size.
enum class ToleranceSource : uint8_t {
  Exact,      // moves data or rounds once: IEEE 754, no difference allowed
  DotProduct, // order of additions: Higham, Accuracy and Stability, 3.1
  Elementary, // exp and tanh of another implementation, a few ULP
};
std::string_view describe(ToleranceSource source);

struct OperatorFacts {
  std::string_view op; // ONNX operator type
  ToleranceSource source;
  Tolerance f32;
  Tolerance f16;

  Tolerance tolerance(DataType type) const;
};

/// Facts of one operator, null when it is not in the library.
const OperatorFacts *findOperator(std::string_view op);
/// All, sorted by name.
std::span<const OperatorFacts> allOperators();

/// Whole models: rounding accumulates over layers. The suggested tolerances of
/// the shared models' README: fp32 rtol 1e-3, atol 1e-4; fp16 atol 5e-3.
Tolerance modelTolerance(DataType type);

} // namespace kiln::ops
