// SPDX-License-Identifier: Apache-2.0
//
// A driver of the suite's own that can do everything a driver can, loss of the
// device included: the kernels of program_kit.h as C++. It shows that the
// suite is right, and planted bugs are counted on it.
#pragma once

#include "hal/api/driver.h"

namespace kiln::hal::conformance {

std::unique_ptr<Driver> makeReferenceDriver();

} // namespace kiln::hal::conformance
