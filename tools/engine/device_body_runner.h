// SPDX-License-Identifier: Apache-2.0
//
// Devices as the DSL's BodyRunner: an operator's body is compiled as a model of
// its own, for the device's target, and run there.
//
//   DeviceBodyRunner cpu("cpu");
//   DeviceBodyRunner npu("npu:functional", "k1");
//   testOptions.bodyRunner = &cpu;
#pragma once

#include "tik_dsl/testing/kernel_runner.h"

namespace kiln::tools {

class DeviceBodyRunner final : public tik::BodyRunner {
public:
  /// A device of hal::registerAllDrivers(); `machine` is for an NPU.
  explicit DeviceBodyRunner(std::string device, std::string machine = "k1")
      : device_(std::move(device)), machine_(std::move(machine)) {}
  std::string device() const override { return device_; }
  Status run(const tik::BodyRequest &request) override;

private:
  std::string device_, machine_;
};

} // namespace kiln::tools
