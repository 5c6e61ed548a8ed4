// SPDX-License-Identifier: Apache-2.0
#include "tools/engine/device_body_runner.h"

#include "compiler/pipeline/compile.h"
#include "hal/api/session.h"
#include "hal/drivers/all/all.h"

#include <cstring>

namespace kiln::tools {

namespace {

Result<hal::HostTensor> hostTensor(const BodyTensor &tensor,
                                   const std::vector<uint8_t> &bytes) {
  const auto type = hal::parseDataType(elementName(tensor.type.type));
  if (!type) {
    return Status(StatusCode::kUnsupported,
                  "'" + tensor.name + "' has a type that packages cannot hold");
  }
  hal::HostTensor result = hal::HostTensor::make(*type, tensor.type.shape);
  std::memcpy(result.bytes.data(), bytes.data(), result.bytes.size());
  return result;
}

} // namespace

Status DeviceBodyRunner::run(const tik::BodyRequest &request) {
  pipeline::CompileOptions compile;
  compile.target = device_.substr(0, device_.find(':'));
  compile.machine = machine_;
  KILN_ASSIGN_OR_RETURN(
      const pipeline::CompileOutput compiled,
      pipeline::compileBody({request.name, request.body, request.signature},
                            compile));
  hal::DeviceOptions options;
  options.machine = machine_;
  hal::Instance instance;
  KILN_RETURN_IF_ERROR(hal::registerAllDrivers(instance));
  KILN_ASSIGN_OR_RETURN(auto device, instance.createDevice(device_, options));
  KILN_ASSIGN_OR_RETURN(
      auto session,
      hal::Session::load(*device, hal::Blob::borrow(compiled.package)));
  const BodySignature &signature = request.signature;
  std::vector<hal::HostTensor> inputs;
  for (size_t i = 0; i < signature.inputs.size(); ++i) {
    KILN_ASSIGN_OR_RETURN(
        hal::HostTensor input,
        hostTensor(signature.inputs[i], (*request.bindings)[i]));
    inputs.push_back(std::move(input));
  }
  KILN_ASSIGN_OR_RETURN(const auto outputs, session->run(inputs));
  for (size_t i = 0; i < outputs.size(); ++i) {
    std::vector<uint8_t> &bytes = (*request.bindings)[inputs.size() + i];
    std::memcpy(bytes.data(), outputs[i].bytes.data(),
                std::min(bytes.size(), outputs[i].bytes.size()));
  }
  return Status::ok();
}

} // namespace kiln::tools
