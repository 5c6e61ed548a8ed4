// SPDX-License-Identifier: Apache-2.0
//
// Energy of a traced launch, per class of events: how often an event happened,
// times the figure of the machine file, with where that figure comes from.
//
//   for (const EnergyRow &row : energyOf(trace)) { row.picojoules() ... }
//
// Empty for a machine file without the `energy` part. The figures are
// published or chosen per event (see the machine file); use them to compare
// variants, not as absolute numbers.
#pragma once

#include "simulator/trace/trace.h"

#include <string_view>
#include <vector>

namespace kiln::sim {

struct EnergyRow {
  std::string_view event; // key of the machine file
  uint64_t count = 0;
  uint64_t femtojoules = 0; // of one
  std::string source;
  double picojoules() const {
    return static_cast<double>(count) * static_cast<double>(femtojoules) / 1e3;
  }
};

/// One row for every class, also those that did not happen.
std::vector<EnergyRow> energyOf(const Trace &trace);

/// Cycles, summed over cores, in which no pipe of a core was busy.
uint64_t idleCoreCycles(const Trace &trace);

} // namespace kiln::sim
