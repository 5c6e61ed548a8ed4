// SPDX-License-Identifier: Apache-2.0
//
// CommandRing: the queue of one pipe, of fixed depth.
#pragma once

#include "isa/codec/command.h"

#include <cassert>
#include <vector>

namespace kiln::sim {

class CommandRing {
public:
  void setDepth(size_t depth) { slots_.resize(depth); }
  void clear() { first_ = count_ = 0; }
  bool empty() const { return count_ == 0; }
  bool full() const { return count_ == slots_.size(); }
  size_t size() const { return count_; }
  /// The commands, the next one first.
  std::vector<isa::Command> all() const {
    std::vector<isa::Command> commands;
    for (size_t i = 0; i < count_; ++i) {
      commands.push_back(slots_[(first_ + i) % slots_.size()]);
    }
    return commands;
  }
  const isa::Command &front() const {
    assert(count_ && "front() of an empty queue");
    return slots_[first_];
  }
  void push(const isa::Command &command) {
    assert(!full() && "push() into a full queue");
    size_t at = first_ + count_;
    slots_[at < slots_.size() ? at : at - slots_.size()] = command;
    ++count_;
  }
  void pop() {
    assert(count_ && "pop() of an empty queue");
    first_ = first_ + 1 == slots_.size() ? 0 : first_ + 1;
    --count_;
  }

private:
  std::vector<isa::Command> slots_;
  size_t first_ = 0;
  size_t count_ = 0;
};

} // namespace kiln::sim
