// SPDX-License-Identifier: Apache-2.0
#include "hal/api/timeline.h"

#include <string>

namespace kiln::hal {

Result<uint64_t> Timeline::query() const {
  std::lock_guard lock(mutex_);
  if (!error_) {
    return error_;
  }
  return value_;
}

Status Timeline::wait(uint64_t value,
                      std::optional<std::chrono::nanoseconds> timeout) const {
  std::unique_lock lock(mutex_);
  auto decided = [&] { return value_ >= value || !error_; };
  if (!timeout) {
    changed_.wait(lock, decided);
  } else if (!changed_.wait_for(lock, *timeout, decided)) {
    return {StatusCode::kBudgetExceeded,
            "timeline is at " + std::to_string(value_) + ", waited for " +
                std::to_string(value) + " until the timeout"};
  }
  return value_ >= value ? Status::ok() : error_;
}

Status Timeline::signal(uint64_t value) {
  std::vector<Waiter> ready;
  {
    std::lock_guard lock(mutex_);
    if (!error_) {
      return error_;
    }
    if (value <= value_) {
      return {StatusCode::kInvalidArgument,
              "timeline is at " + std::to_string(value_) +
                  " and cannot be set to " + std::to_string(value) +
                  "; values must grow"};
    }
    value_ = value;
    ready = takeReady();
  }
  changed_.notify_all();
  for (Waiter &waiter : ready) {
    waiter.callback(Status::ok());
  }
  return Status::ok();
}

void Timeline::fail(Status error) {
  assert(!error && "a timeline fails with an error");
  std::vector<Waiter> waiters;
  {
    std::lock_guard lock(mutex_);
    if (!error_) {
      return;
    }
    error_ = error;
    waiters.swap(waiters_);
  }
  changed_.notify_all();
  for (Waiter &waiter : waiters) {
    waiter.callback(error);
  }
}

void Timeline::notifyAt(uint64_t value,
                        std::function<void(const Status &)> callback) {
  Status outcome;
  {
    std::lock_guard lock(mutex_);
    if (value_ < value && error_) {
      waiters_.push_back({value, std::move(callback)});
      return;
    }
    outcome = value_ >= value ? Status::ok() : error_;
  }
  callback(outcome);
}

/// Removes and returns the waiters whose value is reached, oldest first.
std::vector<Timeline::Waiter> Timeline::takeReady() {
  std::vector<Waiter> ready, later;
  for (Waiter &waiter : waiters_) {
    (waiter.value <= value_ ? ready : later).push_back(std::move(waiter));
  }
  waiters_.swap(later);
  return ready;
}

} // namespace kiln::hal
