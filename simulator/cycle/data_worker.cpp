// SPDX-License-Identifier: Apache-2.0
#include "simulator/cycle/data_worker.h"

#include <algorithm>

namespace kiln::sim {

namespace {
/// Commands per turn of a lane, so that the lanes take turns.
constexpr size_t kTurn = 32;
/// Commands that may wait before the posting thread helps.
constexpr size_t kBehind = 256;
} // namespace

DataWorkers::DataWorkers(unsigned threads, uint32_t cores) : lanes_(cores) {
  for (unsigned i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { serve(); });
  }
}

DataWorkers::~DataWorkers() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
  for (std::thread &thread : threads_) {
    thread.join();
  }
}

std::optional<isa::Fault> DataWorkers::post(uint32_t core, const Work &work) {
  std::unique_lock lock(mutex_);
  Lane &lane = lanes_[core];
  lane.queue.push_back({posted_++, work});
  ++waiting_;
  if (!lane.taken && lane.queue.size() == 1) {
    ready_.push_back(core);
    work_.notify_one();
  }
  while (waiting_ > kBehind) {
    if (!helpOnce(lock)) {
      done_.wait(lock); // others have taken all lanes
    }
  }
  return failure_ ? std::optional(failure_->fault) : std::nullopt;
}

void DataWorkers::drain(uint32_t core) {
  std::unique_lock lock(mutex_);
  Lane &lane = lanes_[core];
  while (lane.taken || !lane.queue.empty()) {
    if (!lane.taken) {
      ready_.erase(std::find(ready_.begin(), ready_.end(), core));
      execute(core, lock);
    } else {
      done_.wait(lock);
    }
  }
}

void DataWorkers::drainAll() {
  std::unique_lock lock(mutex_);
  const auto busy = [](const Lane &lane) {
    return lane.taken || !lane.queue.empty();
  };
  while (std::any_of(lanes_.begin(), lanes_.end(), busy)) {
    if (!helpOnce(lock)) {
      done_.wait(lock);
    }
  }
}

std::optional<DataWorkers::Failure> DataWorkers::fault() {
  std::lock_guard lock(mutex_);
  return failure_;
}

bool DataWorkers::helpOnce(std::unique_lock<std::mutex> &lock) {
  if (ready_.empty()) {
    return false;
  }
  const uint32_t core = ready_.front();
  ready_.pop_front();
  execute(core, lock);
  return true;
}

void DataWorkers::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return stop_ || !ready_.empty(); });
    if (stop_) {
      return;
    }
    helpOnce(lock);
  }
}

void DataWorkers::execute(uint32_t core, std::unique_lock<std::mutex> &lock) {
  Lane &lane = lanes_[core];
  lane.taken = true;
  const auto turn =
      static_cast<std::ptrdiff_t>(std::min(lane.queue.size(), kTurn));
  std::vector<Numbered> mine(lane.queue.begin(), lane.queue.begin() + turn);
  lane.queue.erase(lane.queue.begin(), lane.queue.begin() + turn);
  waiting_ -= mine.size();
  const bool skip = lane.failed;
  lock.unlock();
  std::optional<Failure> failure;
  for (const Numbered &n : mine) {
    if (skip || failure) {
      break;
    }
    if (std::optional<isa::Fault> f =
            isa::execute(n.work.command, n.work.config, *n.work.memory)) {
      failure = {n.number, core, n.work.block, n.work.command, std::move(*f)};
    }
  }
  lock.lock();
  lane.taken = false;
  if (failure) {
    lane.failed = true;
    if (!failure_ || failure->number < failure_->number) {
      failure_ = std::move(failure);
    }
  }
  if (!lane.queue.empty()) {
    ready_.push_back(core);
    work_.notify_one();
  }
  done_.notify_all();
}

} // namespace kiln::sim
