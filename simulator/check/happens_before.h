// SPDX-License-Identifier: Apache-2.0
//
// HappensBefore: the order between the pipes of a core that flags and kbar
// establish, whatever order an engine happens to run commands in.
//
// Edges: a pipe's own commands in queue order; kset to the kwait that clears
// it; everything before kbar, S's own accesses too, to everything after it;
// from what S has waited for to every command S issues later. S issuing a
// command after its own access of the UB window is no edge: such an access is
// ordered by a flag of S.
#pragma once

#include "isa/codec/command.h"
#include "simulator/check/vector_clock.h"
#include "simulator/core/flag_file.h"

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

namespace kiln::sim {

/// Where a command stands: its pipe's clock and its place in program order.
struct EventPosition {
  isa::Pipe pipe{};
  uint32_t clock = 0;
  uint64_t issue = 0;
};

class HappensBefore {
public:
  void beginBlock() { *this = HappensBefore(); }

  void issued(isa::Pipe pipe);
  /// A command of `pipe` takes effect: takes its issue edge and a new clock.
  EventPosition advance(isa::Pipe pipe);
  void flagSet(isa::Pipe source, const FlagName &flag);
  void flagWaited(isa::Pipe destination, const FlagName &flag);
  void barrier();

  /// Whether an earlier event happens before what `pipe` does now.
  bool isOrdered(const EventPosition &earlier, isa::Pipe pipe) const {
    return earlier.pipe == pipe ||
           clocks_[static_cast<unsigned>(pipe)][earlier.pipe] >= earlier.clock;
  }

private:
  struct Issue {
    VectorClock known;
    uint64_t number = 0;
  };
  VectorClock &clock(isa::Pipe p) { return clocks_[static_cast<unsigned>(p)]; }
  std::vector<VectorClock> &flagClocks(const FlagName &f) {
    return flags_[(static_cast<unsigned>(f.source) * isa::kNumPipes +
                   static_cast<unsigned>(f.destination)) *
                      isa::kNumFlagIds +
                  f.id];
  }

  std::array<VectorClock, isa::kNumPipes> clocks_{};
  /// Clocks of the sets that no wait has consumed, oldest first.
  std::array<std::vector<VectorClock>,
             isa::kNumPipes * isa::kNumPipes * isa::kNumFlagIds>
      flags_{};
  /// What S has waited for: known to every command it issues from now on.
  VectorClock seen_;
  std::array<std::deque<Issue>, isa::kNumPipes> issues_;
  uint64_t issueCount_ = 0;
};

} // namespace kiln::sim
