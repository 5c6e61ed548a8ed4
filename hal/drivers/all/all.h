// SPDX-License-Identifier: Apache-2.0
//
// Every driver of the project in one call: null, cpu, npu.
//
//   Instance instance;
//   KILN_RETURN_IF_ERROR(registerAllDrivers(instance));
#pragma once

#include "hal/api/instance.h"

namespace kiln::hal {

class LaunchTracer; // hal/drivers/npu/launch_tracer.h

/// `tracer` (borrowed, may be null) follows launches of "npu:cycle".
Status registerAllDrivers(Instance &instance, LaunchTracer *tracer = nullptr);

} // namespace kiln::hal
