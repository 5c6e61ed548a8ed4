// SPDX-License-Identifier: Apache-2.0
//
// Devices for the verbs: which drivers this build has, and the options that
// all verbs with a device share.
//
//   DeviceChoice choice;
//   addDeviceOptions(*verb, choice);                 // --device, --machine ...
//   auto opened = openDevice(choice);                // Result<OpenDevice>
//   Session::load(*opened->device, package);
#pragma once

#include "hal/api/instance.h"
#include "hal/drivers/npu/launch_tracer.h"
#include "tools/kiln/context.h"

#include <memory>
#include <string>
#include <vector>

namespace kiln::tools {

struct DeviceChoice {
  std::string device = "cpu";
  std::string machine; // empty: the package's, else k1
  uint32_t cores = 1;
  uint32_t threads = 1;
  std::string order = "eager";
  std::vector<std::string> checks;
  uint64_t budget = 0;
  bool noNative = false;
  bool dataOff = false;                // npu:cycle
  hal::LaunchTracer *tracer = nullptr; // borrowed; npu:cycle
};

struct OpenDevice {
  std::unique_ptr<hal::Instance> instance;
  std::unique_ptr<hal::Device> device;
};

/// Registers every driver linked into this program.
Status registerDrivers(hal::Instance &instance,
                       hal::LaunchTracer *tracer = nullptr);
void addDeviceOptions(CLI::App &verb, DeviceChoice &choice);
Result<OpenDevice> openDevice(const DeviceChoice &choice);

/// "npu:cycle" -> "npu": the package target that a device runs.
std::string targetOf(const std::string &device);

} // namespace kiln::tools
