// SPDX-License-Identifier: Apache-2.0
//
// HappensBefore: the order between the pipes of a block that flags and kbar
// establish, and between blocks that semaphores and kdbar do, whatever order
// an engine happens to run commands in.
//
// Edges: a pipe's own commands in queue order; kset to the kwait that clears
// it; everything before kbar, S's own accesses too, to everything after it;
// from what S has waited for to every command S issues later; kpost to the
// kpend that takes it; everything of all blocks before kdbar to everything
// after it. S issuing a command after its own access of the UB window is no
// edge: such an access is ordered by a flag of S.
//
// A kpend takes any of the kposts of its semaphore. The n-th one is certain to
// be after the n-th kpost where the posts come one after the other (one
// posting pipe), and after all n where there are n; in between, after what any
// n of those seen so far have in common.
#pragma once

#include "isa/codec/command.h"
#include "simulator/check/vector_clock.h"
#include "simulator/core/flag_file.h"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

namespace kiln::sim {

/// Where a command stands: its pipe's clock and its place in program order.
struct EventPosition {
  isa::Pipe pipe{};
  uint32_t clock = 0;
  uint64_t issue = 0;
};

/// What the blocks of a launch have in common: where they met.
struct Meetings {
  struct Semaphore {
    std::vector<uint32_t> posts; // tables of `clocks`
    size_t pends = 0;
  };
  ForeignClocks clocks;
  std::map<std::pair<uint32_t, uint32_t>, Semaphore> semaphores; // block, id
  std::vector<uint32_t> barriers; // round: a table
};

class HappensBefore {
public:
  explicit HappensBefore(Meetings &meetings) : meetings_(&meetings) {}
  void beginBlock(uint32_t block) {
    *this = HappensBefore(*meetings_);
    block_ = block;
  }

  void issued(isa::Pipe pipe);
  /// A command of `pipe` takes effect: takes its issue edge and a new clock.
  EventPosition advance(isa::Pipe pipe);
  void flagSet(isa::Pipe source, const FlagName &flag);
  void flagWaited(isa::Pipe destination, const FlagName &flag);
  void barrier();
  /// `pipe` posts to semaphore `id` of a block; MTE2 takes one of the own.
  void posted(isa::Pipe pipe, uint32_t block, uint32_t id);
  void pended(uint32_t id);
  /// After barrier(): at kdbar; and when every block has come.
  void arrived();
  void left();

  /// Whether an earlier event of this block, or of another one, happens before
  /// what `pipe` does now.
  bool isOrdered(const EventPosition &earlier, isa::Pipe pipe) const {
    return earlier.pipe == pipe ||
           clocks_[static_cast<unsigned>(pipe)][earlier.pipe] >= earlier.clock;
  }
  bool isOrdered(const EventPosition &earlier, uint32_t block,
                 isa::Pipe pipe) const {
    if (block == block_) {
      return isOrdered(earlier, pipe);
    }
    const uint32_t table = clocks_[static_cast<unsigned>(pipe)].foreign;
    return table != 0 &&
           meetings_->clocks.of(table, block, earlier.pipe) >= earlier.clock;
  }

private:
  struct Issue {
    VectorClock known;
    uint64_t number = 0;
  };
  VectorClock &clock(isa::Pipe p) { return clocks_[static_cast<unsigned>(p)]; }
  void join(VectorClock &to, const VectorClock &from) {
    meetings_->clocks.joinInto(to, from);
  }
  std::vector<VectorClock> &flagClocks(const FlagName &f) {
    return flags_[(static_cast<unsigned>(f.source) * isa::kNumPipes +
                   static_cast<unsigned>(f.destination)) *
                      isa::kNumFlagIds +
                  f.id];
  }

  Meetings *meetings_;
  uint32_t block_ = 0;
  size_t round_ = 0; // device barriers left
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
