// SPDX-License-Identifier: Apache-2.0
//
// The cpu driver: native code on this machine. Device "cpu".
//
// Programs are shared objects; an entry is `void k(const KilnArgs *, uint32_t
// block)` with the argument block of isa/abi/launch.h, bindings being host
// pointers aligned to their elements. Native code is trusted: load only
// packages you trust, or set DeviceOptions::allowNative to false. A time budget
// is checked between blocks; a block that never ends cannot be stopped.
#pragma once

#include "hal/api/driver.h"

namespace kiln::hal {

std::unique_ptr<Driver> makeCpuDriver();

} // namespace kiln::hal
