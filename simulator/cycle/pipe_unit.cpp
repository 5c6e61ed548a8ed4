// SPDX-License-Identifier: Apache-2.0
#include "simulator/cycle/pipe_unit.h"

#include "isa/abi/launch.h"
#include "isa/gen/operands.h"
#include "simulator/core/semaphore_file.h"

#include <algorithm>

namespace kiln::sim {

using isa::Command;
using isa::Opcode;
using isa::Pipe;

void PipeUnit::reset(MemPort *port, WriteArbiter *arbiter, size_t words) {
  port_ = port;
  arbiter_ = arbiter;
  queue_.clear();
  inFlight_.clear();
  sets_.clear();
  sequence_ = 0;
  leftAt_ = kNever;
  headFree_ = busyEnd_ = lastActivity_ = bankCycles_ = waited_ = 0;
  coming_.clear();
  freeTags_.clear();
  wakePending_ = kNever;
  headMeasured_ = transferring_ = waitsForSlot_ = beatsLeft_ = mayWait_ = false;
  clock.reset();
  clock.listen(context_.listener, context_.coreId, pipe_);
  busyByWord.assign(words, 0);
  busyPc_ = busySettled_ = 0;
}

void PipeUnit::finish(uint64_t now, PipeCycles &total) {
  clock.finish(now, total);
  total.bankCycles += bankCycles_;
  settleLine();
}

bool PipeUnit::hasRoom(uint64_t now) const {
  size_t held = queue_.size() + (leftAt_ == now ? 1 : 0);
  return held < context_.arch->arch.queueDepth[static_cast<unsigned>(pipe_)];
}

void PipeUnit::push(const Command &command, uint64_t now) {
  queue_.push_back({command, now});
  wakeAt(now + 1);
}

void PipeUnit::wakeAt(uint64_t cycle) {
  if (wakePending_ == cycle) {
    return;
  }
  wakePending_ = cycle;
  context_.wheel->at<&PipeUnit::wake>(cycle, Phase::kMain, this);
}

void PipeUnit::wake(uint64_t, uint64_t now) {
  if (wakePending_ <= now) {
    wakePending_ = kNever;
  }
  if (!context_.stopped) {
    processHead(now);
  }
}

/// A pipe in occupancy stays busy whatever its head does.
void PipeUnit::enter(PipeState state, uint64_t now) {
  if (!transferring_ && now >= busyEnd_) {
    clock.enter(state, now);
  }
}

void PipeUnit::processHead(uint64_t now) {
  if (beatsLeft_ && now >= busyEnd_) {
    endBeats(0, now);
  }
  if (queue_.empty()) {
    enter(Stall::kEmpty, now);
    return;
  }
  uint64_t earliest = std::max(headFree_, queue_.front().issue + 1);
  if (now < earliest) {
    if (now >= headFree_) {
      enter(Stall::kEmpty, now);
    }
    wakeAt(earliest);
    return;
  }
  switch (queue_.front().command.op) {
  case Opcode::kKset:
    doSet(now);
    break;
  case Opcode::kKwait:
    doWait(now);
    break;
  case Opcode::kKcfg:
    doConfigure(now);
    break;
  case Opcode::kKpost:
    doPost(now);
    break;
  case Opcode::kKpend:
    doPend(now);
    break;
  default:
    tryStart(now);
  }
}

/// Takes the head from the queue; what follows is looked at `cycles` later.
void PipeUnit::leaveQueue(uint64_t now, uint64_t cycles) {
  queue_.pop_front();
  headMeasured_ = false;
  leftAt_ = now;
  headFree_ = now + cycles;
  lastActivity_ = std::max(lastActivity_, now);
  wakeAt(headFree_);
  context_.core->pipeChanged(now);
}

// Rules 6 and 7.
void PipeUnit::doSet(uint64_t now) {
  Command c = queue_.front().command;
  enter(Stall::kControl, now);
  sets_.push_back({c, sequence_, now, queue_.front().issue});
  if (context_.observer) {
    FlagName flag = flagOf(c);
    if (flag.id < isa::kNumFlagIds) {
      context_.observer->flagSet(c, flag);
    }
  }
  leaveQueue(now, context_.arch->timing.flagCycles);
  fireSets(now);
}

void PipeUnit::fireSets(uint64_t now) {
  while (!sets_.empty() && (inFlight_.empty() ||
                            inFlight_.front().sequence > sets_.front().after)) {
    const PendingSet &set = sets_.front();
    const isa::TimingPart &timing = context_.arch->timing;
    const bool post = set.command.op == Opcode::kKpost;
    uint64_t visible =
        std::max(now, set.head) +
        (post ? timing.semaphoreCycles : timing.flagVisibleCycles);
    if (post) {
      context_.core->postAt(set.command, visible);
    } else {
      context_.core->setFlagAt(set.command, visible);
    }
    if (context_.listener) [[unlikely]] {
      tellSynced(set.command, set.issue, set.head, visible);
    }
    sets_.pop_front();
  }
  if (isIdle()) {
    context_.core->pipeChanged(now);
  }
}

// Rule 8.
void PipeUnit::doWait(uint64_t now) {
  const Command &c = queue_.front().command;
  FlagName flag = flagOf(c);
  if (flag.id >= isa::kNumFlagIds) {
    context_.core->failCommand(c, badFlagId(c));
    return;
  }
  if (!context_.flags->isSet(flag)) {
    enter(Stall::kFlag, now);
    return; // the set wakes this pipe
  }
  enter(Stall::kControl, now);
  context_.flags->clear(flag, c.pc, now);
  if (context_.observer) {
    context_.observer->flagWaited(c, flag);
  }
  const uint64_t length = context_.arch->timing.flagCycles;
  if (context_.listener) [[unlikely]] {
    tellSynced(c, queue_.front().issue, now, now + length);
  }
  leaveQueue(now, length);
}

/// Fires like a kset, after the earlier commands; travels to another core.
void PipeUnit::doPost(uint64_t now) {
  enter(Stall::kControl, now);
  if (context_.observer) {
    context_.observer->posted(queue_.front().command);
  }
  sets_.push_back(
      {queue_.front().command, sequence_, now, queue_.front().issue});
  leaveQueue(now);
  fireSets(now);
}

void PipeUnit::doPend(uint64_t now) {
  const Command &c = queue_.front().command;
  if (std::optional<isa::Fault> f = SemaphoreFile::checkPend(c)) {
    context_.core->failCommand(c, std::move(*f));
    return;
  }
  if (!context_.core->takeSemaphore(c)) {
    enter(Stall::kFlag, now);
    return; // the post wakes this pipe
  }
  enter(Stall::kControl, now);
  if (context_.observer) {
    context_.observer->pended(c);
  }
  if (context_.listener) [[unlikely]] {
    tellSynced(c, queue_.front().issue, now, now + 1);
  }
  leaveQueue(now);
}

void PipeUnit::doConfigure(uint64_t now) {
  const Command &c = queue_.front().command;
  enter(Stall::kControl, now);
  if (std::optional<isa::Fault> f = isa::configure(c, context_.state->config)) {
    context_.core->failCommand(c, std::move(*f));
    return;
  }
  if (context_.observer) {
    context_.observer->configured(c);
  }
  const uint64_t length = context_.arch->timing.configCycles;
  if (context_.listener) [[unlikely]] {
    tellSynced(c, queue_.front().issue, now, now + length);
  }
  leaveQueue(now, length);
}

void PipeUnit::tryStart(uint64_t now) {
  if (transferring_) {
    return; // the end of the transfer wakes this pipe
  }
  if (now < busyEnd_) {
    wakeAt(busyEnd_);
    return;
  }
  if (!headMeasured_) {
    measureHead();
  }
  if (mayStart(now, headTiming_)) {
    start(now, headTiming_);
  }
}

/// What the command at the head costs and touches (rules 13 to 17, 30 to 34).
void PipeUnit::measureHead() {
  const Command &c = queue_.front().command;
  const isa::PipeConfig &config = context_.state->config;
  headTiming_ = timingOf(c, config, *context_.arch);
  isa::footprint(c, config, footprint_);
  headRanges_ = BoundingRanges(footprint_);
  if (pipe_ == Pipe::V) {
    headTiming_.bankCycles = banks_.vectorCycles(footprint_, headTiming_.rows,
                                                 headTiming_.beatsPerRow);
  } else if (c.op == Opcode::kIm2col) {
    headTiming_.bankCycles =
        banks_.im2colCycles(c, config) * context_.arch->timing.im2colCycles;
  }
  headTiming_.occupancy += headTiming_.bankCycles;
  headMeasured_ = true;
}

// Rule 10.
bool PipeUnit::windowFull(bool global) const {
  const isa::ArchPart &arch = context_.arch->arch;
  unsigned p = static_cast<unsigned>(pipe_);
  uint32_t limitGm = arch.inFlightGm[p];
  if (limitGm == 0) {
    return inFlight_.size() >= arch.inFlight[p];
  }
  auto used =
      std::count_if(inFlight_.begin(), inFlight_.end(),
                    [&](const InFlight &f) { return f.global == global; });
  return used >= static_cast<int64_t>(global ? limitGm : arch.inFlight[p]);
}

// Rule 12.
uint64_t PipeUnit::continuesAt(const CommandTiming &timing) const {
  if (pipe_ != Pipe::M || inFlight_.empty() ||
      inFlight_.back().sequence != sequence_) {
    return 0;
  }
  isa::CubeShape now = isa::CubeShape::unpack(queue_.front().command.rs1);
  isa::CubeShape before = isa::CubeShape::unpack(inFlight_.back().command.rs1);
  if (now.addr != before.addr || now.m != before.m || now.n != before.n) {
    return 0;
  }
  uint64_t latency = timing.latency;
  return inFlight_.back().busyEnd +
         (latency > timing.stepCycles ? latency - timing.stepCycles : 0);
}

// Rules 10 to 12; rule 9 is in tryStart().
bool PipeUnit::mayStart(uint64_t now, const CommandTiming &timing) {
  if (windowFull(timing.global)) {
    enter(Stall::kWindow, now);
    return false; // a retirement wakes this pipe
  }
  uint64_t continues = continuesAt(timing);
  for (const InFlight &other : inFlight_) {
    bool overlapAllowed = continues && &other == &inFlight_.back();
    if (overlapAllowed
            ? headRanges_.conflictsWith(other.ranges, isa::Space::L0C)
            : headRanges_.conflictsWith(other.ranges)) {
      enter(Stall::kInterlock, now);
      return false;
    }
  }
  if (now < continues) {
    enter(Stall::kInterlock, now);
    wakeAt(continues);
    return false;
  }
  return true;
}

void PipeUnit::start(uint64_t now, const CommandTiming &timing) {
  clock.enter(PipeState::busy(), now);
  settleLine();
  busyPc_ = queue_.front().command.pc;
  context_.firstStart = std::min(context_.firstStart, now);
  InFlight &f = inFlight_.emplace_back();
  f.command = queue_.front().command;
  f.config = context_.state->config;
  f.ranges = headRanges_;
  f.sequence = ++sequence_;
  f.issue = queue_.front().issue;
  f.start = now;
  f.global = timing.global;
  f.latency = timing.latency;
  f.bankCycles = timing.bankCycles;
  bankCycles_ += timing.bankCycles;
  if (context_.observer) {
    context_.observer->executing(f.command, f.config);
  }
  transferTiming_ = timing;
  neededBeat_ = 0;
  mayWait_ = joinTraffic(now, timing);
  if (timing.global) {
    startTransfer(now);
  } else {
    f.busyEnd = busyEnd_ = now + timing.occupancy;
    if (mayWait_) {
      f.beatsLeft = beatsLeft_ = true;
      context_.wheel->at<&PipeUnit::endBeats>(busyEnd_, Phase::kMain, this);
    } else {
      context_.wheel->at<&PipeUnit::retire>(busyEnd_ + timing.latency,
                                            Phase::kMain, this, f.sequence);
    }
    wakeAt(busyEnd_);
  }
  leaveQueue(now);
}

bool PipeUnit::joinTraffic(uint64_t now, const CommandTiming &timing) {
  BankTraffic &traffic = *context_.traffic;
  const InFlight &f = inFlight_.back();
  switch (pipe_) {
  case Pipe::M:
    if (traffic.mayWait(Pipe::FIX)) {
      traffic.beginCube(f.command, timing, now);
    }
    return false;
  case Pipe::V:
    if (traffic.meetsInUb()) {
      traffic.beginVector(banks_.operands(), timing, now);
    }
    return false;
  case Pipe::MTE1:
    if (traffic.meetsInL1()) {
      traffic.beginLoadL0(f.command, f.config, timing, now);
    }
    return false;
  case Pipe::FIX:
    if (!traffic.mayWait(pipe_)) {
      return false;
    }
    lastBeat_ = traffic.beginFix(f.command, f.sequence, f.config, timing, now);
    break;
  case Pipe::MTE3:
    if (!traffic.mayWait(pipe_)) {
      return false;
    }
    if (timing.global) { // burst by burst
      return true;
    }
    lastBeat_ = traffic.beginMove(f.command, f.sequence, timing, now);
    break;
  default:
    return false;
  }
  firstBeat_ = lastBeat_ - timing.occupancy;
  return true;
}

/// The occupancy ends when its last beat has come, which may be later than it
/// was thought.
void PipeUnit::endBeats(uint64_t, uint64_t now) {
  if (!beatsLeft_ || now < busyEnd_ || context_.stopped) {
    return;
  }
  InFlight &f = inFlight_.back();
  const BankTraffic::Progress p =
      context_.traffic->progress(pipe_, lastBeat_, now);
  if (p.left) {
    f.busyEnd = busyEnd_ = now + p.left;
    context_.wheel->at<&PipeUnit::endBeats>(busyEnd_, Phase::kMain, this);
    wakeAt(busyEnd_);
    return;
  }
  beatsLeft_ = false;
  f.bankCycles += p.waited - waited_;
  bankCycles_ += p.waited - waited_;
  waited_ = p.waited;
  if (!f.global) {
    f.lastBeat = lastBeat_;
    endServed(f.sequence, now);
    return;
  }
  f.beatsLeft = false;
  if (sentBytes_ == 0) {
    context_.wheel->at<&PipeUnit::retire>(now, Phase::kMain, this, f.sequence);
  } else if (f.openBursts == 0) {
    transferDone(f, now);
  } // else burstDone() goes on
}

/// Rules 37 to 39: the blocks of a command that is over have their turn.
void PipeUnit::endServed(uint64_t sequence, uint64_t now) {
  if (context_.stopped) {
    return;
  }
  InFlight &f = flying(sequence);
  const uint64_t left =
      context_.traffic->unserved(pipe_, f.lastBeat, sequence, now);
  if (left) {
    context_.wheel->at<&PipeUnit::endServed>(now + left, Phase::kMain, this,
                                             sequence);
    return;
  }
  f.beatsLeft = false;
  f.lateCycles = now - f.busyEnd;
  f.bankCycles += f.lateCycles;
  bankCycles_ += f.lateCycles;
  if (!f.global) {
    context_.wheel->at<&PipeUnit::retire>(now + f.latency, Phase::kMain, this,
                                          sequence);
  } else if (f.openBursts == 0) {
    transferDone(f, now);
  } // else burstDone() goes on
}

void PipeUnit::settleLine() {
  if (busyPc_) {
    busyByWord[(busyPc_ - isa::kInstructionRamBase) / 4] +=
        clock.busy() - busySettled_;
  }
  busySettled_ = clock.busy();
}

void PipeUnit::startTransfer(uint64_t now) {
  transferring_ = true;
  waitsForSlot_ = false;
  transferStart_ = now;
  sentBytes_ = 0;
  bool write = pipe_ != Pipe::MTE2;
  bursts_.start(footprint_, write, context_.arch->timing.memory);
  if (bursts_.done()) {
    endTransfer(now + 1);
  } else if (write) {
    burst_ = bursts_.next();
    requestWrite(0, now);
  } else {
    burst_ = bursts_.next();
    pump(0, now);
  }
}

/// MTE2 has the read port for itself.
void PipeUnit::pump(uint64_t, uint64_t now) {
  if (context_.stopped) {
    return;
  }
  uint64_t ready = port_->readyAt(false, Cycle(now)).count();
  if (ready == now) {
    send(now);
    return;
  }
  clock.enter(Stall::kGmPort, now);
  waitsForSlot_ = ready == kNever;
  if (!waitsForSlot_) {
    context_.wheel->at<&PipeUnit::pump>(ready, Phase::kMain, this);
  }
}

void PipeUnit::requestWrite(uint64_t, uint64_t now) {
  if (context_.stopped) {
    return;
  }
  const uint64_t left =
      neededBeat_ ? context_.traffic->progress(pipe_, neededBeat_, now).left
                  : 0;
  if (left) {
    context_.wheel->at<&PipeUnit::requestWrite>(now + left, Phase::kMain, this);
    return;
  }
  clock.enter(Stall::kGmPort, now); // until the arbiter grants, maybe now
  arbiter_->request(pipe_ == Pipe::FIX ? 1 : 0, *this, now);
}

void PipeUnit::granted(uint64_t now) {
  if (!context_.stopped) {
    send(now);
  }
}

/// Rule 19: hands over burst_; the pipe is busy for its beats.
void PipeUnit::send(uint64_t now) {
  clock.enter(PipeState::busy(), now);
  bool write = pipe_ != Pipe::MTE2;
  InFlight &f = inFlight_.back();
  ++f.openBursts;
  MemRequest request{GmAddr(burst_.address), burst_.bytes, burst_.beats, write,
                     write ? f.sequence : takeTag(f.sequence)};
  uint64_t next = now + burst_.beats;
  if (pipe_ == Pipe::MTE3 && mayWait_) {
    f.lastBeat = context_.traffic->beginStore(f.command, f.sequence, sentBytes_,
                                              burst_.bytes, now);
  }
  sentBytes_ += burst_.bytes;
  port_->issue(request, *this, Cycle(now));
  if (transferTiming_.outBytesPerCycle) { // rule 19: FIX has produced them
    const uint64_t beats =
        ceilDiv(sentBytes_, transferTiming_.outBytesPerCycle);
    next = std::max(next, transferStart_ + beats);
    neededBeat_ =
        mayWait_ ? std::min(firstBeat_ + beats, lastBeat_) : neededBeat_;
  }
  if (bursts_.done()) {
    endTransfer(std::max(next, transferStart_ + transferTiming_.occupancy));
    return;
  }
  burst_ = bursts_.next();
  if (write) {
    context_.wheel->at<&PipeUnit::requestWrite>(next, Phase::kMain, this);
  } else {
    context_.wheel->at<&PipeUnit::pump>(next, Phase::kMain, this);
  }
}

/// The last burst is handed over; the pipe is free from `end` on.
void PipeUnit::endTransfer(uint64_t end) {
  InFlight &f = inFlight_.back();
  transferring_ = false;
  f.busyEnd = busyEnd_ = end;
  f.allSent = true;
  if (mayWait_ && pipe_ == Pipe::MTE3) {
    f.beatsLeft = true;
    context_.wheel->at<&PipeUnit::endServed>(end, Phase::kMain, this,
                                             f.sequence);
  } else if (mayWait_) {
    f.beatsLeft = beatsLeft_ = true;
    context_.wheel->at<&PipeUnit::endBeats>(end, Phase::kMain, this);
  } else if (f.openBursts == 0) {
    context_.wheel->at<&PipeUnit::retire>(end, Phase::kMain, this, f.sequence);
  }
  wakeAt(end);
}

/// A tag for burst_ of a load.
uint64_t PipeUnit::takeTag(uint64_t sequence) {
  if (freeTags_.empty()) {
    freeTags_.push_back(static_cast<uint32_t>(coming_.size()));
    coming_.emplace_back();
  }
  const uint32_t tag = freeTags_.back();
  freeTags_.pop_back();
  coming_[tag] = {sequence, sentBytes_, burst_.bytes};
  return tag;
}

InFlight &PipeUnit::flying(uint64_t sequence) {
  return *std::find_if(
      inFlight_.begin(), inFlight_.end(),
      [&](const InFlight &f) { return f.sequence == sequence; });
}

/// Rule 39: the beats of a burst reach UB or L1.
void PipeUnit::burstComes(uint64_t tag, Cycle first) {
  const Coming &c = coming_[tag];
  if (context_.stopped || !context_.traffic->mayWait(pipe_)) {
    return;
  }
  InFlight &f = flying(c.sequence);
  f.lastBeat = context_.traffic->beginLoad(f.command, f.sequence, c.offset,
                                           c.bytes, first.count());
}

void PipeUnit::burstDone(uint64_t tag, Cycle cycle) {
  uint64_t now = cycle.count();
  if (context_.stopped) {
    return;
  }
  uint64_t sequence = tag;
  if (pipe_ == Pipe::MTE2) {
    sequence = coming_[tag].sequence;
    freeTags_.push_back(static_cast<uint32_t>(tag));
  }
  InFlight &f = flying(sequence);
  --f.openBursts;
  if (f.allSent && f.openBursts == 0) {
    f.doneAt = now;
    if (!f.beatsLeft) {
      transferDone(f, now);
    }
  }
  if (pipe_ == Pipe::MTE2) {
    if (waitsForSlot_) {
      waitsForSlot_ = false;
      pump(0, now);
    }
  } else {
    arbiter_->slotFreed(now);
  }
}

/// The last burst is complete, and what a store or FIX had to wait for is over.
void PipeUnit::transferDone(InFlight &f, uint64_t now) {
  if (pipe_ == Pipe::MTE2) {
    endLoad(f.sequence, now);
    return;
  }
  const uint64_t latency =
      pipe_ == Pipe::FIX ? context_.arch->timing.fixLatencyCycles : 0;
  context_.wheel->at<&PipeUnit::retire>(std::max(now, f.doneAt + f.lateCycles) +
                                            latency,
                                        Phase::kMain, this, f.sequence);
}

/// A load retires when all of its blocks are written as well.
void PipeUnit::endLoad(uint64_t sequence, uint64_t now) {
  if (context_.stopped) {
    return;
  }
  InFlight &f = flying(sequence);
  const uint64_t left =
      f.lastBeat ? context_.traffic->unserved(pipe_, f.lastBeat, sequence, now)
                 : 0;
  if (left) {
    context_.wheel->at<&PipeUnit::endLoad>(now + left, Phase::kMain, this,
                                           sequence);
    return;
  }
  f.bankCycles = now - f.doneAt;
  bankCycles_ += f.bankCycles;
  context_.wheel->at<&PipeUnit::retire>(now, Phase::kMain, this, sequence);
}

void PipeUnit::retire(uint64_t sequence, uint64_t now) {
  if (context_.stopped) {
    return;
  }
  auto it = inFlight_.begin() + (&flying(sequence) - inFlight_.data());
  auto isWrite = [&](const InFlight &f) {
    return f.global && pipe_ != Pipe::MTE2;
  };
  bool write = isWrite(*it);
  if (write && std::find_if(inFlight_.begin(), it, isWrite) != it) {
    it->complete = true; // rule 21: after the writes in front of it
    return;
  }
  apply(*it, now);
  if (context_.stopped) {
    return;
  }
  inFlight_.erase(it);
  if (write) {
    auto next = std::find_if(inFlight_.begin(), inFlight_.end(), isWrite);
    if (next != inFlight_.end() && next->complete) {
      retire(next->sequence, now); // goes on below for all of them
      return;
    }
  }
  lastActivity_ = std::max(lastActivity_, now);
  context_.lastRetire = std::max(context_.lastRetire, now);
  fireSets(now);
  processHead(now);
}

std::optional<isa::Fault> PipeUnit::applyData(const InFlight &done) {
  const Command &c = done.command;
  if (context_.dataOff) {
    return std::nullopt;
  }
  if (!context_.workers) {
    return isa::execute(c, done.config, context_.state->memory);
  }
  // Updates of common bytes by several cores happen in their order.
  if (c.op == Opcode::kStUb &&
      isa::StoreGeometry::unpack(c.rs3).mode != isa::StoreMode::kStore) {
    context_.workers->drainAll();
    return isa::execute(c, done.config, context_.state->memory);
  }
  return context_.workers->post(
      context_.coreId,
      {c, done.config, &context_.state->memory, context_.block});
}

void PipeUnit::apply(const InFlight &done, uint64_t now) {
  if (std::optional<isa::Fault> f = applyData(done)) {
    context_.core->failCommand(done.command, std::move(*f));
    return;
  }
  countCommand(done.command, done.config, *context_.report);
  if (context_.listener) {
    context_.listener->retired({context_.coreId, done.command, done.issue,
                                done.start, done.busyEnd, now, &done.config,
                                done.bankCycles});
  }
}

void PipeUnit::tellSynced(const Command &c, uint64_t issue, uint64_t start,
                          uint64_t visible) {
  context_.listener->synced(
      {context_.coreId, c, issue, start, start + 1, visible});
}

} // namespace kiln::sim
