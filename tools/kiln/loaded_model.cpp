// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/loaded_model.h"

#include "tools/io/file.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

namespace kiln::tools {
namespace {

Status invalid(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

std::string expectedInputs(const hal::Session &session) {
  std::string text = "the model takes";
  for (size_t i = 0; i < session.model().inputs.size(); ++i) {
    const hal::ValueModel &value = session.input(i);
    text += fmt::format("{} '{}' {} {}", i ? "," : "", value.name,
                        ops::toString(value.shape), hal::name(value.type));
  }
  return text;
}

Status checkInput(const hal::ValueModel &value, const hal::HostTensor &tensor) {
  if (tensor.type != value.type || tensor.shape != value.shape) {
    return invalid(
        fmt::format("input '{}' is {} {}, the model needs {} {}", value.name,
                    ops::toString(tensor.shape), hal::name(tensor.type),
                    ops::toString(value.shape), hal::name(value.type)));
  }
  return Status::ok();
}

const GraphInput *findInput(const std::vector<GraphInput> &graph,
                            const std::string &name) {
  for (const GraphInput &input : graph) {
    if (input.name == name) {
      return &input;
    }
  }
  return nullptr;
}

/// Every given input exists and every input is given: said before a model is
/// compiled.
Status checkNames(const std::vector<GraphInput> &graph,
                  const NamedTensors &inputs) {
  std::string expected = "the model takes";
  for (const GraphInput &input : graph) {
    expected += (&input == graph.data() ? " " : ", ") + input.describe();
  }
  for (const HostTensor &tensor : inputs) {
    if (!findInput(graph, tensor.name)) {
      return invalid(
          fmt::format("unknown input '{}'; {}", tensor.name, expected));
    }
  }
  for (const GraphInput &input : graph) {
    bool given = std::any_of(inputs.begin(), inputs.end(), [&](const auto &t) {
      return t.name == input.name;
    });
    if (!given) {
      return invalid(fmt::format("input '{}' is missing (--input {}=FILE); {}",
                                 input.name, input.name, expected));
    }
  }
  return Status::ok();
}

bool matches(const GraphInput &input, const HostTensor &given) {
  if (ops::toOnnx(given.type) != input.onnxType) {
    return false;
  }
  if (!input.rankKnown) {
    return true;
  }
  if (given.shape.size() != input.dims.size()) {
    return false;
  }
  for (size_t d = 0; d < input.dims.size(); ++d) {
    if (input.dims[d] >= 0 && input.dims[d] != given.shape[d]) {
      return false;
    }
  }
  return true;
}

/// Values of symbolic dimensions, from the shapes of the given inputs.
Result<std::map<std::string, int64_t>>
dimsOfInputs(const std::vector<GraphInput> &graph, const NamedTensors &inputs,
             std::map<std::string, int64_t> dims) {
  for (const HostTensor &given : inputs) {
    const GraphInput &input = *findInput(graph, given.name);
    if (!matches(input, given)) {
      return invalid(fmt::format("input '{}' is {}; the model takes {}",
                                 given.name, describe(given),
                                 input.describe()));
    }
    for (size_t d = 0; d < input.symbols.size(); ++d) {
      const std::string &symbol = input.symbols[d];
      if (symbol.empty()) {
        continue;
      }
      if (given.shape[d] == 0) {
        return Status(StatusCode::kUnsupported,
                      fmt::format("input '{}' is empty: dimension '{}' is 0",
                                  input.name, symbol));
      }
      auto [at, fresh] = dims.emplace(symbol, given.shape[d]);
      if (!fresh && at->second != given.shape[d]) {
        return invalid(
            fmt::format("dimension '{}' is {} elsewhere, but input '{}' has {}",
                        symbol, at->second, input.name, given.shape[d]));
      }
    }
  }
  return dims;
}

/// A package is what it was compiled to.
Status checkForPackage(const CompileOptions &options) {
  const CompileOptions none;
  std::string given;
  auto note = [&](bool isGiven, const char *option) {
    given += isGiven ? (given.empty() ? "" : ", ") + std::string(option) : "";
  };
  note(!options.dims.empty(), "--dim");
  note(options.precision != none.precision, "--precision");
  note(options.sync != none.sync, "--sync");
  note(options.kernelLibrary != nullptr, "--ops");
  note(!options.dumpDir.empty(), "--dump-dir");
  return given.empty() ? Status::ok()
                       : invalid("a package is compiled already: " + given +
                                 " is for kiln compile or an .onnx file");
}

} // namespace

Result<ops::DataType> fromHal(hal::DataType type) {
  if (auto found = ops::parseDataType(hal::name(type))) {
    return *found;
  }
  return Status(StatusCode::kInternal, "element type without a name");
}

Result<hal::HostTensor> toHal(const HostTensor &tensor) {
  auto type = hal::parseDataType(ops::name(tensor.type));
  if (!type) {
    return Status(StatusCode::kUnsupported,
                  fmt::format("input '{}' has element type {}", tensor.name,
                              ops::name(tensor.type)));
  }
  hal::HostTensor result{*type, tensor.shape, {}};
  result.bytes.resize(tensor.bytes.size());
  std::memcpy(result.bytes.data(), tensor.bytes.data(), tensor.bytes.size());
  return result;
}

HostTensor fromHal(const hal::HostTensor &tensor, std::string name) {
  HostTensor result{std::move(name), *fromHal(tensor.type), tensor.shape, {}};
  result.bytes.resize(tensor.bytes.size());
  std::memcpy(result.bytes.data(), tensor.bytes.data(), tensor.bytes.size());
  return result;
}

std::string GraphInput::describe() const {
  std::string shape;
  for (size_t d = 0; d < dims.size(); ++d) {
    shape += (d ? "x" : "") +
             (symbols[d].empty() ? std::to_string(dims[d]) : symbols[d]);
  }
  std::optional<ops::DataType> type = ops::fromOnnx(onnxType);
  return fmt::format("'{}' {} {}", name, shape.empty() ? "scalar" : shape,
                     type ? ops::name(*type) : "of another type");
}

Result<std::vector<GraphInput>> graphInputs(const std::filesystem::path &path) {
  KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, readFile(path));
  onnx::ModelProto model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Status(StatusCode::kCorrupt,
                  path.string() + ": not an ONNX model (truncated or damaged)");
  }
  std::vector<GraphInput> inputs;
  for (const auto &input : model.graph().input()) {
    const auto &initializers = model.graph().initializer();
    bool constant =
        std::any_of(initializers.begin(), initializers.end(),
                    [&](const auto &t) { return t.name() == input.name(); });
    if (constant) {
      continue;
    }
    if (!input.type().has_tensor_type()) {
      return Status(StatusCode::kUnsupported,
                    fmt::format("{}: input '{}' is no tensor; sequences, "
                                "optionals and maps are not supported",
                                path.string(), input.name()));
    }
    GraphInput entry{input.name(), input.type().tensor_type().elem_type()};
    entry.rankKnown = input.type().tensor_type().has_shape();
    const auto &shape = input.type().tensor_type().shape();
    for (int d = 0; d < shape.dim_size(); ++d) {
      const auto &dim = shape.dim(d);
      std::string unnamed = fmt::format("{}[{}]", input.name(), d);
      // A stored 0 is an empty dimension; below 0 stands for "any".
      bool fixed = dim.has_dim_value() && dim.dim_value() >= 0;
      entry.dims.push_back(fixed ? dim.dim_value() : -1);
      entry.symbols.push_back(fixed                     ? ""
                              : dim.dim_param().empty() ? unnamed
                                                        : dim.dim_param());
    }
    inputs.push_back(std::move(entry));
  }
  return inputs;
}

