// SPDX-License-Identifier: Apache-2.0
//
// Constant, ConstantOfShape, Identity, Dropout: operators that need no work
// at run time.
#include "compiler/constants/byte_ops.h"
#include "compiler/dialect/nn/constant_fold.h"
#include "compiler/frontend/onnx/node.h"
#include "compiler/frontend/onnx/tensor_data.h"

#include <cstring>
#include <fmt/format.h>

using namespace mlir;

namespace kiln::frontend {

static LogicalResult statusGap(Node &node, const Status &status,
                               const char *attribute) {
  if (status.code() == StatusCode::kUnsupported) {
    return node.gap(status.message(), attribute);
  }
  return node.invalid(status.message(), attribute);
}

// value_int, value_ints, value_float, value_floats (since opset 12).
static std::optional<Constant> listConstant(Attributes &a) {
  auto make = [](ElementType type, std::vector<int64_t> shape,
                 const auto &values) {
    Constant constant = makeConstant(type, std::move(shape));
    std::memcpy(constant.bytes.data(), values.data(), constant.bytes.size());
    return constant;
  };
  if (a.has("value_int")) {
    return make(ElementType::kI64, {}, std::vector{a.getInt("value_int", 0)});
  }
  if (a.has("value_float")) {
    return make(ElementType::kF32, {},
                std::vector{a.getFloat("value_float", 0)});
  }
  if (a.has("value_ints")) {
    auto values = a.getInts("value_ints").value_or(std::vector<int64_t>());
    return make(ElementType::kI64, {static_cast<int64_t>(values.size())},
                values);
  }
  if (a.has("value_floats")) {
    auto values = a.getFloats("value_floats").value_or(std::vector<float>());
    return make(ElementType::kF32, {static_cast<int64_t>(values.size())},
                values);
  }
  return std::nullopt;
}

static LogicalResult convertConstant(Node &node) {
  if (failed(node.expect({0, 0}))) {
    return failure();
  }
  Attributes &a = node.attributes();
  if (const onnx::TensorProto *tensor = a.getTensor("value")) {
    Result<Constant> constant = readTensor(*tensor);
    if (!constant) {
      return statusGap(node, constant.status(), "value");
    }
    return node.setOutput(0, node.emitConstant(std::move(*constant)));
  }
  if (a.failed()) {
    return failure();
  }
  for (const char *name : {"sparse_value", "value_string", "value_strings"}) {
    if (a.has(name)) {
      a.ignore(name);
      return node.gap("supported: value, value_int(s) and value_float(s)",
                      name);
    }
  }
  if (std::optional<Constant> constant = listConstant(a)) {
    return node.setOutput(0, node.emitConstant(std::move(*constant)));
  }
  return node.invalid("has no value");
}

static LogicalResult convertConstantOfShape(Node &node) {
  if (failed(node.expect({1, 1}))) {
    return failure();
  }
  std::optional<std::vector<int64_t>> shape = node.integers(0, "input");
  if (!shape) {
    return failure();
  }
  Constant element = splatConstant(ElementType::kF32, {1}, 0);
  if (const onnx::TensorProto *tensor = node.attributes().getTensor("value")) {
    Result<Constant> value = readTensor(*tensor);
    if (!value) {
      return statusGap(node, value.status(), "value");
    }
    if (value->elementCount() != 1) {
      return node.invalid(
          fmt::format("has {} elements, expected 1", value->elementCount()),
          "value");
    }
    element = std::move(*value);
  }
  int64_t count = 1;
  for (int64_t dim : *shape) {
    if (dim < 0 || (dim > 0 && count > nn::kMaxFoldedElements / dim)) {
      return node.invalid(fmt::format(
          "a dimension of {} makes a constant of more than 2^28 elements, or "
          "is negative",
          dim));
    }
    count *= dim;
  }
  Constant constant = makeConstant(element.type, *shape);
  size_t size = element.bytes.size();
  for (size_t at = 0; at < constant.bytes.size(); at += size) {
    std::memcpy(constant.bytes.data() + at, element.bytes.data(), size);
  }
  return node.setOutput(0, node.emitConstant(std::move(constant)));
}

static LogicalResult convertIdentity(Node &node) {
  if (failed(node.expect({1, 1}))) {
    return failure();
  }
  return node.setOutput(0, node.input(0));
}

// Inference form: the input passes through. Before opset 12 training was the
// attribute is_test = 0 or the run time's mode, later the input training_mode.
static LogicalResult convertDropout(Node &node) {
  Attributes &a = node.attributes();
  for (const char *name : {"ratio", "is_test", "seed"}) {
    a.ignore(name);
  }
  if (node.version() < 6) {
    a.ignore("consumed_inputs");
  }
  if (failed(node.expect({1, node.version() < 12 ? size_t(1) : size_t(3)}))) {
    return failure();
  }
  if (node.hasInput(2)) {
    std::optional<double> training = node.scalar(2, "training_mode");
    if (!training) {
      return failure();
    }
    if (*training != 0) {
      return node.gap("training_mode is true; supported: inference");
    }
  }
  return node.setOutput(0, node.input(0));
}

std::vector<Registration> constantOperators() {
  return {{"Constant", 1, convertConstant},
          {"Constant", 9, convertConstant},
          {"Constant", 11, convertConstant},
          {"Constant", 12, convertConstant},
          {"Constant", 13, convertConstant},
          {"Constant", 19, convertConstant},
          {"Constant", 21, convertConstant},
          {"ConstantOfShape", 9, convertConstantOfShape},
          {"ConstantOfShape", 20, convertConstantOfShape},
          {"ConstantOfShape", 21, convertConstantOfShape},
          {"Identity", 1, convertIdentity},
          {"Identity", 13, convertIdentity},
          {"Identity", 14, convertIdentity},
          {"Identity", 16, convertIdentity},
          {"Identity", 19, convertIdentity},
          {"Identity", 21, convertIdentity},
          {"Dropout", 1, convertDropout},
          {"Dropout", 6, convertDropout},
          {"Dropout", 7, convertDropout},
          {"Dropout", 10, convertDropout},
          {"Dropout", 12, convertDropout},
          {"Dropout", 13, convertDropout}};
}

} // namespace kiln::frontend
