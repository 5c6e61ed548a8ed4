// SPDX-License-Identifier: Apache-2.0
//
// The commands of a launch as a timeline for Perfetto (https://ui.perfetto.dev)
// in the JSON trace event format: one process per core, one thread per pipe,
// one microsecond per cycle.
#pragma once

#include "simulator/core/engine.h"

#include <string>

#include <nlohmann/json.hpp>

namespace kiln::tools {

class TraceWriter final : public sim::CommandListener {
public:
  explicit TraceWriter(const isa::ArchSpec &machine) : machine_(machine) {}

  void retired(const sim::CommandStamp &stamp) override;
  std::string perfettoJson() const;

private:
  const isa::ArchSpec &machine_;
  std::vector<sim::CommandStamp> stamps_;
};

} // namespace kiln::tools
