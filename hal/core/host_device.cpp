// SPDX-License-Identifier: Apache-2.0
#include "hal/core/host_device.h"

#include "hal/core/host_memory.h"
#include "hal/core/host_queues.h"

namespace kiln::hal {
namespace {

class HostDevice : public DriverDevice, CommandExecutor {
public:
  HostDevice(DeviceDescription description,
             std::unique_ptr<HostBackend> backend)
      : description_(std::move(description)), memory_(description_.memoryBytes),
        backend_(std::move(backend)), queues_(*this, description_.queues) {}

  const DeviceDescription &description() const override { return description_; }

  Result<std::unique_ptr<DriverMemory>>
  allocate(const BufferRequest &request) override {
    return memory_.allocate(request);
  }

  Result<std::unique_ptr<DriverProgram>>
  loadProgram(const ProgramImage &image) override {
    return backend_->loadProgram(image);
  }

  Status submit(uint32_t queue, Submission submission) override {
    return queues_.submit(queue, std::move(submission));
  }

private:
  using CommandExecutor::run;
  Result<ProgramReport> run(const DispatchCommand &command) override {
    return backend_->run(command);
  }

  DeviceDescription description_;
  HostMemoryPool memory_;
  std::unique_ptr<HostBackend> backend_;
  HostQueues queues_; // last: stops before the rest goes
};

} // namespace

std::shared_ptr<DriverDevice>
makeHostDevice(DeviceDescription description,
               std::unique_ptr<HostBackend> backend) {
  return std::make_shared<HostDevice>(std::move(description),
                                      std::move(backend));
}

ProgramReflection reflectionOf(const ProgramImage &image) {
  ProgramReflection reflection{image.kind, image.name, image.bytes.size()};
  for (const std::string &entry : image.entries) {
    reflection.entries.push_back({entry});
  }
  return reflection;
}

} // namespace kiln::hal
