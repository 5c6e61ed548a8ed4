// SPDX-License-Identifier: Apache-2.0
#include "hal/core/host_queues.h"

#include "hal/core/host_memory.h"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>

namespace kiln::hal {

Status CommandExecutor::run(const CopyCommand &command) {
  return copyOnHost(command);
}

Status CommandExecutor::run(const FillCommand &command) {
  return fillOnHost(command);
}

Status CommandExecutor::run(const UploadCommand &command) {
  return uploadOnHost(command);
}

/// A submission that was accepted and has not ended.
struct HostQueues::Pending {
  uint64_t number = 0; // order of submission
  Submission submission;
  size_t openWaits = 0;
  Status error; // of a wait that failed
};

/// One queue. Its work runs on one thread at a time: its worker, or a caller
/// that waits for what it submits.
struct HostQueues::Lane {
  std::deque<std::shared_ptr<Pending>> ready;
  bool busy = false;
  std::condition_variable changed; // ready, busy or State::stopping
};

/// Shared with the callbacks of timelines, which may outlive the queues.
struct HostQueues::State {
  State(CommandExecutor &executor, uint32_t count)
      : executor(executor), lanes(count) {}

  Status lostStatus() {
    std::lock_guard lock(mutex);
    return lost;
  }
  Status execute(const Submission &submission);
  Status runOne(const Command &command, size_t index,
                const DispatchObserver &observer);
  void waitEnded(Lane &lane, const std::shared_ptr<Pending> &pending,
                 const Status &outcome);
  bool claim(Lane &lane, const Submission &submission);
  void release(Lane &lane);

  CommandExecutor &executor;
  std::mutex mutex;
  std::deque<Lane> lanes;
  std::map<uint64_t, std::shared_ptr<Pending>> waiting; // by number
  uint64_t accepted = 0;
  bool stopping = false;
  Status lost; // kDeviceLost, once it happened
};

namespace {

/// Signals or fails, and releases what the submission kept alive: a timeline
/// that is never signalled holds on to the rest.
void finish(Submission &submission, const Status &outcome) {
  Submission ended;
  std::swap(ended, submission);
  ended.commands.clear();
  ended.keepAlive.clear();
  for (const TimelinePoint &point : ended.signals) {
    Status status = outcome ? point.timeline->signal(point.value) : outcome;
    if (!status) {
      point.timeline->fail(status);
    }
  }
}

} // namespace

Status HostQueues::State::runOne(const Command &command, size_t index,
                                 const DispatchObserver &observer) {
  if (const auto *dispatch = std::get_if<DispatchCommand>(&command)) {
    Result<ProgramReport> report = executor.run(*dispatch);
    if (!report) {
      return report.status().withContext("dispatch '" + dispatch->label + "'");
    }
    if (observer) {
      observer(index, *report);
    }
    return Status::ok();
  }
  if (const auto *copy = std::get_if<CopyCommand>(&command)) {
    return executor.run(*copy);
  }
  if (const auto *fill = std::get_if<FillCommand>(&command)) {
    return executor.run(*fill);
  }
  if (const auto *upload = std::get_if<UploadCommand>(&command)) {
    return executor.run(*upload);
  }
  return Status::ok(); // a barrier: commands run one after the other anyway
}

Status HostQueues::State::execute(const Submission &submission) {
  for (size_t i = 0; i < submission.commands.size(); ++i) {
    KILN_RETURN_IF_ERROR(lostStatus());
    Status status = runOne(submission.commands[i], i, submission.observer);
    if (status.code() == StatusCode::kDeviceLost) {
      std::lock_guard lock(mutex);
      lost = status;
    }
    KILN_RETURN_IF_ERROR(status);
  }
  return Status::ok();
}

void HostQueues::State::waitEnded(Lane &lane,
                                  const std::shared_ptr<Pending> &pending,
                                  const Status &outcome) {
  std::lock_guard lock(mutex);
  if (!outcome && pending->error) {
    pending->error = outcome;
  }
  if (--pending->openWaits != 0) {
    return;
  }
  if (waiting.erase(pending->number) != 0) {
    lane.ready.push_back(pending);
    lane.changed.notify_one();
  }
}

/// Whether a caller that waits may run its submission itself: everything it
/// waits for is reached and the queue has nothing else to do. Takes the lane.
bool HostQueues::State::claim(Lane &lane, const Submission &submission) {
  for (const TimelinePoint &point : submission.waits) {
    Result<uint64_t> value = point.timeline->query();
    if (!value || *value < point.value) {
      return false;
    }
  }
  std::lock_guard lock(mutex);
  if (lane.busy || !lane.ready.empty() || stopping) {
    return false;
  }
  lane.busy = true;
  return true;
}

void HostQueues::State::release(Lane &lane) {
  std::lock_guard lock(mutex);
  lane.busy = false;
  if (!lane.ready.empty() || stopping) {
    lane.changed.notify_one();
  }
}

HostQueues::HostQueues(CommandExecutor &executor, uint32_t count)
    : state_(std::make_shared<State>(executor, count)) {
  for (Lane &lane : state_->lanes) {
    workers_.emplace_back([state = state_, &lane] { work(state, lane); });
  }
}

HostQueues::~HostQueues() {
  std::map<uint64_t, std::shared_ptr<Pending>> cancelled;
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    cancelled.swap(state_->waiting);
  }
  for (Lane &lane : state_->lanes) {
    lane.changed.notify_one();
  }
  for (std::thread &worker : workers_) {
    worker.join();
  }
  for (const auto &[number, pending] : cancelled) {
    finish(pending->submission,
           {StatusCode::kCancelled,
            "the device was destroyed before what this work waits for"});
  }
}

