// SPDX-License-Identifier: Apache-2.0
//
// What the machine file says about one command: how long it occupies its pipe
// and how much later it retires (k1_numbers sections 1, 2 and 4).
//
// Commands that move global memory have no fixed occupancy; their bursts
// decide. For those `occupancy` is the time the pipe itself needs.
#pragma once

#include "isa/arch/arch_spec.h"
#include "isa/codec/command.h"

#include <cstdint>

namespace kiln::sim {

struct CommandTiming {
  uint64_t occupancy = 1;  // cycles; at least one
  uint64_t latency = 0;    // retire = start + occupancy + latency
  uint64_t bankCycles = 0; // of the occupancy: rules 33 and 34, see PipeUnit
  /// mmad: cycles of one k step over the whole tile.
  uint64_t stepCycles = 0;
  /// mmad: what a cell counts in cells of 16-bit operands.
  uint64_t cellWeight = 1;
  /// V: its beats, where it reads and writes blocks beat by beat; else 0.
  uint64_t rows = 0, beatsPerRow = 0;
  /// FIX: elements of a beat.
  uint64_t elementsPerBeat = 0;
  /// fix.gm: bytes the pipe produces per cycle; 0: the port is the limit.
  uint32_t outBytesPerCycle = 0;
  bool global = false; // moves GM through the core's port
};

CommandTiming timingOf(const isa::Command &command,
                       const isa::PipeConfig &config,
                       const isa::ArchSpec &arch);

} // namespace kiln::sim
