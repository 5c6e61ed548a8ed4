// SPDX-License-Identifier: Apache-2.0
#include "hal/api/device.h"

#include "hal/api/driver.h"

#include <string>

namespace kiln::hal {

Device::Device(std::shared_ptr<DriverDevice> device)
    : device_(std::move(device)) {}

Device::~Device() = default;

const DeviceDescription &Device::description() const {
  return device_->description();
}

Result<std::shared_ptr<Buffer>> Device::allocate(const BufferRequest &request) {
  KILN_ASSIGN_OR_RETURN(std::unique_ptr<DriverMemory> memory,
                        device_->allocate(request));
  return std::make_shared<Buffer>(request, std::move(memory));
}

Result<std::shared_ptr<Timeline>> Device::createTimeline(uint64_t value) {
  return std::make_shared<Timeline>(value);
}

Result<std::shared_ptr<Program>>
Device::loadProgram(const ProgramImage &image) {
  Result<std::unique_ptr<DriverProgram>> program = device_->loadProgram(image);
  if (!program) {
    return program.status().withContext("program '" + image.name + "'");
  }
  return std::make_shared<Program>(*std::move(program));
}

Result<std::shared_ptr<Recording>> Device::createRecording() {
  return std::make_shared<Recording>();
}

Result<Queue> Device::queue(uint32_t index) {
  if (index >= description().queues) {
    return Status(StatusCode::kInvalidArgument,
                  "queue " + std::to_string(index) + " of " +
                      std::to_string(description().queues));
  }
  return Queue(*device_, index);
}

} // namespace kiln::hal
