// SPDX-License-Identifier: Apache-2.0
//
// Timeline: a monotonic counter with an error payload, the only way work is
// ordered.
//
//   std::shared_ptr<Timeline> t = *device.createTimeline();
//   queue.copy(a, b, {.signal = {{t, 1}}});
//   queue.dispatch(d, {.wait = {{t, 1}}, .signal = {{t, 2}}});
//   Status status = t->wait(2);          // the fault report, if there was one
//
// Contract: the value only grows. A timeline that fails stays failed: every
// wait for a value not reached before the failure returns the error, on the
// host and in queues, where it travels on to the timelines that the waiting
// work would have signalled.
//
// Thread rule: any call from any thread.
#pragma once

#include "isa/support/status.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace kiln::hal {

class Timeline {
public:
  explicit Timeline(uint64_t initialValue = 0) : value_(initialValue) {}
  Timeline(const Timeline &) = delete;
  Timeline &operator=(const Timeline &) = delete;

  /// The current value, or the error of a failed timeline.
  Result<uint64_t> query() const;

  /// Blocks until the value is reached (ok) or never will be (the error).
  /// kBudgetExceeded when `timeout` passes first.
  Status
  wait(uint64_t value,
       std::optional<std::chrono::nanoseconds> timeout = std::nullopt) const;

  /// Sets the value, which must be greater than the current one: else
  /// kInvalidArgument and no change. The error when the timeline has failed.
  Status signal(uint64_t value);

  /// Fails the timeline; the first error stays.
  void fail(Status error);

  /// Calls `callback` once, when `value` is reached (ok) or never will be (the
  /// error): at once on this thread, else later on the signalling thread. The
  /// callback must not block.
  void notifyAt(uint64_t value, std::function<void(const Status &)> callback);

private:
  struct Waiter {
    uint64_t value;
    std::function<void(const Status &)> callback;
  };
  std::vector<Waiter> takeReady();

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  uint64_t value_;
  Status error_;
  std::vector<Waiter> waiters_;
};

/// A value of a timeline to wait for or to signal. A value to signal is greater
/// than the timeline's at submission.
struct TimelinePoint {
  std::shared_ptr<Timeline> timeline;
  uint64_t value = 0;
};

/// What a verb of a queue waits for and signals. Work starts when all waits
/// are reached; signals are set when all of it is finished and visible.
struct Sync {
  std::vector<TimelinePoint> wait{};
  std::vector<TimelinePoint> signal{};
  /// The caller is about to wait for this and has nothing better to do: a
  /// device that executes on host threads may run the work inside the verb and
  /// spare a hand-over between threads. Never changes a result; without it a
  /// verb does not block.
  bool callerWaits = false;
};

} // namespace kiln::hal
