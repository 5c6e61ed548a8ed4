// SPDX-License-Identifier: Apache-2.0
#include "simulator/functional/functional_engine.h"

#include "isa/codec/instruction.h"

#include <algorithm>
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
    : arch_(arch), gm_(gm) {}

FunctionalEngine::Context::Context(const isa::ArchSpec &arch,
                                   HostGlobalMemory &gm)
    : core(arch, gm) {
  for (unsigned p = 1; p < isa::kNumPipes; ++p) {
    queues[p].setDepth(arch.arch.queueDepth[p]);
  }
}

FunctionalEngine::Context &FunctionalEngine::context(size_t index) {
  while (contexts_.size() <= index) {
    contexts_.push_back(std::make_unique<Context>(arch_, gm_));
  }
  return *contexts_[index];
}

Result<LaunchReport> FunctionalEngine::run(const LaunchRequest &request) {
  fault_.reset();
  report_ = {};
  request_ = &request;
  KILN_ASSIGN_OR_RETURN(argumentBlock_, prepareLaunch(arch_, gm_, request));
  random_.seed(request.seed);
  meets_ = request.program->meetsBlocks();
  createCheckers();
  semaphores_.reset(request.blockDim);
  Status ran = meets_ ? runMeetingBlocks() : runBlocks();
  if (fault_ && request.debug) {
    request.debug->faulted(debugView(), *fault_);
  }
  KILN_RETURN_IF_ERROR(std::move(ran));
  report_.cores = std::min(request.cores, request.blockDim);
  if (!checkers_.empty()) {
    report_.findings = checkers_.front()->takeFindings();
  }
  return std::move(report_);
}

/// One for all blocks, or one for each where they run at once.
void FunctionalEngine::createCheckers() {
  const Checks &checks = request_->checks;
  checkers_.clear();
  checker_ = nullptr;
  if (!checks.race && !checks.init && !checks.flags) {
    return;
  }
  checkers_.push_back(
      std::make_unique<Checker>(checks, *request_->program, arch_));
  while (meets_ && checkers_.size() < request_->blockDim) {
    checkers_.push_back(std::make_unique<Checker>(*checkers_.front()));
  }
}

/// Goes on with the block of a context.
void FunctionalEngine::enter(size_t index) {
  at_ = &context(index);
  checker_ = checkers_.empty() ? nullptr : checkers_[index].get();
}

void FunctionalEngine::startBlock(size_t index, uint32_t block) {
  enter(index);
  Context &context = *at_;
  BlockPosition position{block, request_->blockDim, block % request_->cores};
  context.site = {request_->program.get(), position.core, block};
  for (CommandRing &ring : context.queues) {
    ring.clear();
  }
  context.flags.reset();
  context.ended = context.retry = context.arrived = false;
  context.core.control.watchWindow(checker_ != nullptr);
  context.core.control.setDebug(request_->debug);
  context.core.startBlock(*request_->program, argumentBlock_, position);
  if (checker_) {
    checker_->beginBlock(position);
  }
}

Status FunctionalEngine::runBlocks() {
  for (uint32_t block = 0; block < request_->blockDim; ++block) {
    KILN_RETURN_IF_ERROR(runBlock(block));
  }
  return Status::ok();
}

Status FunctionalEngine::runBlock(uint32_t block) {
  startBlock(0, block);
  bool done = runControl();
  report_.instructions += at_->core.control.instructions();
  return done ? Status::ok() : fault_->status();
}

