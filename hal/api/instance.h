// SPDX-License-Identifier: Apache-2.0
//
// Instance: the drivers of a process.
//
//   Instance instance;
//   registerAllDrivers(instance);              // hal/drivers/all/all.h
//   for (const DeviceInfo &d : instance.enumerate()) print(d.name);
//   auto device = instance.createDevice("cpu", {});
//
// Drivers are registered by explicit calls; there is no discovery.
// Thread rule: register first, then any call from any thread.
#pragma once

#include "hal/api/device.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::hal {

class Driver;

/// A device that can be created.
struct DeviceInfo {
  std::string name;    // "npu:cycle"
  std::string summary; // one line
};

class Instance {
public:
  Instance();
  ~Instance();
  Instance(Instance &&) noexcept;
  Instance &operator=(Instance &&) noexcept;

  /// kInvalidArgument when a driver of that name is registered.
  Status registerDriver(std::unique_ptr<Driver> driver);

  /// Devices of all drivers, in order of registration.
  std::vector<DeviceInfo> enumerate() const;

  /// "DRIVER" or "DRIVER:VARIANT". kInvalidArgument lists the names there are;
  /// and the driver's own errors, for options it cannot honour. The validation
  /// layer is put on, unless the options say no.
  Result<std::unique_ptr<Device>>
  createDevice(std::string_view name, const DeviceOptions &options = {}) const;

private:
  std::vector<std::unique_ptr<Driver>> drivers_;
};

} // namespace kiln::hal
