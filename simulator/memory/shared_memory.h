// SPDX-License-Identifier: Apache-2.0
//
// SharedMemory: the memory system behind the cores' ports as one server
// (timing.memory.model: flat): what a run compares the full system with.
//
// A burst handed over at cycle t with b beats
//   - occupies its core's port of that direction in [t, t + b);
//   - holds one of the direction's outstanding slots until it completes;
//   - is served first come, first served at serverBytesPerCycle, together
//     with the bursts of all cores and both directions;
//   - completes at max(t + b, end of service) + latency, and a read not
//     before the one in front of it plus b (the return path is as wide as
//     the port).
// So one unloaded burst completes at t + b + latency.
#pragma once

#include "simulator/memory/memory_system.h"

#include <memory>
#include <vector>

namespace kiln::sim {

class SharedMemory final : public MemorySystem {
public:
  SharedMemory(const isa::MemoryTiming &timing, uint32_t cores,
               TimingWheel &wheel);
  ~SharedMemory() override;

  MemPort &port(uint32_t core) override;

private:
  class Port;

  /// Serves `bytes` from `now` on; the cycle in which the last one is served.
  uint64_t serve(uint64_t now, uint32_t bytes);

  isa::MemoryTiming timing_;
  TimingWheel &wheel_;
  /// End of the last service, in bytes: cycle * serverBytesPerCycle.
  uint64_t serverEnd_ = 0;
  std::vector<std::unique_ptr<Port>> ports_;
};

} // namespace kiln::sim
