// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/op_model.h"

#include "ops/onnx_call.h"
#include "tools/io/compare.h"
#include "tools/io/onnx_tensor.h"
#include "tools/kiln/sim_data.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

namespace kiln::tools {
namespace {

Status invalid(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

Result<std::string> operatorNamed(const std::string &name) {
  std::vector<std::string> known = ops::referenceOperators();
  for (const std::string &op : known) {
    if (lower(op) == lower(name)) {
      return op;
    }
  }
  return invalid(fmt::format("no operator '{}'; there are: {}", name,
                             fmt::join(known, ", ")));
}

/// "strides=2,2", "group=4", "auto_pad=VALID", "alpha=0.5".
Result<ops::Attribute> parseAttribute(const std::string &name,
                                      const std::string &text) {
  if (text.empty()) {
    return invalid("--attr " + name + "=: expected a value behind it");
  }
  const bool isList = name == "strides" || name == "pads" ||
                      name == "dilations" || name == "kernel_shape" ||
                      name == "perm";
  if (isList) {
    std::vector<int64_t> values;
    size_t start = 0;
    while (start <= text.size()) {
      size_t comma = std::min(text.find(',', start), text.size());
      KILN_ASSIGN_OR_RETURN(uint64_t value,
                            parseNumber(text.substr(start, comma - start),
                                        ("--attr " + name).c_str()));
      values.push_back(static_cast<int64_t>(value));
      start = comma + 1;
    }
    return ops::Attribute(values);
  }
  char *end = nullptr;
  if (name == "alpha" || name == "beta" || name == "epsilon") {
    double value = std::strtod(text.c_str(), &end);
    if (*end == '\0') {
      return ops::Attribute(value);
    }
  }
  int64_t value = std::strtoll(text.c_str(), &end, 10);
  if (*end == '\0') {
    return ops::Attribute(value);
  }
  return ops::Attribute(text);
}

void addAttribute(onnx::NodeProto &node, const std::string &name,
                  const ops::Attribute &attribute) {
  onnx::AttributeProto &proto = *node.add_attribute();
  proto.set_name(name);
  if (const auto *i = std::get_if<int64_t>(&attribute)) {
    proto.set_type(onnx::AttributeProto::INT);
    proto.set_i(*i);
  } else if (const auto *f = std::get_if<double>(&attribute)) {
    proto.set_type(onnx::AttributeProto::FLOAT);
    proto.set_f(static_cast<float>(*f));
  } else if (const auto *s = std::get_if<std::string>(&attribute)) {
    proto.set_type(onnx::AttributeProto::STRING);
    proto.set_s(*s);
  } else if (const auto *v = std::get_if<std::vector<int64_t>>(&attribute)) {
    proto.set_type(onnx::AttributeProto::INTS);
    for (int64_t value : *v) {
      proto.add_ints(value);
    }
  }
}

void addValue(onnx::ValueInfoProto &info, const std::string &name,
              ops::DataType type, const ops::Shape &shape) {
  info.set_name(name);
  auto &tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(ops::toOnnx(type));
  for (int64_t d : shape) {
    tensor.mutable_shape()->add_dim()->set_dim_value(d);
  }
}

std::vector<uint32_t> defaultConstants(const std::string &op, size_t inputs) {
  std::vector<uint32_t> constants;
  if (op == "Conv" || op == "Gemm" || op == "BatchNormalization") {
    for (uint32_t i = 1; i < inputs; ++i) {
      constants.push_back(i);
    }
  }
  return constants;
}

/// Random data; weights are scaled by their fan-in so that fp16 sums stay in
/// range, variances are positive.
Result<HostTensor> inputData(const OperatorRequest &request,
                             const std::string &op, size_t index,
                             const std::string &shape) {
  std::string spec = fmt::format("random:{}:{}:{}", ops::name(request.type),
                                 request.seed + index, shape);
  KILN_ASSIGN_OR_RETURN(HostTensor data, generateTensor(spec));
  KILN_ASSIGN_OR_RETURN(ops::Tensor values, toReference(data));
  bool variance = op == "BatchNormalization" && index == 4;
  for (double &v : values.values) {
    v = variance ? v * v + 0.5 : v;
  }
  ops::roundTo(values);
  return fromReference(values, fmt::format("input_{}", index));
}

void writeModel(OperatorModel &op, const ops::OnnxCall &call,
                const NamedTensors &all,
                const std::vector<uint32_t> &constants) {
  onnx::ModelProto model;
  model.set_ir_version(7);
  model.set_producer_name("kiln");
  auto &import = *model.add_opset_import();
  import.set_version(call.opset);
  onnx::GraphProto &graph = *model.mutable_graph();
  graph.set_name(op.op);
  onnx::NodeProto &node = *graph.add_node();
  node.set_op_type(op.op);
  node.set_name(lower(op.op));
  for (const auto &[name, attribute] : call.attributes) {
    addAttribute(node, name, attribute);
  }
  for (size_t i = 0; i < all.size(); ++i) {
    node.add_input(all[i].name);
    if (std::count(constants.begin(), constants.end(), i)) {
      std::vector<uint8_t> bytes = formatTensorProto(all[i]);
      graph.add_initializer()->ParseFromArray(bytes.data(),
                                              static_cast<int>(bytes.size()));
    } else {
      addValue(*graph.add_input(), all[i].name, all[i].type, all[i].shape);
      op.inputs.push_back(all[i]);
    }
  }
  node.add_output("output_0");
  addValue(*graph.add_output(), "output_0", op.expected[0].type,
           op.expected[0].shape);
  op.model.resize(model.ByteSizeLong());
  model.SerializeToArray(op.model.data(), static_cast<int>(op.model.size()));
}

} // namespace

Result<OperatorModel> buildOperator(OperatorRequest &request) {
  OperatorModel op;
  KILN_ASSIGN_OR_RETURN(op.op, operatorNamed(request.name));
  std::optional<ops::DataType> type = ops::parseDataType(request.dtype);
  if (!type || (*type != ops::DataType::F16 && *type != ops::DataType::F32)) {
    return invalid("--dtype " + request.dtype + "; fp16 or fp32");
  }
  request.type = *type;
  if (request.shapes.empty()) {
    return invalid("op:" + request.name +
                   " needs --shape, one per input: --shape 64x64,64x64");
  }
  for (uint32_t index : request.constants) {
    if (index >= request.shapes.size()) {
      return invalid(fmt::format("--constant {}: there are {} inputs, from 0",
                                 index, request.shapes.size()));
    }
  }
  NamedTensors all;
  std::vector<ops::Tensor> values(request.shapes.size());
  ops::OnnxCall call;
  call.op = op.op;
  for (size_t i = 0; i < request.shapes.size(); ++i) {
    KILN_ASSIGN_OR_RETURN(HostTensor data,
                          inputData(request, op.op, i, request.shapes[i]));
    KILN_ASSIGN_OR_RETURN(values[i], toReference(data));
    all.push_back(std::move(data));
    call.inputs.push_back(&values[i]);
  }
  for (const std::string &text : request.attributes) {
    size_t equals = text.find('=');
    if (equals == std::string::npos) {
      return invalid("--attr " + text + ": expected NAME=VALUE");
    }
    std::string name = text.substr(0, equals);
    KILN_ASSIGN_OR_RETURN(call.attributes[name],
                          parseAttribute(name, text.substr(equals + 1)));
  }
  KILN_ASSIGN_OR_RETURN(op.expected, ops::runReference(call));
  writeModel(op, call, all,
             request.constants.empty() ? defaultConstants(op.op, all.size())
                                       : request.constants);
  return op;
}

Status checkOperator(const OperatorModel &op, const NamedTensors &outputs,
                     std::string &text, nlohmann::json &json) {
  const ops::OperatorFacts *facts = ops::findOperator(op.op);
  ops::Tolerance tolerance = facts->tolerance(op.expected[0].type);
  KILN_ASSIGN_OR_RETURN(Comparison c,
                        compare(outputs.at(0),
                                fromReference(op.expected[0], "output_0"),
                                tolerance));
  std::string measures = c.describe(op.expected[0].shape);
  text += fmt::format("{} against the reference: {} ({})\n",
                      c.passed ? "equal" : "DIFFERENT", measures,
                      ops::describe(facts->source));
  json["check"] = {{"passed", c.passed},
                   {"max_abs", c.maxAbsolute},
                   {"max_rel", c.maxRelative},
                   {"max_ulp", c.maxUlp},
                   {"relative_l2", c.relativeL2}};
  if (!c.passed) {
    return {StatusCode::kMismatch, "op:" + op.op + ": " + measures};
  }
  return Status::ok();
}

} // namespace kiln::tools
