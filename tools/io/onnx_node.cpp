// SPDX-License-Identifier: Apache-2.0
#include "tools/io/onnx_node.h"

#include "ops/onnx_call.h"
#include "tools/io/file.h"
#include "tools/io/onnx_tensor.h"

#include <onnx/onnx_pb.h>

namespace kiln::tools {
namespace {

Status addAttribute(const onnx::AttributeProto &proto, ops::OnnxCall &call) {
  ops::Attribute &slot = call.attributes[proto.name()];
  switch (proto.type()) {
  case onnx::AttributeProto::INT:
    slot = proto.i();
    return Status::ok();
  case onnx::AttributeProto::FLOAT:
    slot = static_cast<double>(proto.f());
    return Status::ok();
  case onnx::AttributeProto::STRING:
    slot = proto.s();
    return Status::ok();
  case onnx::AttributeProto::INTS:
    slot = std::vector<int64_t>(proto.ints().begin(), proto.ints().end());
    return Status::ok();
  case onnx::AttributeProto::FLOATS:
    slot = std::vector<double>(proto.floats().begin(), proto.floats().end());
    return Status::ok();
  case onnx::AttributeProto::TENSOR: {
    KILN_ASSIGN_OR_RETURN(HostTensor tensor, fromTensorProto(proto.t()));
    KILN_ASSIGN_OR_RETURN(slot, toReference(tensor));
    return Status::ok();
  }
  default:
    return {StatusCode::kUnsupported, "attribute '" + proto.name() +
                                          "' of kind " +
                                          std::to_string(proto.type())};
  }
}

Status runNode(const onnx::NodeProto &node, int64_t opset, ValueMap &values) {
  if (!node.domain().empty() && node.domain() != "ai.onnx") {
    return {StatusCode::kUnsupported, "domain " + node.domain()};
  }
  ops::OnnxCall call;
  call.op = node.op_type();
  call.opset = opset;
  call.outputs = 0;
  for (const auto &attribute : node.attribute()) {
    KILN_RETURN_IF_ERROR(addAttribute(attribute, call));
  }
  for (const std::string &name : node.input()) {
    auto it = values.find(name);
    if (!name.empty() && it == values.end()) {
      return {StatusCode::kCorrupt, "value '" + name + "' is not defined"};
    }
    call.inputs.push_back(name.empty() ? nullptr : &it->second);
  }
  for (int i = 0; i < node.output_size(); ++i) {
    call.outputs = node.output(i).empty() ? call.outputs : i + 1;
  }
  KILN_ASSIGN_OR_RETURN(std::vector<ops::Tensor> results,
                        ops::runReference(call));
  for (int i = 0; i < node.output_size(); ++i) {
    if (node.output(i).empty()) {
      continue;
    }
    if (static_cast<size_t>(i) >= results.size()) {
      return {StatusCode::kUnsupported, "output " + std::to_string(i)};
    }
    values[node.output(i)] = std::move(results[i]);
  }
  return Status::ok();
}

} // namespace

Result<ReferenceModel> ReferenceModel::load(const std::filesystem::path &path) {
  KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, readFile(path));
  auto proto = std::make_shared<onnx::ModelProto>();
  if (!proto->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Status(StatusCode::kCorrupt,
                  path.string() + ": not an ONNX model (truncated or damaged)");
  }
  ReferenceModel model;
  for (const auto &import : proto->opset_import()) {
    if (import.domain().empty() || import.domain() == "ai.onnx") {
      model.opset_ = import.version();
    }
  }
  for (const auto &tensor : proto->graph().initializer()) {
    Result<HostTensor> host = fromTensorProto(tensor);
    if (!host) {
      return host.status().withContext(path.string());
    }
    KILN_ASSIGN_OR_RETURN(model.initializers_[tensor.name()],
                          toReference(*host));
  }
  for (const auto &input : proto->graph().input()) {
    if (!model.initializers_.contains(input.name())) {
      model.inputs_.push_back(input.name());
    }
  }
  for (const auto &output : proto->graph().output()) {
    model.outputs_.push_back(output.name());
  }
  model.model_ = std::move(proto);
  return model;
}

Result<ValueMap> ReferenceModel::run(ValueMap values, const Hook &hook) const {
  for (const auto &[name, tensor] : initializers_) {
    values.emplace(name, tensor);
  }
  int index = 0;
  for (const auto &node : model_->graph().node()) {
    if (Status s = runNode(node, opset_, values); !s.isOk()) {
      std::string where =
          "node " + std::to_string(index) + " (" + node.op_type() +
          (node.name().empty() ? "" : " '" + node.name() + "'") + ")";
      return s.withContext(where);
    }
    if (hook) {
      std::vector<std::string> outputs(node.output().begin(),
                                       node.output().end());
      std::string name = node.op_type();
      name += node.name().empty() ? "" : " '" + node.name() + "'";
      KILN_RETURN_IF_ERROR(hook(name, outputs, values));
    }
    ++index;
  }
  return values;
}

} // namespace kiln::tools
