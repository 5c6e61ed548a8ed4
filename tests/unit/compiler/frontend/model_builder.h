// SPDX-License-Identifier: Apache-2.0
//
// Small ONNX models for tests, built with the protobuf API.
//
//   ModelBuilder b(13);
//   b.input("x", {1, 3, 8, 8});
//   auto &conv = b.node("Conv", {"x", "w"}, {"y"});
//   ints(conv, "strides", {2, 2});
//   b.output("y");
//   Result<ImportedModel> model = b.import(context);
#pragma once

#include "compiler/frontend/onnx/importer.h"
#include "onnx/onnx_pb.h"

#include <string>
#include <vector>

namespace kiln::test {

inline onnx::AttributeProto &attribute(onnx::NodeProto &node,
                                       const std::string &name,
                                       onnx::AttributeProto::AttributeType t) {
  onnx::AttributeProto *result = node.add_attribute();
  result->set_name(name);
  result->set_type(t);
  return *result;
}

inline void ints(onnx::NodeProto &node, const std::string &name,
                 const std::vector<int64_t> &values) {
  auto &a = attribute(node, name, onnx::AttributeProto::INTS);
  for (int64_t value : values) {
    a.add_ints(value);
  }
}

inline void integer(onnx::NodeProto &node, const std::string &name,
                    int64_t value) {
  attribute(node, name, onnx::AttributeProto::INT).set_i(value);
}

inline void number(onnx::NodeProto &node, const std::string &name,
                   float value) {
  attribute(node, name, onnx::AttributeProto::FLOAT).set_f(value);
}

inline void text(onnx::NodeProto &node, const std::string &name,
                 const std::string &value) {
  attribute(node, name, onnx::AttributeProto::STRING).set_s(value);
}

class ModelBuilder {
public:
  explicit ModelBuilder(int64_t opset, int64_t irVersion = 8) {
    model.set_ir_version(irVersion);
    auto *import = model.add_opset_import();
    import->set_version(opset);
    model.mutable_graph()->set_name("test");
  }

  onnx::GraphProto &graph() { return *model.mutable_graph(); }

  onnx::TensorShapeProto &input(const std::string &name,
                                const std::vector<int64_t> &shape,
                                int32_t type = onnx::TensorProto::FLOAT) {
    return value(*graph().add_input(), name, shape, type);
  }

  void output(const std::string &name) {
    value(*graph().add_output(), name, {}, onnx::TensorProto::FLOAT);
  }

  onnx::TensorProto &weights(const std::string &name,
                             const std::vector<int64_t> &shape,
                             const std::vector<float> &values) {
    onnx::TensorProto &tensor = initializer(name, shape);
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    for (float v : values) {
      tensor.add_float_data(v);
    }
    return tensor;
  }

  void integers(const std::string &name, const std::vector<int64_t> &values) {
    onnx::TensorProto &tensor =
        initializer(name, {static_cast<int64_t>(values.size())});
    tensor.set_data_type(onnx::TensorProto::INT64);
    for (int64_t v : values) {
      tensor.add_int64_data(v);
    }
  }

  onnx::NodeProto &node(const std::string &op,
                        const std::vector<std::string> &inputs,
                        const std::vector<std::string> &outputs,
                        const std::string &name = "") {
    onnx::NodeProto *result = graph().add_node();
    result->set_op_type(op);
    result->set_name(name);
    for (const std::string &input : inputs) {
      result->add_input(input);
    }
    for (const std::string &output : outputs) {
      result->add_output(output);
    }
    return *result;
  }

  std::vector<uint8_t> bytes() const {
    std::string text = model.SerializeAsString();
    return {text.begin(), text.end()};
  }

  Result<ImportedModel> import(mlir::MLIRContext &context,
                               const ImportOptions &options = {}) const {
    return importOnnxBytes(bytes(), "test.onnx", options, context);
  }

  onnx::ModelProto model;

private:
  onnx::TensorProto &initializer(const std::string &name,
                                 const std::vector<int64_t> &shape) {
    onnx::TensorProto *tensor = graph().add_initializer();
    tensor->set_name(name);
    for (int64_t dim : shape) {
      tensor->add_dims(dim);
    }
    return *tensor;
  }

  static onnx::TensorShapeProto &value(onnx::ValueInfoProto &info,
                                       const std::string &name,
                                       const std::vector<int64_t> &shape,
                                       int32_t type) {
    info.set_name(name);
    auto *tensor = info.mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type);
    for (int64_t dim : shape) {
      tensor->mutable_shape()->add_dim()->set_dim_value(dim);
    }
    return *tensor->mutable_shape();
  }
};

} // namespace kiln::test
