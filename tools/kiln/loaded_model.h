// SPDX-License-Identifier: Apache-2.0
//
// A model on a device, whatever file it came from: a .kiln package is loaded,
// anything else is compiled first.
//
//   Result<LoadedModel> model = loadModel("m.onnx", inputs, choice, options);
//   Result<NamedTensors> outputs = model->run(inputs);
//
// Inputs are given by name; symbolic dimensions take their value from them.
#pragma once

#include "hal/api/session.h"
#include "tools/io/host_tensor.h"
#include "tools/kiln/compile_model.h"
#include "tools/kiln/device.h"

namespace kiln::tools {

/// In the order of the model's inputs or outputs; names are HostTensor::name.
using NamedTensors = std::vector<HostTensor>;

class LoadedModel {
public:
  /// kInvalidArgument for an unknown, missing or double input and for a wrong
  /// type or shape: names what the model expects.
  Result<NamedTensors> run(const NamedTensors &inputs,
                           const hal::RunOptions &options = {});

  const hal::PackageModel &package() const { return session->model(); }
  const hal::DeviceDescription &device() const {
    return opened.device->description();
  }

  OpenDevice opened;
  std::unique_ptr<hal::Session> session;
};

Result<LoadedModel> loadModel(const std::filesystem::path &path,
                              const NamedTensors &inputs,
                              const DeviceChoice &choice,
                              CompileOptions options);
/// The bytes of a package.
Result<LoadedModel> loadPackage(std::vector<uint8_t> bytes,
                                const DeviceChoice &choice);

/// A graph input of an ONNX file that is no initializer.
struct GraphInput {
  std::string name;
  int onnxType = 0;
  bool rankKnown = true;
  std::vector<int64_t> dims{};        // -1: symbolic
  std::vector<std::string> symbols{}; // per dimension; empty: fixed

  /// "'image' batchx1x8x8 f32".
  std::string describe() const;
};
/// In graph order, the order of test data.
Result<std::vector<GraphInput>> graphInputs(const std::filesystem::path &path);

/// hal's tensor of ours and back; kUnsupported for u32 and u64.
Result<hal::HostTensor> toHal(const HostTensor &tensor);
HostTensor fromHal(const hal::HostTensor &tensor, std::string name);
Result<ops::DataType> fromHal(hal::DataType type);

} // namespace kiln::tools
