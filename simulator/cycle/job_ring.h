// SPDX-License-Identifier: Apache-2.0
//
// A first-in, first-out list that keeps its storage: std::deque allocates a
// chunk for each element as large as those of BankTraffic.
//
//   JobRing<Job> jobs;
//   jobs.push(job);
//   jobs.front().next += 1;
//   jobs.pop();
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace kiln::sim {

template <typename T> class JobRing {
public:
  bool empty() const { return count_ == 0; }
  size_t size() const { return count_; }
  T &front() { return slots_[first_]; }
  const T &front() const { return slots_[first_]; }
  T &back() { return slots_[place(count_ - 1)]; }
  /// The n-th from the front.
  T &operator[](size_t n) { return slots_[place(n)]; }
  const T &operator[](size_t n) const { return slots_[place(n)]; }

  void push(T value) {
    if (count_ == slots_.size()) {
      grow();
    }
    slots_[place(count_++)] = std::move(value);
  }
  void pop() {
    first_ = place(1);
    --count_;
  }
  void clear() { first_ = count_ = 0; }

private:
  size_t place(size_t n) const { return (first_ + n) & (slots_.size() - 1); }
  void grow() {
    std::vector<T> more(slots_.empty() ? 8 : 2 * slots_.size());
    for (size_t n = 0; n < count_; ++n) {
      more[n] = std::move(slots_[place(n)]);
    }
    slots_ = std::move(more);
    first_ = 0;
  }

  std::vector<T> slots_; // a power of two of them
  size_t first_ = 0, count_ = 0;
};

} // namespace kiln::sim
