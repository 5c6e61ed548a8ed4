// SPDX-License-Identifier: Apache-2.0
//
// CommandListener: what the cycle engine tells a trace while a launch runs:
// the stamps of every command, and how every pipe spent its cycles. An engine
// without a listener pays one null test per event.
#pragma once

#include "isa/codec/command.h"

#include <cstdint>

namespace kiln::sim {

/// One command's life, in cycles of the launch.
struct CommandStamp {
  uint32_t core = 0;
  isa::Command command;
  uint64_t issue = 0;   // S issued it
  uint64_t start = 0;   // it left the queue
  uint64_t busyEnd = 0; // start + occupancy
  uint64_t retire = 0;
  /// Of its start; data commands only, valid during the call.
  const isa::PipeConfig *config = nullptr;
  /// Lost in banks: cycles of its occupancy (V, FIX behind M), and those that
  /// its accesses waited behind it or, of a load, behind its transfer.
  uint64_t bankCycles = 0;
};

class CommandListener {
public:
  virtual ~CommandListener() = default;
  /// A core begins a block at `now`.
  virtual void beganBlock(uint32_t core, uint32_t block, uint64_t now) {}
  /// A data command has taken effect.
  virtual void retired(const CommandStamp &stamp) = 0;
  /// kset, kwait, kpost, kpend and kcfg of a pipe or of S, barriers and kend.
  /// `start`: it left the queue (S: it issued). `retire`: its effect is there:
  /// the flag of a kset is visible, a kpost has arrived, S goes on after a
  /// barrier; else the end of its own cycles.
  virtual void synced(const CommandStamp &stamp) {}
  /// `pipe` spent its next `cycles` cycles in the state with this index
  /// (PipeState). The calls of one pipe tile the launch from cycle 0.
  virtual void spent(uint32_t core, isa::Pipe pipe, unsigned state,
                     uint64_t cycles) {}
};

} // namespace kiln::sim
