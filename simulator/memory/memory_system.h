// SPDX-License-Identifier: Apache-2.0
//
// MemorySystem: what is behind the cores' GM ports for one launch. Two
// implementations, chosen by timing.memory.model of the machine file:
//
//   system   network, L2 and DRAM (l2_memory.h)
//   flat     one server with a fixed latency (shared_memory.h)
//
//   TimingWheel wheel;
//   auto memory = createMemorySystem(arch, cores, wheel);
//   memory->port(core).issue(request, client, now);
//
// A launch starts with an empty L2 and closed DRAM rows, and refresh counts
// from `start`, the cycle its blocks begin, so that its cycles depend on
// nothing before it.
//
// Thread rule: one thread, that of the wheel.
#pragma once

#include "isa/arch/arch_spec.h"
#include "simulator/core/launch_report.h"
#include "simulator/core/timing_wheel.h"
#include "simulator/memory/mem_port.h"

#include <memory>

namespace kiln::sim {

class MemorySystem {
public:
  virtual ~MemorySystem() = default;
  virtual MemPort &port(uint32_t core) = 0;
  /// What happened so far.
  virtual MemoryCounters counters() const { return {}; }
};

std::unique_ptr<MemorySystem> createMemorySystem(const isa::ArchSpec &arch,
                                                 uint32_t cores,
                                                 TimingWheel &wheel,
                                                 uint64_t start = 0);

} // namespace kiln::sim
