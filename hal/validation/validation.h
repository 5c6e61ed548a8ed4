// SPDX-License-Identifier: Apache-2.0
//
// The validation layer: checks every argument against the device, so that
// drivers trust their input. Wraps a driver's device and is one itself.
//
//   std::shared_ptr<DriverDevice> safe = validated(driverDevice);
//
// Refuses, before anything is accepted: foreign buffers and programs, ranges
// outside a buffer, uses a buffer was not made for, host memory bound to a
// dispatch, overlapping copies, misaligned or partly overlapping bindings,
// wrong counts of bindings or constants, unknown entries, no blocks, more
// blocks than cores for a program with a device barrier, absent timelines,
// signals that do not grow, programs of a kind the device does not run.
// All of it is kInvalidArgument, except unknown program kinds (kUnsupported).
//
// Not checked: missing barriers and races between submissions.
#pragma once

#include "hal/api/driver.h"

#include <memory>

namespace kiln::hal {

std::shared_ptr<DriverDevice> validated(std::shared_ptr<DriverDevice> device);

} // namespace kiln::hal
