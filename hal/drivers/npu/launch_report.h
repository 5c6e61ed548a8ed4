// SPDX-License-Identifier: Apache-2.0
//
// What a simulated launch reports, in the terms of the HAL.
#pragma once

#include "hal/api/driver.h"

namespace kiln::sim {
struct LaunchReport;
} // namespace kiln::sim

namespace kiln::hal {

/// With a cycle report when the launch was timed.
ProgramReport toProgramReport(const sim::LaunchReport &report, uint32_t blocks);

} // namespace kiln::hal
