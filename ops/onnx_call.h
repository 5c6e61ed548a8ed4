// SPDX-License-Identifier: Apache-2.0
//
// Calls a reference operator the way an ONNX node does: by operator type,
// opset version and attributes. The differences between opsets end here.
// Knows nothing of protobuf; who reads the file fills the call.
//
//   OnnxCall call{.op = "Softmax", .opset = 13};
//   call.attributes["axis"] = int64_t{-1};
//   call.inputs = {&x};
//   Result<std::vector<Tensor>> y = runReference(call);
//
// Errors: kUnsupported for an operator, a mode (training) or an element type
// outside the library; kInvalidArgument for what the operator's definition
// forbids. Source of every rule: the ONNX operator pages (onnx/defs), per
// opset.
#pragma once

#include "ops/reference/tensor.h"

#include <map>
#include <string>
#include <variant>

namespace kiln::ops {

using Attribute =
    std::variant<int64_t, double, std::string, std::vector<int64_t>,
                 std::vector<double>, Tensor>;

struct OnnxCall {
  std::string op;
  int64_t opset = 13;
  std::map<std::string, Attribute> attributes{};
  /// Null for an omitted optional input.
  std::vector<const Tensor *> inputs{};
  /// Outputs the node names; optional outputs beyond are not computed.
  size_t outputs = 1;
};

Result<std::vector<Tensor>> runReference(const OnnxCall &call);

/// Operators runReference() knows, sorted.
std::vector<std::string> referenceOperators();

} // namespace kiln::ops
