// SPDX-License-Identifier: Apache-2.0
#include "compiler/constants/byte_ops.h"
#include "compiler/frontend/onnx/node.h"
#include "onnx/onnx_pb.h"

#include "compiler/dialect/plan/element_types.h"
#include "compiler/frontend/onnx/tensor_data.h"

#include <fmt/format.h>

using namespace mlir;

namespace kiln::frontend {

// Opset 1 told run times which inputs they may overwrite.
static void ignoreLegacy(Node &node) {
  if (node.version() < 6) {
    node.attributes().ignore("consumed_inputs");
  }
}

template <typename OpT> static LogicalResult convertUnary(Node &node) {
  ignoreLegacy(node);
  if (failed(node.expect({1, 1}))) {
    return failure();
  }
  return node.setOutput(0, node.emit<OpT>(node.input(0)));
}

static LogicalResult convertLeakyRelu(Node &node) {
  ignoreLegacy(node);
  float alpha = node.attributes().getFloat("alpha", 0.01f);
  if (failed(node.expect({1, 1}))) {
    return failure();
  }
  return node.setOutput(
      0, node.emit<nn::LeakyReluOp>(node.input(0), llvm::APFloat(alpha)));
}

// Before opset 7 the second operand was broadcast only on request: its shape
// is a contiguous part of the first one's, starting at `axis` (default: the
// end). Unit dimensions after it give the numpy form.
static Value legacyBroadcast(Node &node) {
  Attributes &a = node.attributes();
  int64_t broadcast = a.getInt("broadcast", 0);
  bool hasAxis = a.has("axis");
  int64_t axis = a.getInt("axis", 0);
  Value rhs = node.input(1);
  int64_t left = node.rank(0), right = node.rank(1);
  if (broadcast == 0) {
    if (node.shape(0) != node.shape(1)) {
      (void)node.invalid("shapes differ and 'broadcast' is not set");
      return {};
    }
    return rhs;
  }
  if (!hasAxis || right == 0) {
    return rhs;
  }
  std::optional<int64_t> first = node.axis(axis, left);
  if (!first) {
    return {};
  }
  if (*first + right > left) {
    (void)node.invalid(
        fmt::format("axis {} leaves no room for rank {} in rank {}", axis,
                    right, left),
        "axis");
    return {};
  }
  SmallVector<int64_t> shape(node.shape(1));
  shape.append(left - *first - right, 1);
  return node.reshape(rhs, shape);
}

template <typename OpT> static LogicalResult convertLegacyBinary(Node &node) {
  ignoreLegacy(node);
  if (failed(node.expect({2, 2}))) {
    return failure();
  }
  Value rhs = legacyBroadcast(node);
  if (!rhs) {
    return failure();
  }
  return node.setOutput(0, node.emit<OpT>(node.input(0), rhs));
}

template <typename OpT> static LogicalResult convertBinary(Node &node) {
  if (failed(node.expect({2, 2}))) {
    return failure();
  }
  return node.setOutput(0, node.emit<OpT>(node.input(0), node.input(1)));
}

// Sum, Max, Min: any number of inputs, joined from the left.
template <typename OpT> static LogicalResult convertVariadic(Node &node) {
  ignoreLegacy(node);
  if (failed(node.expect({1, SIZE_MAX}))) {
    return failure();
  }
  Value result = node.input(0);
  for (size_t i = 1; i < node.inputCount(); ++i) {
    if (!node.hasInput(i)) {
      return node.invalid(fmt::format("input {} is missing", i));
    }
    result = node.emit<OpT>(result, node.input(i));
    if (!result) {
      return failure();
    }
  }
  return node.setOutput(0, result);
}

static LogicalResult emitClip(Node &node, std::optional<float> low,
                              std::optional<float> high) {
  OpBuilder builder(node.input(0).getContext());
  auto attribute = [&](std::optional<float> value) {
    return value ? builder.getF32FloatAttr(*value) : FloatAttr();
  };
  return node.setOutput(
      0, node.emit<nn::ClipOp>(node.input(0), attribute(low), attribute(high)));
}

static LogicalResult convertClipAttributes(Node &node) {
  ignoreLegacy(node);
  if (failed(node.expect({1, 1}))) {
    return failure();
  }
  Attributes &a = node.attributes();
  std::optional<float> low, high;
  if (a.has("min")) {
    low = a.getFloat("min", 0);
  }
  if (a.has("max")) {
    high = a.getFloat("max", 0);
  }
  return emitClip(node, low, high);
}

// Bounds that are computed at run time: a maximum and a minimum.
static LogicalResult clipByTensors(Node &node) {
  Value value = node.input(0);
  if (node.hasInput(1)) {
    value = node.emit<nn::MaxOp>(value, node.input(1));
  }
  if (value && node.hasInput(2)) {
    value = node.emit<nn::MinOp>(value, node.input(2));
  }
  return node.setOutput(0, value);
}

static LogicalResult convertClip(Node &node) {
  if (failed(node.expect({1, 3}))) {
    return failure();
  }
  std::optional<float> bounds[2];
  for (size_t i = 0; i < 2; ++i) {
    if (!node.hasInput(i + 1)) {
      continue;
    }
    if (node.type(i + 1).getNumElements() != 1) {
      return node.invalid(fmt::format("bound {} has {} elements, expected 1", i,
                                      node.type(i + 1).getNumElements()));
    }
    if (!node.constant(node.input(i + 1))) {
      return clipByTensors(node);
    }
    std::optional<double> value = node.scalar(i + 1, i == 0 ? "min" : "max");
    if (!value) {
      return failure();
    }
    bounds[i] = static_cast<float>(*value);
  }
  return emitClip(node, bounds[0], bounds[1]);
}

static LogicalResult emitCast(Node &node, std::optional<ElementType> type,
                              const std::string &name) {
  if (!type || (*type != ElementType::kF32 && *type != ElementType::kF16)) {
    // An integer cast of a constant folds all the same.
    if (!type || !node.constant(node.input(0))) {
      return node.gap("casts to " + name + "; supported: FLOAT and FLOAT16",
                      "to");
    }
  }
  if (const Constant *value = node.constant(node.input(0))) {
    return node.setOutput(0, node.emitConstant(castConstant(*value, *type)));
  }
  Type element = toMlirType(*type, node.input(0).getContext());
  if (element == node.type(0).getElementType()) {
    return node.setOutput(0, node.input(0));
  }
  return node.setOutput(0, node.emit<nn::CastOp>(node.input(0), element));
}

static LogicalResult convertCast(Node &node) {
  Attributes &a = node.attributes();
  int64_t to = a.getInt("to", 0);
  if (node.version() >= 19) {
    a.ignore("saturate"); // of 8-bit floats only
  }
  if (failed(node.expect({1, 1}))) {
    return failure();
  }
  int32_t type = static_cast<int32_t>(to);
  return emitCast(node, fromOnnxType(type), onnxTypeName(type));
}

static LogicalResult convertCastByName(Node &node) {
  std::string to = node.attributes().getString("to", "");
  if (failed(node.expect({1, 1}))) {
    return failure();
  }
  onnx::TensorProto::DataType type = onnx::TensorProto::UNDEFINED;
  if (!onnx::TensorProto::DataType_Parse(to, &type)) {
    return node.invalid("'" + to + "' is no element type", "to");
  }
  return emitCast(node, fromOnnxType(type), to);
}

template <typename OpT>
static void addBinary(std::vector<Registration> &table, const char *op) {
  table.push_back({op, 1, convertLegacyBinary<OpT>});
  table.push_back({op, 6, convertLegacyBinary<OpT>});
  table.push_back({op, 7, convertBinary<OpT>});
  table.push_back({op, 13, convertBinary<OpT>});
  table.push_back({op, 14, convertBinary<OpT>});
}

template <typename OpT>
static void addUnary(std::vector<Registration> &table, const char *op) {
  for (int64_t since : {1, 6, 13}) {
    table.push_back({op, since, convertUnary<OpT>});
  }
}

std::vector<Registration> elementwiseOperators() {
  std::vector<Registration> table = {{"Relu", 14, convertUnary<nn::ReluOp>},
                                     {"LeakyRelu", 1, convertLeakyRelu},
                                     {"LeakyRelu", 6, convertLeakyRelu},
                                     {"LeakyRelu", 16, convertLeakyRelu},
                                     {"Clip", 1, convertClipAttributes},
                                     {"Clip", 6, convertClipAttributes},
                                     {"Clip", 11, convertClip},
                                     {"Clip", 12, convertClip},
                                     {"Clip", 13, convertClip},
                                     {"Cast", 1, convertCastByName},
                                     {"Cast", 6, convertCast},
                                     {"Cast", 9, convertCast},
                                     {"Cast", 13, convertCast},
                                     {"Cast", 19, convertCast},
                                     {"Cast", 21, convertCast}};
  addUnary<nn::ReluOp>(table, "Relu");
  addUnary<nn::SigmoidOp>(table, "Sigmoid");
  addUnary<nn::TanhOp>(table, "Tanh");
  addUnary<nn::ExpOp>(table, "Exp");
  addUnary<nn::SqrtOp>(table, "Sqrt");
  addUnary<nn::NegOp>(table, "Neg");
  addBinary<nn::AddOp>(table, "Add");
  addBinary<nn::SubOp>(table, "Sub");
  addBinary<nn::MulOp>(table, "Mul");
  addBinary<nn::DivOp>(table, "Div");
  for (int64_t since : {1, 6, 8, 13}) {
    table.push_back({"Sum", since, convertVariadic<nn::AddOp>});
  }
  for (int64_t since : {1, 6, 8, 12, 13}) {
    table.push_back({"Max", since, convertVariadic<nn::MaxOp>});
    table.push_back({"Min", since, convertVariadic<nn::MinOp>});
  }
  return table;
}

} // namespace kiln::frontend
