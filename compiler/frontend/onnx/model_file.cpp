// SPDX-License-Identifier: Apache-2.0
#include "compiler/frontend/onnx/model_file.h"

#include <fmt/format.h>
#include <fstream>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <limits>

namespace kiln::frontend {

static Status corrupt(std::string message) {
  return {StatusCode::kCorrupt, std::move(message)};
}

Result<std::vector<uint8_t>> readFile(const std::filesystem::path &path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return corrupt("cannot read '" + path.string() + "': it is a folder");
  }
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) {
    return corrupt("cannot read '" + path.string() +
                   "': no such file, or no permission");
  }
  std::streamoff size = file.tellg();
  if (size < 0 || size > std::numeric_limits<int>::max()) {
    return corrupt("cannot read '" + path.string() +
                   "': a protobuf message has at most 2 GiB");
  }
  std::vector<uint8_t> bytes(static_cast<size_t>(size));
  file.seekg(0);
  file.read(reinterpret_cast<char *>(bytes.data()), size);
  if (file.gcount() != size) {
    return corrupt("cannot read '" + path.string() +
                   "': the file is shorter "
                   "than its size says");
  }
  return bytes;
}

static Status checkOpsets(const onnx::ModelProto &model) {
  for (const auto &opset : model.opset_import()) {
    if (opset.version() < 1) {
      return corrupt(fmt::format("opset of domain '{}' has version {}",
                                 opset.domain(), opset.version()));
    }
  }
  // Before IR version 3 a model had no opset list and meant opset 1.
  if (model.ir_version() >= 3 && model.opset_import_size() == 0) {
    return corrupt("the model names no opset (opset_import is empty)");
  }
  return Status::ok();
}

static Status checkGraph(const onnx::GraphProto &graph) {
  if (graph.output_size() == 0) {
    return corrupt("the graph has no outputs");
  }
  for (int i = 0; i < graph.node_size(); ++i) {
    const onnx::NodeProto &node = graph.node(i);
    if (node.op_type().empty()) {
      return corrupt(
          fmt::format("node {} ('{}') has no operator type", i, node.name()));
    }
    if (node.output_size() == 0) {
      return corrupt(fmt::format("node {} ('{}', {}) has no outputs", i,
                                 node.name(), node.op_type()));
    }
  }
  return Status::ok();
}

Result<onnx::ModelProto> parseModel(std::span<const uint8_t> bytes) {
  if (bytes.empty()) {
    return corrupt("the file is empty, expected an ONNX model");
  }
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return corrupt("a protobuf message has at most 2 GiB");
  }
  google::protobuf::LogSilencer silence; // the error is ours to report
  onnx::ModelProto model;
  google::protobuf::io::CodedInputStream stream(bytes.data(),
                                                static_cast<int>(bytes.size()));
  if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
    return corrupt(fmt::format("no valid protobuf message: parsing failed "
                               "near byte {} of {} (truncated or damaged "
                               "file, or no ONNX file)",
                               stream.CurrentPosition(), bytes.size()));
  }
  if (!model.has_graph()) {
    return corrupt("the file holds no graph: no ONNX model");
  }
  if (model.ir_version() < 1) {
    return corrupt(
        fmt::format("IR version {}, expected 1 or more", model.ir_version()));
  }
  KILN_RETURN_IF_ERROR(checkOpsets(model));
  KILN_RETURN_IF_ERROR(checkGraph(model.graph()));
  return model;
}

} // namespace kiln::frontend
