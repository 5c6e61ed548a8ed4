// SPDX-License-Identifier: Apache-2.0
//
// The null driver: memory, transfers and ordering work, programs do nothing.
// Device "null". It takes every kind of program, so any package can be walked
// through it. It is the skeleton of a new driver: copy the folder, rename,
// replace loadProgram() and run(DispatchCommand). hal/README.md has the steps.
#pragma once

#include "hal/api/driver.h"

namespace kiln::hal {

std::unique_ptr<Driver> makeNullDriver();

} // namespace kiln::hal
