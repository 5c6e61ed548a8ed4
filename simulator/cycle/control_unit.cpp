// SPDX-License-Identifier: Apache-2.0
#include "simulator/cycle/control_unit.h"

#include <algorithm>
#include <fmt/format.h>

namespace kiln::sim {

using isa::Command;
using isa::Opcode;
using isa::Pipe;

namespace {
// Instructions S may run ahead before the budget is looked at.
constexpr uint64_t kSlice = uint64_t{1} << 16;
} // namespace

void ControlUnit::startBlock(uint64_t now, uint64_t budget) {
  clock.enter(Stall::kDependency, now);
  budget_ = budget;
  lastStore_ = 0;
  barrierEnding_ = false;
  waiting_ = Waiting::kNothing;
  runAhead();
}

/// Runs S until it meets something visible and plans that for its cycle.
void ControlUnit::runAhead() {
  ControlCore &control = context_.state->control;
  uint64_t from = clock.since();
  uint64_t before = control.instructions();
  stop_ = control.runTimed(kSlice);
  uint64_t visible = stop_ == Stop::kLimit || stop_ == Stop::kDebug ? 0 : 1;
  uint64_t issued = control.instructions() - before - visible;
  uint64_t until = std::max(control.now(), from + issued);
  clock.spend(PipeState::busy(), issued);
  clock.spend(Stall::kDependency, until - from - issued);
  context_.wheel->at<&ControlUnit::act>(until, Phase::kMain, this);
}

void ControlUnit::act(uint64_t, uint64_t now) {
  if (context_.stopped) {
    return;
  }
  const ControlCore &control = context_.state->control;
  switch (stop_) {
  case Stop::kCommand:
    ++context_.report->commands[static_cast<unsigned>(command().pipe)];
    actCommand(now);
    break;
  case Stop::kWindow:
    actWindow(now);
    break;
  case Stop::kFault:
    context_.core->failControl(control.faultPc(), control.fault());
    break;
  case Stop::kDebug:
    if (context_.core->stoppedForDebugger(now)) {
      runAhead();
    } else {
      context_.core->failControl(
          control.pc(), {isa::FaultKind::kTrap, "killed by the debugger"});
    }
    break;
  case Stop::kLimit:
    if (now > budget_) {
      context_.core->failControl(
          control.pc(),
          {isa::FaultKind::kBudget,
           fmt::format("cycle {}, the budget is {}", now, budget_)});
      break;
    }
    runAhead();
    break;
  }
}

void ControlUnit::actCommand(uint64_t now) {
  const Command &c = command();
  if (c.pipe != Pipe::S) {
    tryPush(0, now);
    return;
  }
  switch (c.op) {
  case Opcode::kKset:
    actSet(now);
    break;
  case Opcode::kKwait:
    if (c.rs1 >= isa::kNumFlagIds) {
      context_.core->failCommand(c, badFlagId(c));
    } else {
      tryWait(now);
    }
    break;
  case Opcode::kKbar:
  case Opcode::kKdbar:
  case Opcode::kKend:
    clock.spend(PipeState::busy(), 1);
    barrierIssued_ = now;
    stall(Waiting::kEmpty, Stall::kBarrier, now + 1);
    tryBarrier(now);
    break;
  default:
    actText(c, now);
  }
}

/// kprint, kassert and ktrap.
void ControlUnit::actText(const Command &c, uint64_t now) {
  std::optional<isa::Fault> fault;
  if (!runTextCommand(c, context_.block, *context_.state, *context_.report,
                      fault)) {
    fault = {isa::FaultKind::kTrap, fmt::format("ktrap with code {}", c.rs1)};
  }
  if (fault) {
    context_.core->failCommand(c, std::move(*fault));
  } else {
    goOn(now);
  }
}

void ControlUnit::actSet(uint64_t now) {
  const Command &c = command();
  if (context_.observer && flagOf(c).id < isa::kNumFlagIds) {
    context_.observer->flagSet(c, flagOf(c));
  }
  uint64_t visible =
      std::max(now, lastStore_) + context_.arch->timing.flagVisibleCycles;
  context_.core->setFlagAt(c, visible);
  tellSynced(now, visible);
  goOn(now);
}

void ControlUnit::actWindow(uint64_t now) {
  ControlCore &control = context_.state->control;
  const WindowAccess &access = control.windowAccess();
  if (context_.dataOff && !access.write) {
    context_.core->failControl(
        control.pc(),
        {isa::FaultKind::kControl,
         "S loads from UB, which holds no data in a run without data"});
    return;
  }
  if (context_.observer) {
    context_.observer->windowAccess(control.pc(), access);
  }
  if (access.write) {
    lastStore_ = now + context_.arch->timing.control.ubWindowCycles;
  }
  if (context_.workers) {
    context_.workers->drain(context_.coreId);
  }
  control.setNow(now);
  control.performWindowAccess();
  clock.spend(PipeState::busy(), 1);
  runAhead();
}

/// The stopped instruction issues at `now`; S goes on behind it.
void ControlUnit::goOn(uint64_t now) {
  ControlCore &control = context_.state->control;
  waiting_ = Waiting::kNothing;
  clock.enter(Stall::kDependency, now); // books the wait, if there was one
  clock.spend(PipeState::busy(), 1);
  control.resume();
  control.setNow(now + 1);
  runAhead();
}

void ControlUnit::tellSynced(uint64_t start, uint64_t visible) {
  if (context_.listener) {
    context_.listener->synced(
        {context_.coreId, command(), start, start, start + 1, visible});
  }
}

void ControlUnit::stall(Waiting what, Stall why, uint64_t now) {
  if (waiting_ != what) {
    waiting_ = what;
    clock.enter(why, now);
  }
}

// Rule 2.
void ControlUnit::tryPush(uint64_t, uint64_t now) {
  if (context_.stopped) {
    return;
  }
  if (!context_.core->hasRoom(command().pipe, now)) {
    stall(Waiting::kRoom, Stall::kQueueFull, now);
    pipeChanged(now); // an entry may have become free in this very cycle
    return;
  }
  context_.core->push(command(), now);
  goOn(now);
}

void ControlUnit::tryWait(uint64_t now) {
  FlagName flag = flagOf(command());
  if (!context_.flags->isSet(flag)) {
    stall(Waiting::kFlag, Stall::kFlag, now);
    return;
  }
  context_.flags->clear(flag, command().pc, now);
  if (context_.observer) {
    context_.observer->flagWaited(command(), flag);
  }
  tellSynced(now, now + 1);
  goOn(now);
}

void ControlUnit::flagVisible(uint64_t now) {
  if (waiting_ == Waiting::kFlag) {
    tryWait(now);
  }
}

void ControlUnit::pipeChanged(uint64_t now) {
  if (waiting_ == Waiting::kRoom) {
    // The entry that became free in this cycle can be used in the next.
    if (context_.core->hasRoom(command().pipe, now + 1)) {
      waiting_ = Waiting::kNothing; // planned; the stall goes on until then
      context_.wheel->at<&ControlUnit::tryPush>(now + 1, Phase::kMain, this);
    }
  } else if (waiting_ == Waiting::kEmpty) {
    tryBarrier(now);
  }
}

// Rule 4.
void ControlUnit::tryBarrier(uint64_t now) {
  uint64_t lastActivity = 0;
  if (barrierEnding_ || !context_.core->allIdle(lastActivity)) {
    return;
  }
  barrierEnding_ = true;
  uint64_t end = std::max({barrierIssued_ + 1, now,
                           lastActivity + context_.arch->timing.barrierCycles});
  if (command().op == Opcode::kKend) {
    end = std::max(end, context_.core->flagsSettledAt());
    context_.wheel->at<&ControlUnit::endBlock>(end, Phase::kLate, this);
  } else {
    context_.wheel->at<&ControlUnit::endBarrier>(end, Phase::kMain, this);
  }
}

void ControlUnit::endBarrier(uint64_t, uint64_t now) {
  if (context_.stopped) {
    return;
  }
  barrierEnding_ = false;
  if (context_.observer) {
    context_.observer->barrier();
  }
  if (command().op == Opcode::kKdbar) {
    waiting_ = Waiting::kBlocks; // the stall goes on
    if (context_.observer) {
      context_.observer->arrived();
    }
    context_.core->arrive(now);
    return;
  }
  leaveBarrier(now);
}

void ControlUnit::passBarrier(uint64_t, uint64_t now) {
  if (context_.stopped) {
    return;
  }
  if (context_.observer) {
    context_.observer->left();
  }
  leaveBarrier(now);
}

void ControlUnit::leaveBarrier(uint64_t now) {
  waiting_ = Waiting::kNothing;
  tellSynced(barrierIssued_, now);
  clock.enter(Stall::kDependency, now);
  context_.state->control.resume();
  context_.state->control.setNow(now);
  runAhead();
}

void ControlUnit::endBlock(uint64_t, uint64_t now) {
  if (context_.stopped) {
    return;
  }
  waiting_ = Waiting::kNothing;
  tellSynced(barrierIssued_, now);
  clock.enter(PipeState::idle(), now);
  context_.core->blockEnded(command(), now);
}

ControlWait ControlUnit::wait() const {
  ControlWait w;
  w.pc = context_.state->control.pc();
  switch (waiting_) {
  case Waiting::kFlag:
    w.kind = ControlWait::Kind::kFlag;
    w.flag = flagOf(command());
    break;
  case Waiting::kBlocks:
    w.kind = ControlWait::Kind::kBlocks;
    break;
  case Waiting::kRoom:
    w.kind = ControlWait::Kind::kQueueFull;
    w.pipe = command().pipe;
    break;
  default:
    w.kind = ControlWait::Kind::kAllEmpty;
  }
  return w;
}

} // namespace kiln::sim
