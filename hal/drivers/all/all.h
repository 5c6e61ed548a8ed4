// SPDX-License-Identifier: Apache-2.0
//
// Every driver of the project in one call: null, cpu, npu.
//
//   Instance instance;
//   KILN_RETURN_IF_ERROR(registerAllDrivers(instance));
#pragma once

#include "hal/api/instance.h"

namespace kiln::hal {

Status registerAllDrivers(Instance &instance);

} // namespace kiln::hal
