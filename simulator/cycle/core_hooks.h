// SPDX-License-Identifier: Apache-2.0
//
// CoreHooks: what the units of one core use of their core and the launch.
#pragma once

#include "simulator/core/core_state.h"
#include "simulator/core/flag_file.h"
#include "simulator/core/launch_observer.h"
#include "simulator/core/timing_wheel.h"
#include "simulator/cycle/data_worker.h"
#include "simulator/memory/mem_port.h"

namespace kiln::sim {

class BankTraffic;

class CoreHooks {
public:
  virtual ~CoreHooks() = default;
  /// Makes a flag visible at cycle `at`, when it is checked for being set.
  virtual void setFlagAt(const isa::Command &set, uint64_t at) = 0;
  /// Freezes the launch with a fault of a command or of the control core.
  virtual void failCommand(const isa::Command &c, isa::Fault fault) = 0;
  virtual void failControl(uint64_t pc, isa::Fault fault) = 0;
  /// A kpost becomes visible at cycle `at`.
  virtual void postAt(const isa::Command &post, uint64_t at) = 0;
  /// A kpend takes 1 from its semaphore where there is one.
  virtual bool takeSemaphore(const isa::Command &pend) = 0;
  /// S is at a device barrier with empty pipes; released() follows.
  virtual void arrive(uint64_t now) = 0;
  /// A pipe took a command from its queue or became idle at `now`.
  virtual void pipeChanged(uint64_t now) = 0;
  /// S puts a command into the queue of its pipe.
  virtual void push(const isa::Command &c, uint64_t now) = 0;
  virtual bool hasRoom(isa::Pipe pipe, uint64_t now) const = 0;
  /// All pipes are empty and idle; `lastActivity`: since when.
  virtual bool allIdle(uint64_t &lastActivity) const = 0;
  /// The cycle in which the last flag set so far becomes visible.
  virtual uint64_t flagsSettledAt() const = 0;
  /// A debugger looks at the core at `now`; false: it ends the launch.
  virtual bool stoppedForDebugger(uint64_t now) = 0;
  /// The block has ended at `now`; flags are checked.
  virtual void blockEnded(const isa::Command &end, uint64_t now) = 0;
};

/// Everything a unit of a core needs, owned by the core.
struct UnitContext {
  const isa::ArchSpec *arch = nullptr;
  TimingWheel *wheel = nullptr;
  CoreHooks *core = nullptr;
  CoreState *state = nullptr;
  FlagFile *flags = nullptr;
  BankTraffic *traffic = nullptr;
  LaunchReport *report = nullptr;
  LaunchObserver *observer = nullptr;
  CommandListener *listener = nullptr;
  DataWorkers *workers = nullptr; // null: data at retirement
  uint32_t coreId = 0;
  uint32_t block = 0; // that runs
  bool dataOff = false;
  bool stopped = false;               // a fault: units do nothing any more
  uint64_t firstStart = ~uint64_t{0}; // of a data command
  uint64_t lastRetire = 0;
};

} // namespace kiln::sim
