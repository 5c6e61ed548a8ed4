// SPDX-License-Identifier: Apache-2.0
#include "hal/api/instance.h"

#include "hal/api/driver.h"
#include "hal/validation/validation.h"

namespace kiln::hal {

Instance::Instance() = default;
Instance::~Instance() = default;
Instance::Instance(Instance &&) noexcept = default;
Instance &Instance::operator=(Instance &&) noexcept = default;

Status Instance::registerDriver(std::unique_ptr<Driver> driver) {
  for (const auto &other : drivers_) {
    if (other->name() == driver->name()) {
      return {StatusCode::kInvalidArgument, "driver '" +
                                                std::string(driver->name()) +
                                                "' is registered already"};
    }
  }
  drivers_.push_back(std::move(driver));
  return Status::ok();
}

std::vector<DeviceInfo> Instance::enumerate() const {
  std::vector<DeviceInfo> all;
  for (const auto &driver : drivers_) {
    std::vector<DeviceInfo> devices = driver->enumerate();
    all.insert(all.end(), devices.begin(), devices.end());
  }
  return all;
}

Result<std::unique_ptr<Device>>
Instance::createDevice(std::string_view name,
                       const DeviceOptions &options) const {
  std::string known;
  for (const auto &driver : drivers_) {
    for (const DeviceInfo &info : driver->enumerate()) {
      known += known.empty() ? info.name : ", " + info.name;
      if (info.name != name) {
        continue;
      }
      KILN_ASSIGN_OR_RETURN(std::shared_ptr<DriverDevice> device,
                            driver->createDevice(name, options));
      if (options.validation) {
        device = validated(std::move(device));
      }
      return std::make_unique<Device>(std::move(device));
    }
  }
  return Status(StatusCode::kInvalidArgument,
                "no device '" + std::string(name) + "'; there are: " + known);
}

} // namespace kiln::hal