Status FunctionalEngine::runMeetingBlocks() {
  for (uint32_t block = 0; block < request_->blockDim; ++block) {
    startBlock(block, block);
  }
  for (uint32_t left = request_->blockDim; left != 0;) {
    const uint64_t before = progress_;
    for (uint32_t block = 0; block < request_->blockDim; ++block) {
      enter(block);
      if (at_->ended) {
        continue;
      }
      suspended_ = false;
      if (request_->order == Order::kEager) {
        drainReady(1u << static_cast<unsigned>(Pipe::MTE2));
      }
      if (!fault_ && runControl()) {
        at_->ended = true;
        --left;
        ++progress_;
        report_.instructions += at_->core.control.instructions();
      }
      if (fault_) {
        return fault_->status();
      }
    }
    if (progress_ == before) {
      meets_ = false; // nobody will come: explain the first that waits
      for (uint32_t block = 0; at_->ended; ++block) {
        enter(block);
      }
      (void)runControl();
      return fault_->status();
    }
  }
  if (std::optional<isa::Fault> f = semaphores_.residue()) {
    fail(at_->site.ofControl(at_->core.control.pc(), std::move(*f)));
    return fault_->status();
  }
  return Status::ok();
}

/// kend: pipes empty, no flag left.
bool FunctionalEngine::endOfBlock() {
  if (!awaitEmpty()) {
    return false;
  }
  bool residue = false;
  at_->flags.forEachSet([&](FlagName) { residue = true; });
  if (residue) {
    failCommand(at_->core.control.command(),
                explainResidue(at_->site, at_->flags));
  }
  return !residue;
}

