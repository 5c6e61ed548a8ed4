// SPDX-License-Identifier: Apache-2.0
//
// One operator as a model: `kiln run op:matmul --shape 512x512,512x512`.
//
//   OperatorRequest request{.name = "matmul", .shapes = {"8x8", "8x8"}};
//   Result<OperatorModel> op = buildOperator(request);
//   // op->model: ONNX bytes; op->inputs: random data; then
//   Status verdict = checkOperator(*op, outputs, text, json);
#pragma once

#include "tools/kiln/loaded_model.h"

#include <nlohmann/json.hpp>

namespace kiln::tools {

struct OperatorRequest {
  std::string name; // ONNX operator type, any case
  std::vector<std::string> shapes{};
  std::string dtype = "fp16";
  ops::DataType type = ops::DataType::F16; // of dtype, set by buildOperator
  uint64_t seed = 1;
  std::vector<std::string> attributes{};
  /// Inputs that are stored in the model. Default: all but the first of Conv,
  /// Gemm and BatchNormalization.
  std::vector<uint32_t> constants{};
};

struct OperatorModel {
  std::string op;
  std::vector<uint8_t> model;
  NamedTensors inputs; // run-time inputs
  std::vector<ops::Tensor> expected;
};

/// kInvalidArgument for an unknown operator, a bad attribute or shapes that
/// the operator's definition refuses. Sets request.type.
Result<OperatorModel> buildOperator(OperatorRequest &request);

/// Compares with the reference; kMismatch when it is outside the operator's
/// tolerance. Adds the measures to what is printed.
Status checkOperator(const OperatorModel &op, const NamedTensors &outputs,
                     std::string &text, nlohmann::json &json);

} // namespace kiln::tools
