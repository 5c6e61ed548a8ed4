// SPDX-License-Identifier: Apache-2.0
#include "hal/drivers/null/null_driver.h"

#include "hal/core/host_memory.h"
#include "hal/core/host_queues.h"

namespace kiln::hal {
namespace {

constexpr uint32_t kQueues = 2;

class NullDevice : public DriverDevice, CommandExecutor {
public:
  explicit NullDevice(DeviceDescription description)
      : description_(std::move(description)),
        memory_(description_.memoryBytes) {}

  const DeviceDescription &description() const override { return description_; }

  Result<std::unique_ptr<DriverMemory>>
  allocate(const BufferRequest &request) override {
    return memory_.allocate(request);
  }

  Result<std::unique_ptr<DriverProgram>>
  loadProgram(const ProgramImage &image) override {
    ProgramReflection reflection{image.kind, image.name, image.bytes.size()};
    for (const std::string &entry : image.entries) {
      reflection.entries.push_back({entry});
    }
    return std::make_unique<DriverProgram>(std::move(reflection));
  }

  Status submit(uint32_t queue, Submission submission) override {
    return queues_.submit(queue, std::move(submission));
  }

private:
  /// Called on a thread of a queue, with checked arguments.
  Result<ProgramReport> run(const DispatchCommand &command) override {
    ProgramReport report;
    report.blocks = command.blocks;
    return report;
  }
  Status run(const CopyCommand &command) override {
    return copyOnHost(command);
  }
  Status run(const FillCommand &command) override {
    return fillOnHost(command);
  }
  Status run(const UploadCommand &command) override {
    return uploadOnHost(command);
  }

  DeviceDescription description_;
  HostMemoryPool memory_;
  HostQueues queues_{*this, kQueues}; // last: stops before the rest goes
};

class NullDriver : public Driver {
public:
  std::string_view name() const override { return "null"; }

  std::vector<DeviceInfo> enumerate() const override {
    return {{"null", "executes nothing: checks and orders work"}};
  }

  Result<std::shared_ptr<DriverDevice>>
  createDevice(std::string_view, const DeviceOptions &options) const override {
    DeviceDescription d;
    d.name = d.driver = d.target = "null";
    d.summary = enumerate()[0].summary;
    d.memoryBytes =
        options.memoryBytes ? options.memoryBytes : hostMemoryBytes();
    d.queues = kQueues;
    d.programKinds = {ProgramKind::kNull, ProgramKind::kNpuElf,
                      ProgramKind::kCpuSo};
    return std::shared_ptr<DriverDevice>(
        std::make_shared<NullDevice>(std::move(d)));
  }
};

} // namespace

std::unique_ptr<Driver> makeNullDriver() {
  return std::make_unique<NullDriver>();
}

} // namespace kiln::hal
