// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory/memory_system.h"

#include "simulator/memory/l2_memory.h"
#include "simulator/memory/shared_memory.h"

namespace kiln::sim {

std::unique_ptr<MemorySystem> createMemorySystem(const isa::ArchSpec &arch,
                                                 uint32_t cores,
                                                 TimingWheel &wheel,
                                                 uint64_t start) {
  if (arch.timing.memory.model == "flat") {
    return std::make_unique<SharedMemory>(arch.timing.memory, cores, wheel);
  }
  return std::make_unique<L2Memory>(arch, cores, wheel, start);
}

} // namespace kiln::sim
