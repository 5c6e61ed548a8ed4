// SPDX-License-Identifier: Apache-2.0
//
// Planted driver bugs: a DriverDevice that wraps a good one and misbehaves in
// one named way, below the validation layer, where a driver's bugs live.
//
//   auto bad = plantBug(goodDevice, "copies-short");
//
// Also the one wrapper that is no bug: "reorders-legally" runs the commands
// between two barriers in reverse, as a driver may.
#pragma once

#include "hal/api/driver.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::hal::conformance {

/// The names of the bugs.
const std::vector<std::string> &plantedBugs();

/// `bug` is one of plantedBugs() or "reorders-legally".
std::shared_ptr<DriverDevice> plantBug(std::shared_ptr<DriverDevice> device,
                                       std::string_view bug);

} // namespace kiln::hal::conformance