/// Runs S until kend.
bool FunctionalEngine::runControl() {
  ControlCore &control = at_->core.control;
  if (at_->retry) { // the command that had to wait for other blocks
    if (control.command().op == Opcode::kKend) {
      return endOfBlock();
    }
    if (!command(control.command())) {
      return false;
    }
    at_->retry = false;
    control.resume();
  }
  for (;;) {
    uint64_t used = control.instructions();
    uint64_t left = request_->budget > used ? request_->budget - used : 0;
    switch (control.run(left)) {
    case Stop::kCommand:
      if (control.command().op == Opcode::kKend) {
        ++report_.commands[0];
        at_->retry = true;
        return endOfBlock();
      }
      if (!command(control.command())) {
        at_->retry = true;
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
        fail(at_->site.ofControl(
            control.pc(), {isa::FaultKind::kTrap, "killed by the debugger"}));
        return false;
      }
      break;
    case Stop::kFault:
      fail(at_->site.ofControl(control.faultPc(), control.fault()));
      return false;
    case Stop::kLimit:
      fail(at_->site.ofControl(
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
  if (!at_->retry) {
    ++report_.commands[static_cast<unsigned>(c.pipe)];
  }
  if (c.pipe == Pipe::S) {
    return controlCommand(c);
  }
  if (checker_ && !at_->retry) {
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
  case Opcode::kKdbar:
    return deviceBarrier(c);
  default:
    break;
  }
  std::optional<isa::Fault> fault;
  if (!runTextCommand(c, at_->site.block, at_->core, report_, fault)) {
    fault = {isa::FaultKind::kTrap, fmt::format("ktrap with code {}", c.rs1)};
  }
  if (fault) {
    failCommand(c, std::move(*fault));
  }
  return !fault_;
}

/// Blocks until all blocks have come; the last one does not wait.
bool FunctionalEngine::deviceBarrier(const Command &c) {
  if (!at_->arrived) {
    if (!awaitEmpty()) {
      return false;
    }
    at_->round = semaphores_.rounds();
    at_->arrived = true;
    ++progress_;
    if (checker_) {
      checker_->barrier();
      checker_->arrived();
    }
    (void)semaphores_.arrive();
  }
  if (semaphores_.rounds() == at_->round) {
    failDeadlock({ControlWait::Kind::kBlocks, {}, {}, 0});
    return false;
  }
  at_->arrived = false;
  if (checker_) {
    checker_->left();
  }
  return true;
}

FunctionalEngine::Step FunctionalEngine::post(const Command &c) {
  if (std::optional<isa::Fault> f = semaphores_.check(c)) {
    failCommand(c, std::move(*f));
    return Step::kFaulted;
  }
  semaphores_.post(c);
  ++progress_;
  if (checker_) {
    checker_->posted(c);
  }
  return Step::kRan;
}

FunctionalEngine::Step FunctionalEngine::pend(const Command &c) {
  if (std::optional<isa::Fault> f = SemaphoreFile::checkPend(c)) {
    failCommand(c, std::move(*f));
    return Step::kFaulted;
  }
  if (!semaphores_.take(at_->site.block, c)) {
    return Step::kBlocked;
  }
  ++progress_;
  if (checker_) {
    checker_->pended(c);
  }
  return Step::kRan;
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
  bool isWait = c.op == Opcode::kKwait || c.op == Opcode::kKpend;
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
  case Opcode::kKpost:
    return post(c);
  case Opcode::kKpend:
    return pend(c);
  case Opcode::kKcfg:
    if (std::optional<isa::Fault> f = isa::configure(c, at_->core.config)) {
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
    checker_->executing(c, at_->core.config);
  }
  if (std::optional<isa::Fault> f =
          isa::execute(c, at_->core.config, at_->core.memory)) {
    failCommand(c, std::move(*f));
    return Step::kFaulted;
  }
  countCommand(c, at_->core.config, report_);
  return Step::kRan;
}

FunctionalEngine::Step FunctionalEngine::setFlag(const Command &c) {
  FlagName flag = flagOf(c);
  if (std::optional<isa::Fault> f = checkSet(at_->site, c, at_->flags)) {
    failCommand(c, std::move(*f));
    return Step::kFaulted;
  }
  at_->flags.set(flag, c.pc);
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
  if (!at_->flags.isSet(flag)) {
    return Step::kBlocked;
  }
  at_->flags.clear(flag, c.pc);
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
  return !fault_ && !suspended_;
}

bool FunctionalEngine::awaitFlag(const FlagName &flag) {
  switch (request_->order) {
  case Order::kEager:
    break;
  case Order::kLazy:
    demandFlag(flag, 0);
    break;
  case Order::kRandom:
    while (!at_->flags.isSet(flag) && randomStep()) {
    }
    break;
  }
  if (!fault_ && !at_->flags.isSet(flag)) {
    failDeadlock({ControlWait::Kind::kFlag, flag, {}, 0});
  }
  return !fault_ && !suspended_;
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
  return !fault_ && !suspended_;
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
  while (!at_->flags.isSet(flag)) {
    if (flag.source == Pipe::S || !demandStep(flag.source, visiting)) {
      return false;
    }
  }
  return true;
}

/// Lazy: another block may wait for the posts in the queues.
void FunctionalEngine::servePosts() {
  for (Pipe pipe : {Pipe::FIX, Pipe::MTE3}) {
    while (std::ranges::any_of(
               queue(pipe).all(),
               [](const Command &c) { return c.op == Opcode::kKpost; }) &&
           demandStep(pipe, 0)) {
      ++progress_;
    }
  }
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
  view.state = &at_->core;
  view.flags = &at_->flags;
  view.position = {at_->site.block, request_->blockDim, at_->site.core};
  view.cycle = at_->core.control.instructions();
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
  fail(at_->site.ofCommand(c, std::move(fault)));
}

/// Nothing of this block can go on. Where blocks meet, another one may help.
void FunctionalEngine::failDeadlock(ControlWait wait) {
  if (meets_) {
    suspended_ = true;
    if (request_->order == Order::kLazy) {
      servePosts();
    }
    return;
  }
  wait.pc = at_->core.control.pc();
  PipeWait pipes[isa::kNumPipes];
  for (unsigned p = 1; p < isa::kNumPipes; ++p) {
    CommandRing &ring = at_->queues[p];
    pipes[p].queued = ring.size();
    if (!ring.empty() && ring.front().op == Opcode::kKpend) {
      pipes[p].semaphore = static_cast<int>(ring.front().rs1);
      pipes[p].pc = ring.front().pc;
    } else if (!ring.empty() && ring.front().op == Opcode::kKwait) {
      pipes[p].waitsForFlag = true;
      pipes[p].flag = flagOf(ring.front());
      pipes[p].pc = ring.front().pc;
    }
  }
  fail(at_->site.ofControl(
      wait.pc, explainDeadlock(at_->site, wait, pipes, at_->flags)));
}

} // namespace kiln::sim
