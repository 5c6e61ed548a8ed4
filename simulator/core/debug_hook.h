// SPDX-License-Identifier: Apache-2.0
//
// DebugHook: how an engine lets somebody look at a core that stands still.
// The engine asks stopsBefore() ahead of every instruction of S; where it says
// yes, the engine stops there and calls stopped(), which returns when the core
// may go on. Nothing of the core moves meanwhile: pipes are frozen too. An
// engine without a hook pays nothing.
#pragma once

#include "simulator/core/core_state.h"
#include "simulator/core/fault_report.h"
#include "simulator/core/flag_file.h"

#include <functional>
#include <vector>

namespace kiln::sim {

/// The frozen core. Borrowed; valid during the call.
struct DebugView {
  const Program *program = nullptr;
  CoreState *state = nullptr;
  const FlagFile *flags = nullptr;
  BlockPosition position;
  uint64_t cycle = 0; // functional engine: instructions of the block
  /// Commands in a pipe's queue, the next one first.
  std::function<std::vector<isa::Command>(isa::Pipe)> queue;
};

class DebugHook {
public:
  virtual ~DebugHook() = default;
  virtual bool stopsBefore(uint64_t pc) = 0;
  /// S is about to execute the instruction at its pc. False: end the launch.
  virtual bool stopped(const DebugView &view) = 0;
  /// The launch froze with a fault; a last look.
  virtual void faulted(const DebugView &view, const FaultReport &fault) = 0;
};

} // namespace kiln::sim
