// SPDX-License-Identifier: Apache-2.0
//
// Options of a launch as people write them.
//
//   KILN_RETURN_IF_ERROR(setOrder("random:7", request));
//   KILN_RETURN_IF_ERROR(setChecks({"race", "init"}, request.checks));
//
// Errors: kInvalidArgument names the text and what is allowed.
#pragma once

#include "simulator/core/engine.h"

#include <string>
#include <string_view>
#include <vector>

namespace kiln::sim {

/// eager, lazy or random:SEED.
Status setOrder(std::string_view text, LaunchRequest &request);
/// Of race, init, bounds and flags; the others stay as they are.
Status setChecks(const std::vector<std::string> &names, Checks &checks);

} // namespace kiln::sim
