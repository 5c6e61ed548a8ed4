// SPDX-License-Identifier: Apache-2.0
//
// LaunchTracer: follows the launches of a simulated NPU's cycle engine. A tool
// that records traces implements it and gives it to registerAllDrivers(); it
// outlives the instance. Calls come one launch at a time, from any thread.
#pragma once

namespace kiln::isa {
struct ArchSpec;
} // namespace kiln::isa
namespace kiln::sim {
class CommandListener;
class Program;
struct LaunchReport;
} // namespace kiln::sim

namespace kiln::hal {

class LaunchTracer {
public:
  virtual ~LaunchTracer() = default;
  /// A launch begins; what listens to it, or null. Stays valid until ended().
  virtual sim::CommandListener *begin(const isa::ArchSpec &machine,
                                      const sim::Program &program) = 0;
  /// The launch has ended; null after a fault.
  virtual void ended(const sim::LaunchReport *report) = 0;
};

} // namespace kiln::hal
