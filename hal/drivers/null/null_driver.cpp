// SPDX-License-Identifier: Apache-2.0
#include "hal/drivers/null/null_driver.h"

#include "hal/core/host_device.h"
#include "hal/core/host_memory.h"

namespace kiln::hal {
namespace {

constexpr uint32_t kQueues = 2;

class NullBackend : public HostBackend {
public:
  Result<std::unique_ptr<DriverProgram>>
  loadProgram(const ProgramImage &image) override {
    return std::make_unique<DriverProgram>(reflectionOf(image));
  }

  Result<ProgramReport> run(const DispatchCommand &command) override {
    ProgramReport report;
    report.blocks = command.blocks;
    return report;
  }
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
    return makeHostDevice(std::move(d), std::make_unique<NullBackend>());
  }
};

} // namespace

std::unique_ptr<Driver> makeNullDriver() {
  return std::make_unique<NullDriver>();
}

} // namespace kiln::hal
