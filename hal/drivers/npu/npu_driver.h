// SPDX-License-Identifier: Apache-2.0
//
// The npu driver: devices "npu:functional" (untimed) and "npu:cycle" (reports
// cycles), both simulated, running the same programs with the same bits.
//
//   auto device = instance.createDevice(
//       "npu:cycle", {.machine = "k1", .cores = 4, .budgetCycles = 1'000'000});
//
// Device memory is reached by upload and copy only. A fault of a program
// (kDeviceFault, kBudgetExceeded) fails the timelines of its submission with
// the whole report; the device stays usable.
#pragma once

#include "hal/api/driver.h"
#include "hal/drivers/npu/launch_tracer.h"

namespace kiln::hal {

/// `tracer` (borrowed, may be null) follows launches of "npu:cycle".
std::unique_ptr<Driver> makeNpuDriver(LaunchTracer *tracer = nullptr);

} // namespace kiln::hal
