// SPDX-License-Identifier: Apache-2.0
#include "simulator/functional/functional_engine.h"

#include "isa/codec/instruction.h"

#include <bit>
#include <fmt/format.h>

namespace kiln::sim {

using isa::Command;
using isa::Opcode;
using isa::Pipe;

std::unique_ptr<Engine> createFunctionalEngine(const isa::ArchSpec &arch,
                                               HostGlobalMemory &gm) {
  return std::make_unique<FunctionalEngine>(arch, gm);
}

FunctionalEngine::FunctionalEngine(const isa::ArchSpec &arch,
                                   HostGlobalMemory &gm)
    : arch_(arch), gm_(gm), core_(arch, gm) {
  for (unsigned p = 1; p < isa::kNumPipes; ++p) {
    queues_[p].setDepth(arch.arch.queueDepth[p]);
  }
}

Result<LaunchReport> FunctionalEngine::run(const LaunchRequest &request) {
  fault_.reset();
  report_ = {};
  request_ = &request;
  KILN_ASSIGN_OR_RETURN(argumentBlock_, prepareLaunch(arch_, gm_, request));
  const Checks &checks = request.checks;
  checker_.reset();
  if (checks.race || checks.init || checks.flags) {
    checker_ = std::make_unique<Checker>(checks, *request.program, arch_);
  }
  core_.control.watchWindow(checker_ != nullptr);
  core_.control.setDebug(request.debug);
  random_.seed(request.seed);
  for (uint32_t block = 0; block < request.blockDim; ++block) {
    Status ran = runBlock(block);
    if (fault_ && request.debug) {
      request.debug->faulted(debugView(), *fault_);
    }
    KILN_RETURN_IF_ERROR(std::move(ran));
  }
  report_.cores = std::min(request.cores, request.blockDim);
  if (checker_) {
    report_.findings = checker_->takeFindings();
  }
  return std::move(report_);
}

Status FunctionalEngine::runBlock(uint32_t block) {
  BlockPosition position{block, request_->blockDim, block % request_->cores};
  site_ = {request_->program.get(), position.core, block};
  for (CommandRing &ring : queues_) {
    ring.clear();
  }
  flags_.reset();
  core_.startBlock(*request_->program, argumentBlock_, position);
  if (checker_) {
    checker_->beginBlock(position);
  }
  bool done = runControl();
  report_.instructions += core_.control.instructions();
  return done ? Status::ok() : fault_->status();
}

/// Runs S until kend; false after a fault.
bool FunctionalEngine::runControl() {
  ControlCore &control = core_.control;
  for (;;) {
    uint64_t used = control.instructions();
    uint64_t left = request_->budget > used ? request_->budget - used : 0;
    switch (control.run(left)) {
    case Stop::kCommand:
      if (control.command().op == Opcode::kKend) {
        ++report_.commands[0];
        if (!awaitEmpty()) {
          return false;
        }
        bool residue = false;
        flags_.forEachSet([&](FlagName) { residue = true; });
        if (residue) {
          failCommand(control.command(), explainResidue(site_, flags_));
        }
        return !residue;
      }
      if (!command(control.command())) {
        return false;
      }
      control.resume();
      break;
    case Stop::kWindow:
      checker_->windowAccess(control.pc(), control.windowAccess());
      control.performWindowAccess();
      break;
    case Stop::kDebug:
      if (!request_->debug->stopped(debugView())) {
        fail(site_.ofControl(
            control.pc(), {isa::FaultKind::kTrap, "killed by the debugger"}));
        return false;
      }
      break;
    case Stop::kFault:
      fail(site_.ofControl(control.faultPc(), control.fault()));
      return false;
    case Stop::kLimit:
      fail(site_.ofControl(
          control.pc(),
          {isa::FaultKind::kBudget,
           fmt::format("{} instructions executed, the budget of the block is "
                       "{}",
                       control.instructions(), request_->budget)}));
      return false;
    }
  }
}

bool FunctionalEngine::command(const Command &c) {
  ++report_.commands[static_cast<unsigned>(c.pipe)];
  if (c.pipe == Pipe::S) {
    return controlCommand(c);
  }
  if (checker_) {
    checker_->issued(c);
  }
  if (request_->order == Order::kEager && queue(c.pipe).empty()) {
    return runDirect(c);
  }
  return enqueue(c);
}

/// Commands that S itself performs.
bool FunctionalEngine::controlCommand(const Command &c) {
  switch (c.op) {
  case Opcode::kKset:
    return setFlag(c) == Step::kRan;
  case Opcode::kKwait: {
    FlagName flag = flagOf(c);
    if (flag.id < isa::kNumFlagIds && !awaitFlag(flag)) {
      return false;
    }
    return waitFlag(c) == Step::kRan;
  }
  case Opcode::kKbar:
    if (!awaitEmpty()) {
      return false;
    }
    if (checker_) {
      checker_->barrier();
    }
    return true;
  default: // ktrap
    failCommand(
        c, {isa::FaultKind::kTrap, fmt::format("ktrap with code {}", c.rs1)});
    return false;
  }
}

bool FunctionalEngine::enqueue(const Command &c) {
  if (queue(c.pipe).full() && !awaitRoom(c.pipe)) {
    return false;
  }
  queue(c.pipe).push(c);
  if (request_->order == Order::kRandom) {
    for (uint64_t steps = random_() % 4; steps; --steps) {
      if (!randomStep()) {
        break;
      }
    }
  }
  return !fault_;
}

/// Eager order, idle pipe: runs the command without queueing it.
bool FunctionalEngine::runDirect(const Command &c) {
  switch (execute(c)) {
  case Step::kRan:
    return !fault_;
  case Step::kBlocked:
    queue(c.pipe).push(c);
    return true;
  default:
    return false;
  }
}

FunctionalEngine::Step FunctionalEngine::step(Pipe pipe) {
  CommandRing &ring = queue(pipe);
  if (ring.empty()) {
    return Step::kEmpty;
  }
  Command c = ring.front();
  bool isWait = c.op == Opcode::kKwait;
  if (!isWait) {
    ring.pop(); // before the set wakes others, so that S sees the room
  }
  Step result = execute(c);
  if (isWait && result == Step::kRan) {
    ring.pop();
  }
  return result;
}

FunctionalEngine::Step FunctionalEngine::execute(const Command &c) {
  switch (c.op) {
  case Opcode::kKset:
    return setFlag(c);
  case Opcode::kKwait:
    return waitFlag(c);
  case Opcode::kKcfg:
    if (std::optional<isa::Fault> f = isa::configure(c, core_.config)) {
      failCommand(c, std::move(*f));
      return Step::kFaulted;
    }
    if (checker_) {
      checker_->configured(c);
    }
    return Step::kRan;
  default:
    break;
  }
  if (checker_) {
    checker_->executing(c, core_.config);
  }
  if (std::optional<isa::Fault> f =
          isa::execute(c, core_.config, core_.memory)) {
    failCommand(c, std::move(*f));
    return Step::kFaulted;
  }
  countCommand(c, core_.config, report_);
  return Step::kRan;
}

FunctionalEngine::Step FunctionalEngine::setFlag(const Command &c) {
  FlagName flag = flagOf(c);
  if (std::optional<isa::Fault> f = checkSet(site_, c, flags_)) {
    failCommand(c, std::move(*f));
    return Step::kFaulted;
  }
  flags_.set(flag, c.pc);
  if (checker_) {
    checker_->flagSet(c, flag);
  }
  if (request_->order == Order::kEager && flag.destination != Pipe::S) {
    drainReady(1u << static_cast<unsigned>(flag.destination));
  }
  return fault_ ? Step::kFaulted : Step::kRan;
}

FunctionalEngine::Step FunctionalEngine::waitFlag(const Command &c) {
  FlagName flag = flagOf(c);
  if (flag.id >= isa::kNumFlagIds) {
    failCommand(c, badFlagId(c));
    return Step::kFaulted;
  }
  if (!flags_.isSet(flag)) {
    return Step::kBlocked;
  }
  flags_.clear(flag, c.pc);
  if (checker_) {
    checker_->flagWaited(c, flag);
  }
  return Step::kRan;
}

/// Eager: runs the pipes of the mask, and those they wake, until they block.
void FunctionalEngine::drainReady(unsigned pipes) {
  while (pipes && !fault_) {
    unsigned p = static_cast<unsigned>(std::countr_zero(pipes));
    if (step(static_cast<Pipe>(p)) != Step::kRan) {
      pipes &= ~(1u << p);
    }
  }
}

bool FunctionalEngine::awaitRoom(Pipe pipe) {
  switch (request_->order) {
  case Order::kEager:
    break; // whatever could run has run
  case Order::kLazy:
    demandStep(pipe, 0);
    break;
  case Order::kRandom:
    while (queue(pipe).full() && randomStep()) {
    }
    break;
  }
  if (!fault_ && queue(pipe).full()) {
    failDeadlock({ControlWait::Kind::kQueueFull, {}, pipe, 0});
  }
  return !fault_;
}

bool FunctionalEngine::awaitFlag(const FlagName &flag) {
  switch (request_->order) {
  case Order::kEager:
    break;
  case Order::kLazy:
    demandFlag(flag, 0);
    break;
  case Order::kRandom:
    while (!flags_.isSet(flag) && randomStep()) {
    }
    break;
  }
  if (!fault_ && !flags_.isSet(flag)) {
    failDeadlock({ControlWait::Kind::kFlag, flag, {}, 0});
  }
  return !fault_;
}

bool FunctionalEngine::awaitEmpty() {
  bool empty = true;
  if (request_->order == Order::kRandom) {
    while (randomStep()) {
    }
  }
  for (unsigned p = 1; p < isa::kNumPipes && !fault_; ++p) {
    Pipe pipe = static_cast<Pipe>(p);
    while (request_->order == Order::kLazy && !queue(pipe).empty() &&
           demandStep(pipe, 0)) {
    }
    empty &= queue(pipe).empty();
  }
  if (!fault_ && !empty) {
    failDeadlock({ControlWait::Kind::kAllEmpty, {}, {}, 0});
  }
  return !fault_;
}

/// Lazy: runs the head of `pipe`, running other pipes first as far as it
/// waits for them. `visiting`: pipes whose head waits for this one.
bool FunctionalEngine::demandStep(Pipe pipe, unsigned visiting) {
  unsigned bit = 1u << static_cast<unsigned>(pipe);
  if (queue(pipe).empty() || (visiting & bit) || fault_) {
    return false;
  }
  const Command &head = queue(pipe).front();
  if (head.op == Opcode::kKwait) {
    FlagName flag = flagOf(head);
    if (flag.id < isa::kNumFlagIds && !demandFlag(flag, visiting | bit)) {
      return false;
    }
  }
  return step(pipe) == Step::kRan;
}

bool FunctionalEngine::demandFlag(const FlagName &flag, unsigned visiting) {
  while (!flags_.isSet(flag)) {
    if (flag.source == Pipe::S || !demandStep(flag.source, visiting)) {
      return false;
    }
  }
  return true;
}

/// Random: lets one pipe that can run do one step; false when none can.
bool FunctionalEngine::randomStep() {
  unsigned first = static_cast<unsigned>(random_() % (isa::kNumPipes - 1));
  for (unsigned i = 0; i < isa::kNumPipes - 1 && !fault_; ++i) {
    unsigned p = 1 + (first + i) % (isa::kNumPipes - 1);
    if (step(static_cast<Pipe>(p)) == Step::kRan) {
      return true;
    }
  }
  return false;
}

DebugView FunctionalEngine::debugView() {
  DebugView view;
  view.program = request_->program.get();
  view.state = &core_;
  view.flags = &flags_;
  view.position = {site_.block, request_->blockDim, site_.core};
  view.cycle = core_.control.instructions();
  view.queue = [this](Pipe pipe) { return queue(pipe).all(); };
  return view;
}

void FunctionalEngine::fail(FaultReport report) {
  if (!fault_) {
    fault_ = std::move(report);
  }
}

void FunctionalEngine::failCommand(const Command &c, isa::Fault fault) {
  if (fault.kind == isa::FaultKind::kGmBounds) {
    addNearestBinding(c, gm_, fault);
  }
  fail(site_.ofCommand(c, std::move(fault)));
}

void FunctionalEngine::failDeadlock(ControlWait wait) {
  wait.pc = core_.control.pc();
  PipeWait pipes[isa::kNumPipes];
  for (unsigned p = 1; p < isa::kNumPipes; ++p) {
    CommandRing &ring = queues_[p];
    pipes[p].queued = ring.size();
    if (!ring.empty() && ring.front().op == Opcode::kKwait) {
      pipes[p].waitsForFlag = true;
      pipes[p].flag = flagOf(ring.front());
      pipes[p].pc = ring.front().pc;
    }
  }
  fail(site_.ofControl(wait.pc, explainDeadlock(site_, wait, pipes, flags_)));
}

} // namespace kiln::sim
