// SPDX-License-Identifier: Apache-2.0
//
// ControlUnit: S in time. Between two things the rest of the core can see, S
// runs ahead alone; what it does then is booked when it becomes visible.
//
// Rules (1 to 4 of docs/microarchitecture.md): an NPU command takes one cycle and enters its queue in the cycle it
// issues, if there was room when the cycle began; kset of S is visible
// flagVisibleCycles after the later of itself and its last store to UB; kwait
// of S issues when the flag is visible; kbar and kend go on barrierCycles
// after the last pipe became idle, at least one cycle after they issued; kend
// also waits until every flag that was set is visible.
#pragma once

#include "simulator/cycle/core_hooks.h"
#include "simulator/trace/pipe_clock.h"

namespace kiln::sim {

class ControlUnit {
public:
  explicit ControlUnit(UnitContext &context) : context_(context) {}

  void reset() {
    clock.reset();
    clock.listen(context_.listener, context_.coreId, isa::Pipe::S);
    waiting_ = Waiting::kNothing;
  }
  /// Starts a block whose first instruction issues at `now`.
  void startBlock(uint64_t now, uint64_t budget);
  /// A queue entry became free, a pipe idle or a flag of S visible at `now`.
  void pipeChanged(uint64_t now);
  void flagVisible(uint64_t now);
  /// All blocks have come to the device barrier.
  void passBarrier(uint64_t, uint64_t now);

  ControlWait wait() const;

  PipeClock clock;

private:
  enum class Waiting : uint8_t { kNothing, kRoom, kFlag, kEmpty, kBlocks };

  void runAhead();
  void act(uint64_t, uint64_t now);
  void actCommand(uint64_t now);
  void actSet(uint64_t now);
  void actWindow(uint64_t now);
  void tryPush(uint64_t, uint64_t now);
  void tryWait(uint64_t now);
  void tryBarrier(uint64_t now);
  void endBarrier(uint64_t, uint64_t now);
  void leaveBarrier(uint64_t now);
  void actText(const isa::Command &c, uint64_t now);
  void endBlock(uint64_t, uint64_t now);
  void goOn(uint64_t now);
  void stall(Waiting what, Stall why, uint64_t now);
  /// Tells the listener of a command that S itself performed.
  void tellSynced(uint64_t start, uint64_t visible);
  const isa::Command &command() const {
    return context_.state->control.command();
  }

  UnitContext &context_;
  Waiting waiting_ = Waiting::kNothing;
  Stop stop_{};
  uint64_t budget_ = 0;    // cycle
  uint64_t lastStore_ = 0; // cycle the last store to UB took effect
  uint64_t barrierIssued_ = 0;
  bool barrierEnding_ = false;
};

} // namespace kiln::sim
