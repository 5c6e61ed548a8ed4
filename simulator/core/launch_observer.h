// SPDX-License-Identifier: Apache-2.0
//
// LaunchObserver: what an engine tells a checker while a launch runs. An
// engine without observers pays one null test per event.
//
// Order of calls: issued() in the program order of S; the events of one pipe
// in the order of its queue; a flag's flagWaited() after the flagSet() it
// consumed. With S as source or destination of a flag there is no issued().
#pragma once

#include "isa/codec/command.h"
#include "simulator/core/control_core.h"
#include "simulator/core/flag_file.h"

namespace kiln::sim {

class LaunchObserver {
public:
  virtual ~LaunchObserver() = default;
  virtual void beginBlock(const BlockPosition &position) = 0;
  /// S put a command into the queue of its pipe.
  virtual void issued(const isa::Command &command) = 0;
  /// A data command is about to take effect.
  virtual void executing(const isa::Command &command,
                         const isa::PipeConfig &config) = 0;
  /// A kcfg took effect.
  virtual void configured(const isa::Command &command) = 0;
  virtual void flagSet(const isa::Command &command, FlagName flag) = 0;
  virtual void flagWaited(const isa::Command &command, FlagName flag) = 0;
  /// kbar: all pipes are empty and S goes on. kdbar as well, before arrived().
  virtual void barrier() = 0;
  /// A kpost or kpend leaves its pipe's queue; the post comes first.
  virtual void posted(const isa::Command &command) = 0;
  virtual void pended(const isa::Command &command) = 0;
  /// kdbar: this block has come; every block has, and S goes on.
  virtual void arrived() = 0;
  virtual void left() = 0;
  /// S accesses the UB window.
  virtual void windowAccess(uint64_t pc, const WindowAccess &access) = 0;
};

} // namespace kiln::sim
