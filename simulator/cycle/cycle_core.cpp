// SPDX-License-Identifier: Apache-2.0
#include "simulator/cycle/cycle_core.h"

#include <algorithm>

namespace kiln::sim {

using isa::Command;
using isa::Pipe;

CycleCore::CycleCore(const isa::ArchSpec &arch, HostGlobalMemory &gm,
                     uint32_t id)
    : state_(arch, gm), traffic_(arch), control_(context_) {
  context_.arch = &arch;
  context_.core = this;
  context_.state = &state_;
  context_.flags = &flags_;
  context_.traffic = &traffic_;
  context_.coreId = id;
  for (unsigned p = 1; p < isa::kNumPipes; ++p) {
    pipes_[p] = std::make_unique<PipeUnit>(static_cast<Pipe>(p), context_);
  }
}

void CycleCore::startLaunch(LaunchContext &launch) {
  launch_ = &launch;
  context_.wheel = launch.wheel;
  context_.report = launch.report;
  context_.observer =
      launch.observers.empty() ? nullptr : launch.observers[context_.coreId];
  context_.listener = launch.request->listener;
  context_.workers = launch.workers;
  context_.dataOff = launch.request->dataOff;
  state_.control.setDebug(launch.request->debug);
  context_.stopped = false;
  context_.firstStart = ~uint64_t{0};
  context_.lastRetire = 0;
  MemPort &port = launch.memory->port(context_.coreId);
  arbiter_.emplace(*launch.wheel, port);
  size_t words = launch.request->program->code().words.size();
  for (unsigned p = 1; p < isa::kNumPipes; ++p) {
    pipes_[p]->reset(&port, &*arbiter_, words);
  }
  control_.reset();
  flags_.reset();
  traffic_.reset();
  comingSets_.clear();
  freeSets_.clear();
  running_ = false;
  flagsSettledAt_ = 0;
}

void CycleCore::startBlock(uint32_t block, uint64_t now) {
  const LaunchRequest &request = *launch_->request;
  BlockPosition position{block, request.blockDim, context_.coreId};
  site_ = {request.program.get(), context_.coreId, block};
  context_.block = block;
  running_ = true;
  flags_.reset();
  state_.startBlock(*request.program, *launch_->argumentBlock, position, now);
  if (context_.observer) {
    context_.observer->beginBlock(position);
  }
  if (context_.listener) {
    context_.listener->beganBlock(context_.coreId, block, now);
  }
  for (unsigned p = 1; p < isa::kNumPipes; ++p) {
    pipes_[p]->clock.enter(Stall::kEmpty, now);
  }
  control_.startBlock(now, request.budget);
}

void CycleCore::blockEnded(const Command &end, uint64_t now) {
  bool residue = false;
  flags_.forEachSet([&](FlagName) { residue = true; });
  if (residue) {
    failCommand(end, explainResidue(site_, flags_));
    return;
  }
  running_ = false;
  launch_->report->instructions += state_.control.instructions();
  for (unsigned p = 1; p < isa::kNumPipes; ++p) {
    pipes_[p]->clock.enter(PipeState::idle(), now);
  }
  launch_->blockEnded(context_.coreId, now);
}

void CycleCore::finishLaunch(uint64_t now) {
  control_.clock.finish(now, launch_->report->pipes[0]);
  for (unsigned p = 1; p < isa::kNumPipes; ++p) {
    pipes_[p]->finish(now, launch_->report->pipes[p]);
  }
}

uint32_t CycleCore::keepSet(const Command &command) {
  uint32_t slot = static_cast<uint32_t>(comingSets_.size());
  if (freeSets_.empty()) {
    comingSets_.push_back(command);
  } else {
    slot = freeSets_.back();
    freeSets_.pop_back();
    comingSets_[slot] = command;
  }
  return slot;
}

void CycleCore::setFlagAt(const Command &set, uint64_t at) {
  flagsSettledAt_ = std::max(flagsSettledAt_, at);
  context_.wheel->at<&CycleCore::flagVisible>(at, Phase::kMain, this,
                                              keepSet(set));
}

void CycleCore::postAt(const Command &post, uint64_t at) {
  context_.wheel->at<&CycleCore::posted>(at, Phase::kMain, this, keepSet(post));
}

void CycleCore::posted(uint64_t slot, uint64_t now) {
  if (context_.stopped) {
    return;
  }
  Command post = comingSets_[slot];
  freeSets_.push_back(static_cast<uint32_t>(slot));
  if (std::optional<isa::Fault> f = launch_->semaphores->check(post)) {
    failCommand(post, std::move(*f));
    return;
  }
  launch_->semaphores->post(post);
  launch_->semaphoreGrew(isa::Semaphore::unpack(post.rs1).block, now);
}

bool CycleCore::takeSemaphore(const Command &pend) {
  const bool taken = launch_->semaphores->take(context_.block, pend);
  if (taken && context_.workers) {
    context_.workers->drainAll();
  }
  return taken;
}

void CycleCore::semaphoreGrew(uint64_t now) {
  pipes_[static_cast<unsigned>(Pipe::MTE2)]->wake(0, now);
}

void CycleCore::arrive(uint64_t now) {
  if (launch_->semaphores->arrive()) {
    if (context_.workers) {
      context_.workers->drainAll();
    }
    launch_->barrierPassed(now + context_.arch->timing.semaphoreCycles);
  }
}

void CycleCore::leaveDeviceBarrier(uint64_t at) {
  context_.wheel->at<&ControlUnit::passBarrier>(at, Phase::kMain, &control_);
}

void CycleCore::flagVisible(uint64_t slot, uint64_t now) {
  if (context_.stopped) {
    return;
  }
  Command set = comingSets_[slot];
  freeSets_.push_back(static_cast<uint32_t>(slot));
  if (std::optional<isa::Fault> f = checkSet(site_, set, flags_, now)) {
    failCommand(set, std::move(*f));
    return;
  }
  FlagName flag = flagOf(set);
  flags_.set(flag, set.pc);
  if (flag.destination == Pipe::S) {
    control_.flagVisible(now);
  } else {
    pipes_[static_cast<unsigned>(flag.destination)]->wake(0, now);
  }
}

void CycleCore::failCommand(const Command &c, isa::Fault fault) {
  if (fault.kind == isa::FaultKind::kGmBounds) {
    addNearestBinding(c, *launch_->gm, fault);
  }
  context_.stopped = true;
  launch_->faulted(site_.ofCommand(c, std::move(fault)));
}

void CycleCore::failControl(uint64_t pc, isa::Fault fault) {
  context_.stopped = true;
  launch_->faulted(site_.ofControl(pc, std::move(fault)));
}

void CycleCore::pipeChanged(uint64_t now) { control_.pipeChanged(now); }

void CycleCore::push(const Command &c, uint64_t now) {
  if (context_.observer) {
    context_.observer->issued(c);
  }
  pipes_[static_cast<unsigned>(c.pipe)]->push(c, now);
}

bool CycleCore::hasRoom(Pipe pipe, uint64_t now) const {
  return pipes_[static_cast<unsigned>(pipe)]->hasRoom(now);
}

bool CycleCore::allIdle(uint64_t &lastActivity) const {
  for (unsigned p = 1; p < isa::kNumPipes; ++p) {
    if (!pipes_[p]->isIdle()) {
      return false;
    }
    lastActivity = std::max(lastActivity, pipes_[p]->lastActivity());
  }
  return true;
}

DebugView CycleCore::debugView(uint64_t now) {
  DebugView view;
  view.program = launch_->request->program.get();
  view.state = &state_;
  view.flags = &flags_;
  view.position = {site_.block, launch_->request->blockDim, site_.core};
  view.cycle = now;
  view.queue = [this](Pipe pipe) {
    return pipes_[static_cast<unsigned>(pipe)]->queuedCommands();
  };
  return view;
}

bool CycleCore::stoppedForDebugger(uint64_t now) {
  return launch_->request->debug->stopped(debugView(now));
}

FaultReport CycleCore::deadlock() const {
  ControlWait control = control_.wait();
  PipeWait waits[isa::kNumPipes];
  for (unsigned p = 1; p < isa::kNumPipes; ++p) {
    waits[p].queued = pipes_[p]->queued();
    const Command *head = pipes_[p]->head();
    if (head && head->op == isa::Opcode::kKpend) {
      waits[p].semaphore = static_cast<int>(head->rs1);
      waits[p].pc = head->pc;
    } else if (head && head->op == isa::Opcode::kKwait) {
      waits[p].waitsForFlag = true;
      waits[p].flag = flagOf(*head);
      waits[p].pc = head->pc;
    }
  }
  return site_.ofControl(control.pc,
                         explainDeadlock(site_, control, waits, flags_));
}

} // namespace kiln::sim
