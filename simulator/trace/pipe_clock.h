// SPDX-License-Identifier: Apache-2.0
//
// PipeClock: accounts every cycle of one pipe to exactly one cause. The pipe
// is in one state at a time; leaving it books the cycles spent there, so the
// counters of PipeCycles always add up to the cycles covered.
#pragma once

#include "simulator/core/command_listener.h"
#include "simulator/core/launch_report.h"

#include <cassert>
#include <cstdint>

namespace kiln::sim {

/// What a pipe is doing: a stall, or one of two more.
class PipeState {
public:
  static constexpr PipeState busy() { return PipeState(kNumStalls); }
  static constexpr PipeState idle() { return PipeState(kNumStalls + 1); }
  static constexpr PipeState ofIndex(unsigned index) {
    return PipeState(index);
  }
  constexpr PipeState(Stall stall) : index_(static_cast<unsigned>(stall)) {}
  constexpr bool operator==(const PipeState &) const = default;
  constexpr unsigned index() const { return index_; }
  /// "busy", "idle" or the name of the stall.
  constexpr std::string_view name() const {
    return index_ < kNumStalls    ? kStallNames[index_]
           : index_ == kNumStalls ? std::string_view("busy")
                                  : std::string_view("idle");
  }

private:
  constexpr explicit PipeState(unsigned index) : index_(index) {}
  unsigned index_;
};

class PipeClock {
public:
  void reset() { *this = PipeClock(); }
  /// Tells `listener` (may be null) of every cycle booked from now on.
  void listen(CommandListener *listener, uint32_t core, isa::Pipe pipe) {
    listener_ = listener;
    core_ = core;
    pipe_ = pipe;
  }

  /// The pipe is in `state` from `now` on.
  void enter(PipeState state, uint64_t now) {
    book(now);
    state_ = state;
  }
  /// Books the next `cycles` cycles to `state`, which ends with them.
  void spend(PipeState state, uint64_t cycles) {
    counters_[state.index()] += cycles;
    since_ += cycles;
    if (listener_) [[unlikely]] {
      tell(state, cycles);
    }
  }
  PipeState state() const { return state_; }
  uint64_t since() const { return since_; }
  uint64_t busy() const { return counters_[PipeState::busy().index()]; }

  /// Books up to `now` and adds everything to `total`.
  void finish(uint64_t now, PipeCycles &total) {
    book(now);
    total.busy += counters_[PipeState::busy().index()];
    total.idle += counters_[PipeState::idle().index()];
    for (unsigned s = 0; s < kNumStalls; ++s) {
      total.stall[s] += counters_[s];
    }
  }

private:
  void book(uint64_t now) {
    assert(now >= since_ && "a pipe's clock runs backwards");
    counters_[state_.index()] += now - since_;
    if (listener_) [[unlikely]] {
      tell(state_, now - since_);
    }
    since_ = now;
  }
  [[gnu::noinline, gnu::cold]] void tell(PipeState state, uint64_t cycles) {
    if (cycles) {
      listener_->spent(core_, pipe_, state.index(), cycles);
    }
  }

  std::array<uint64_t, kNumStalls + 2> counters_{};
  PipeState state_ = PipeState::idle();
  uint64_t since_ = 0;
  CommandListener *listener_ = nullptr;
  uint32_t core_ = 0;
  isa::Pipe pipe_{};
};

} // namespace kiln::sim
