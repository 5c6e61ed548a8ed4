// SPDX-License-Identifier: Apache-2.0
//
// TimingWheel: future events of a simulation in integer cycles.
//
//   TimingWheel wheel;
//   wheel.at(cycle, Phase::kMain, &Pipe::wake, pipe, argument);
//   while (wheel.runNext()) { ... }      // all events of the next busy cycle
//
// Order: by cycle, then phase (kMain before kLate), then first in first out.
// An event may add events of its own cycle in its own or a later phase. The
// near future is a ring of lists with a bitmap, so that idle cycles are
// skipped; the far future is a heap that is moved in when its time comes near.
#pragma once

#include <array>
#include <bit>
#include <cassert>
#include <cstdint>
#include <memory>
#include <queue>
#include <vector>

namespace kiln::sim {

/// Decisions that depend on all requests of a cycle happen in kLate.
enum class Phase : uint8_t { kMain, kLate };

class TimingWheel {
public:
  using Action = void (*)(void *target, uint64_t argument, uint64_t now);

  void add(uint64_t cycle, Phase phase, Action action, void *target,
           uint64_t argument = 0) {
    assert(cycle >= now_ && "an event in the past");
    Node *node = allocate();
    *node = {cycle, ++sequence_, action, target, argument, nullptr, phase};
    ++pending_;
    if (cycle - now_ < kSlots) {
      link(node);
    } else {
      far_.push(node);
    }
  }

  /// add() for a member function: at<&Pipe::wake>(cycle, phase, pipe).
  template <auto Method, typename Target>
  void at(uint64_t cycle, Phase phase, Target *target, uint64_t argument = 0) {
    add(
        cycle, phase,
        [](void *t, uint64_t a, uint64_t now) {
          (static_cast<Target *>(t)->*Method)(a, now);
        },
        target, argument);
  }

  uint64_t now() const { return now_; }
  bool empty() const { return pending_ == 0; }
  void setSkipping(bool skip) { skip_ = skip; }

  /// Advances to the next cycle that has events (or by one cycle when
  /// skipping is off) and runs them. False when no event is left.
  bool runNext() {
    if (empty()) {
      return false;
    }
    advanceTo(skip_ || started_ == false ? nextBusyCycle() : now_ + 1);
    started_ = true;
    runCycle();
    return true;
  }

private:
  static constexpr uint64_t kSlots = 1024;
  static constexpr unsigned kPhases = 2;

  struct Node {
    uint64_t cycle;
    uint64_t sequence;
    Action action;
    void *target;
    uint64_t argument;
    Node *next;
    Phase phase;
  };
  struct Later {
    bool operator()(const Node *a, const Node *b) const {
      return a->cycle != b->cycle ? a->cycle > b->cycle
                                  : a->sequence > b->sequence;
    }
  };
  struct List {
    Node *first = nullptr;
    Node *last = nullptr;
  };

  Node *allocate() {
    if (!free_) {
      chunks_.push_back(std::make_unique<Node[]>(kChunk));
      for (size_t i = 0; i < kChunk; ++i) {
        release(&chunks_.back()[i]);
      }
    }
    Node *node = free_;
    free_ = node->next;
    return node;
  }
  void release(Node *node) {
    node->next = free_;
    free_ = node;
  }

  void link(Node *node) {
    uint64_t slot = node->cycle % kSlots;
    List &list = slots_[slot][static_cast<unsigned>(node->phase)];
    (list.last ? list.last->next : list.first) = node;
    list.last = node;
    busy_[slot / 64] |= uint64_t{1} << slot % 64;
  }

  uint64_t nextBusyCycle() const {
    for (uint64_t distance = 0; distance < kSlots;) {
      uint64_t slot = (now_ + distance) % kSlots;
      uint64_t word = busy_[slot / 64] >> slot % 64;
      if (word) {
        return now_ + distance + static_cast<uint64_t>(std::countr_zero(word));
      }
      distance += 64 - slot % 64;
    }
    return far_.top()->cycle;
  }

  void advanceTo(uint64_t cycle) {
    now_ = cycle;
    while (!far_.empty() && far_.top()->cycle - now_ < kSlots) {
      Node *node = far_.top();
      far_.pop();
      link(node);
    }
  }

  void runCycle() {
    uint64_t slot = now_ % kSlots;
    for (unsigned phase = 0; phase < kPhases; ++phase) {
      List &list = slots_[slot][phase];
      while (Node *node = list.first) {
        list.first = node->next;
        if (!list.first) {
          list.last = nullptr;
        }
        Node event = *node;
        release(node);
        --pending_;
        event.action(event.target, event.argument, now_);
        assert((phase == 0 || !slots_[slot][0].first) &&
               "a late event added an earlier one in its own cycle");
      }
    }
    busy_[slot / 64] &= ~(uint64_t{1} << slot % 64);
  }

  static constexpr size_t kChunk = 256;
  std::array<std::array<List, kPhases>, kSlots> slots_{};
  std::array<uint64_t, kSlots / 64> busy_{};
  std::priority_queue<Node *, std::vector<Node *>, Later> far_;
  std::vector<std::unique_ptr<Node[]>> chunks_;
  Node *free_ = nullptr;
  uint64_t now_ = 0;
  uint64_t sequence_ = 0;
  uint64_t pending_ = 0;
  bool skip_ = true;
  bool started_ = false;
};

} // namespace kiln::sim
