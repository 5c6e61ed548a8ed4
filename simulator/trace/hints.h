// SPDX-License-Identifier: Apache-2.0
//
// Hints: tries changes on the Replay of a trace and keeps those that pay.
#pragma once

#include "simulator/trace/explain.h"

namespace kiln::sim {

/// Fills hints, modelled and modelRatio of an explanation that has the rest.
void addHints(const Trace &trace, Explanation &explanation);

} // namespace kiln::sim