Status HostQueues::submit(uint32_t queue, Submission submission) {
  if (submission.callerWaits &&
      state_->claim(state_->lanes[queue], submission)) {
    return runOnCaller(state_->lanes[queue], std::move(submission));
  }
  auto pending = std::make_shared<Pending>();
  pending->submission = std::move(submission);
  // One more than the waits: nothing starts before all are registered.
  pending->openWaits = pending->submission.waits.size() + 1;
  Lane &lane = state_->lanes[queue];
  {
    std::lock_guard lock(state_->mutex);
    KILN_RETURN_IF_ERROR(state_->lost);
    pending->number = state_->accepted++;
    state_->waiting.emplace(pending->number, pending);
  }
  for (const TimelinePoint &point : pending->submission.waits) {
    point.timeline->notifyAt(
        point.value, [state = state_, &lane, pending](const Status &outcome) {
          state->waitEnded(lane, pending, outcome);
        });
  }
  state_->waitEnded(lane, pending, Status::ok());
  return Status::ok();
}

Status HostQueues::runOnCaller(Lane &lane, Submission submission) {
  // A lost device accepts no new work, as in submit().
  Status accepted = state_->lostStatus();
  if (accepted) {
    Status outcome = state_->execute(submission);
    finish(submission, outcome);
  }
  state_->release(lane);
  return accepted;
}

void HostQueues::work(std::shared_ptr<State> state, Lane &lane) {
  std::unique_lock lock(state->mutex);
  while (true) {
    lane.changed.wait(lock, [&] {
      return !lane.busy && (!lane.ready.empty() || state->stopping);
    });
    if (lane.ready.empty()) {
      return;
    }
    lane.busy = true;
    std::shared_ptr<Pending> pending = std::move(lane.ready.front());
    lane.ready.pop_front();
    lock.unlock();
    Status outcome =
        pending->error ? state->execute(pending->submission) : pending->error;
    finish(pending->submission, outcome);
    pending.reset();
    lock.lock();
    lane.busy = false;
  }
}

} // namespace kiln::hal
