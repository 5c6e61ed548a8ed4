// SPDX-License-Identifier: Apache-2.0
//
// Measurer: what a setting costs. The search asks, whoever starts the search
// answers: the cycle engine in worker processes (tools/kiln), a function in a
// test, a device. Measurements are exact: the same setting costs the same, so
// nothing is repeated.
//
//   measurer.submit(0, {128, 64}, 0);
//   measurer.submit(1, {256, 64}, 0);
//   Result<Finished> done = measurer.next(); // trial 1 or trial 0
//
// Contract: next() returns each submitted trial once, in any order, and may
// be called as often as submit() was. A trial that fails, or loses its
// process, is a Measurement with the reason; the Status of next() is for a
// measurer that cannot go on.
#pragma once

#include "compiler/tuning/search_space.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>

namespace kiln::tuning {

/// kOk: `cycles` is the cost. kBudgetExceeded: the run was stopped when it had
/// cost `cycles`, the true cost is higher. Anything else: it failed.
struct Measurement {
  StatusCode code = StatusCode::kOk;
  std::string message{}; // why it failed
  uint64_t cycles = 0;
  uint64_t lowerBound = 0; // cycles no setting can go below; 0: not known

  bool operator==(const Measurement &) const = default;
};

struct Finished {
  size_t trial = 0;
  Measurement measurement;
};

class Measurer {
public:
  virtual ~Measurer() = default;
  /// A run may be stopped once it costs more than `abortAbove`; 0: never.
  virtual void submit(size_t trial, const Setting &setting,
                      uint64_t abortAbove) = 0;
  virtual Result<Finished> next() = 0;
};

/// A measurer in this process.
class FunctionMeasurer final : public Measurer {
public:
  using Function = std::function<Measurement(const Setting &, uint64_t)>;
  explicit FunctionMeasurer(Function function)
      : function_(std::move(function)) {}

  void submit(size_t trial, const Setting &setting,
              uint64_t abortAbove) override {
    queue_.push_back({trial, function_(setting, abortAbove)});
  }
  Result<Finished> next() override {
    if (queue_.empty()) {
      return Status(StatusCode::kInternal, "no trial was submitted");
    }
    Finished first = std::move(queue_.front());
    queue_.pop_front();
    return first;
  }

private:
  Function function_;
  std::deque<Finished> queue_;
};

} // namespace kiln::tuning
