// SPDX-License-Identifier: Apache-2.0
//
// MemPort: how a core's DMA pipes talk to the memory system in the cycle
// engine; what is behind it is a MemorySystem (memory_system.h).
//
// Data never travels through a port (isa/semantics moves bytes at retire); a
// port only says when.
#pragma once

#include "isa/support/units.h"

#include <cstdint>

namespace kiln::sim {

/// One burst: at most `burstBytes` of the machine file, inside one row of a
/// DMA command and between two multiples of burstBytes.
struct MemRequest {
  GmAddr addr;
  uint32_t bytes = 0;
  uint32_t beats = 0; // port beats it occupies, >= 1
  bool write = false;
  uint64_t tag = 0; // returned unchanged
};

/// Called by the memory system when a burst completes: read data has arrived
/// or a write has been acknowledged.
class MemClient {
public:
  virtual ~MemClient() = default;
  virtual void burstDone(uint64_t tag, Cycle now) = 0;
  /// Called before that for a read, in `first` or earlier: its beats come one
  /// per cycle from `first` on, behind those of all bursts told of before.
  virtual void burstComes(uint64_t tag, Cycle first) {}
};

/// A core's connection. Single-threaded: the engine's event loop owns it.
class MemPort {
public:
  virtual ~MemPort() = default;
  /// The first cycle >= now at which a burst may be handed over in this
  /// direction (port beats free and an outstanding slot open); Cycle max when
  /// only a completion can free a slot.
  virtual Cycle readyAt(bool write, Cycle now) const = 0;
  /// Hands over a burst at `now` >= readyAt(). The client hears burstDone().
  virtual void issue(const MemRequest &request, MemClient &client,
                     Cycle now) = 0;
};

} // namespace kiln::sim
