// SPDX-License-Identifier: Apache-2.0
//
// Every driver of the project in one call: null, cpu, npu.
//
//   Instance instance;
//   KILN_RETURN_IF_ERROR(registerAllDrivers(instance));
#pragma once

#include "hal/api/instance.h"
#include "hal/drivers/npu/launch_tracer.h"

namespace kiln::hal {

/// `tracer` (borrowed, may be null) follows launches of "npu:cycle".
Status registerAllDrivers(Instance &instance, LaunchTracer *tracer = nullptr);

} // namespace kiln::hal
