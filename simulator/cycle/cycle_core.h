// SPDX-License-Identifier: Apache-2.0
//
// CycleCore: one core of the cycle engine: S, six pipes, flags, memories and
// the core's connection to GM.
//
//              +----+ push  +------+  +------+  +---+  +-----+  +---+  +------+
//   program -> | S  | ----> | MTE2 |  | MTE1 |  | M |  | FIX |  | V |  | MTE3 |
//              +----+       +------+  +------+  +---+  +-----+  +---+  +------+
//                ^  flags      |         \________\____/ \________/       |
//                +-------------+----------------------------+  WriteArbiter
//                              v MemPort (read)             v MemPort (write)
#pragma once

#include "simulator/core/debug_hook.h"
#include "simulator/core/semaphore_file.h"
#include "simulator/cycle/bank_traffic.h"
#include "simulator/cycle/control_unit.h"
#include "simulator/cycle/pipe_unit.h"
#include "simulator/memory/memory_system.h"

#include <array>
#include <functional>
#include <memory>
#include <optional>

namespace kiln::sim {

/// What a launch lends its cores.
struct LaunchContext {
  const LaunchRequest *request = nullptr;
  const std::vector<uint8_t> *argumentBlock = nullptr;
  TimingWheel *wheel = nullptr;
  MemorySystem *memory = nullptr;
  LaunchReport *report = nullptr;
  std::vector<LaunchObserver *> observers; // of each core; or empty
  HostGlobalMemory *gm = nullptr;
  SemaphoreFile *semaphores = nullptr;
  DataWorkers *workers = nullptr; // or null
  /// A semaphore of the block has grown; all blocks have come to the device
  /// barrier and leave it at `now`.
  std::function<void(uint32_t block, uint64_t now)> semaphoreGrew;
  std::function<void(uint64_t now)> barrierPassed;
  /// A core has ended its block, or frozen with a fault.
  std::function<void(uint32_t core, uint64_t now)> blockEnded;
  std::function<void(FaultReport)> faulted;
};

class CycleCore final : public CoreHooks {
public:
  CycleCore(const isa::ArchSpec &arch, HostGlobalMemory &gm, uint32_t id);

  void startLaunch(LaunchContext &launch);
  void startBlock(uint32_t block, uint64_t now);
  void freeze() { context_.stopped = true; }
  bool isRunning() const { return running_; }
  /// Adds cycles, instructions and lines to the report.
  void finishLaunch(uint64_t now);
  /// The core as it stands at `now`, for a debugger.
  DebugView debugView(uint64_t now);
  /// The fault of a core that nothing will wake again.
  FaultReport deadlock() const;

  uint64_t firstStart() const { return context_.firstStart; }
  uint64_t lastRetire() const { return context_.lastRetire; }
  const PipeUnit &pipe(isa::Pipe p) const {
    return *pipes_[static_cast<unsigned>(p)];
  }

  void setFlagAt(const isa::Command &set, uint64_t at) override;
  void failCommand(const isa::Command &c, isa::Fault fault) override;
  void failControl(uint64_t pc, isa::Fault fault) override;
  void postAt(const isa::Command &post, uint64_t at) override;
  bool takeSemaphore(const isa::Command &pend) override;
  void arrive(uint64_t now) override;
  /// The block's MTE2 may find its semaphore, S may leave a device barrier.
  void semaphoreGrew(uint64_t now);
  void leaveDeviceBarrier(uint64_t at);
  void pipeChanged(uint64_t now) override;
  void push(const isa::Command &c, uint64_t now) override;
  bool hasRoom(isa::Pipe pipe, uint64_t now) const override;
  bool allIdle(uint64_t &lastActivity) const override;
  uint64_t flagsSettledAt() const override { return flagsSettledAt_; }
  bool stoppedForDebugger(uint64_t now) override;
  void blockEnded(const isa::Command &end, uint64_t now) override;

private:
  void flagVisible(uint64_t slot, uint64_t now);
  void posted(uint64_t slot, uint64_t now);
  uint32_t keepSet(const isa::Command &command);

  UnitContext context_;
  CoreState state_;
  FlagFile flags_;
  BankTraffic traffic_;
  ControlUnit control_;
  std::array<std::unique_ptr<PipeUnit>, isa::kNumPipes> pipes_; // S empty
  std::optional<WriteArbiter> arbiter_;
  LaunchContext *launch_ = nullptr;
  FaultSite site_;
  bool running_ = false;
  uint64_t flagsSettledAt_ = 0;
  std::vector<isa::Command> comingSets_; // by slot of their event
  std::vector<uint32_t> freeSets_;
};

} // namespace kiln::sim