Result<NamedTensors> LoadedModel::run(const NamedTensors &inputs,
                                      const hal::RunOptions &options) {
  std::vector<hal::HostTensor> ordered(package().inputs.size());
  std::vector<bool> given(ordered.size(), false);
  for (const HostTensor &tensor : inputs) {
    size_t i = 0;
    while (i < ordered.size() && session->input(i).name != tensor.name) {
      ++i;
    }
    if (i == ordered.size() || given[i]) {
      return invalid(fmt::format("{} input '{}'; {}",
                                 i == ordered.size() ? "unknown" : "second",
                                 tensor.name, expectedInputs(*session)));
    }
    given[i] = true;
    KILN_ASSIGN_OR_RETURN(ordered[i], toHal(tensor));
    KILN_RETURN_IF_ERROR(checkInput(session->input(i), ordered[i]));
  }
  for (size_t i = 0; i < ordered.size(); ++i) {
    if (!given[i]) {
      return invalid(fmt::format("input '{}' is missing (--input {}=FILE); {}",
                                 session->input(i).name, session->input(i).name,
                                 expectedInputs(*session)));
    }
  }
  KILN_ASSIGN_OR_RETURN(std::vector<hal::HostTensor> results,
                        session->run(ordered, options));
  NamedTensors outputs;
  for (size_t i = 0; i < results.size(); ++i) {
    outputs.push_back(fromHal(results[i], session->output(i).name));
  }
  return outputs;
}

Result<LoadedModel> loadPackage(std::vector<uint8_t> bytes,
                                const DeviceChoice &choice) {
  DeviceChoice actual = choice;
  if (actual.machine.empty()) {
    KILN_ASSIGN_OR_RETURN(hal::Package package, hal::Package::parse(bytes));
    actual.machine = package.model().machineName;
  }
  LoadedModel model;
  KILN_ASSIGN_OR_RETURN(model.opened, openDevice(actual));
  KILN_ASSIGN_OR_RETURN(
      model.session,
      hal::Session::load(*model.opened.device, hal::Blob(std::move(bytes))));
  return model;
}

Result<LoadedModel> loadModel(const std::filesystem::path &path,
                              const NamedTensors &inputs,
                              const DeviceChoice &choice,
                              CompileOptions options) {
  if (path.extension() == ".kiln") {
    KILN_RETURN_IF_ERROR(checkForPackage(options).withContext(path.string()));
    KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, readFile(path));
    Result<LoadedModel> model = loadPackage(std::move(bytes), choice);
    return model ? std::move(model) : model.status().withContext(path.string());
  }
  LoadedModel model;
  KILN_ASSIGN_OR_RETURN(std::vector<GraphInput> graph, graphInputs(path));
  KILN_RETURN_IF_ERROR(checkNames(graph, inputs));
  KILN_ASSIGN_OR_RETURN(options.dims,
                        dimsOfInputs(graph, inputs, options.dims));
  KILN_ASSIGN_OR_RETURN(model.opened, openDevice(choice));
  options.target = targetOf(choice.device);
  options.cores = choice.cores;
  if (!choice.machine.empty()) {
    options.machine = choice.machine;
  }
  KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> package, packageOf(path, options));
  KILN_ASSIGN_OR_RETURN(
      model.session,
      hal::Session::load(*model.opened.device, hal::Blob(std::move(package))));
  return model;
}

} // namespace kiln::tools
