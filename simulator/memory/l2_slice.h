// SPDX-License-Identifier: Apache-2.0
//
// L2Slice: one bank of the L2: tags, replacement, misses under way and lines
// being written back (docs/microarchitecture.md, rules 45 to 54).
//
// Two queues, one of reads and one of writes, served in order at the width of
// the slice; a look-up that finds no free entry holds its queue. Lines keep a
// valid and a dirty bit per sector of 32 bytes, so a write never waits for a
// fill. No data: only when.
#pragma once

#include "simulator/core/launch_report.h"
#include "simulator/memory/core_port.h"

#include <cstdint>
#include <deque>
#include <vector>

namespace kiln::sim {

/// What a slice asks of the memory system around it.
class L2Surroundings {
public:
  virtual ~L2Surroundings() = default;
  /// The answer to a transaction leaves the slice at cycle `at`.
  virtual void answerAt(uint32_t transaction, uint64_t at) = 0;
  /// A line is wanted from DRAM, or goes back to it (`bytes` of it), from
  /// cycle `at`. Answered by filled() or writtenBack() with the same entry.
  virtual void fetchAt(uint32_t slice, uint32_t entry, uint64_t line,
                       uint64_t at) = 0;
  virtual void writeBackAt(uint32_t slice, uint64_t line, uint32_t bytes,
                           uint64_t at) = 0;
};

class L2Slice {
public:
  L2Slice(const isa::L2Timing &timing, uint32_t index, TimingWheel &wheel,
          TransactionPool &pool, L2Surroundings &around);

  /// A burst reaches the slice (main phase).
  void arrive(uint32_t transaction, uint64_t now);
  /// The line of a miss entry leaves the slice from `now` on.
  void filled(uint32_t entry, uint64_t now);
  void writtenBack(uint64_t now);
  const MemoryCounters &counters() const { return counters_; }

private:
  static constexpr uint32_t kNone = ~0u;
  static constexpr uint64_t kNever = ~uint64_t{0};
  struct Line {
    uint64_t number = ~uint64_t{0};
    uint64_t used = 0; // order of the last look-up
    uint64_t valid = 0, dirty = 0;
    uint32_t miss = kNone; // entry that fetches it
  };
  struct Miss {
    uint32_t line = 0;
    uint32_t firstWaiting = kNone, lastWaiting = kNone; // transactions
  };
  struct Arrival {
    uint32_t transaction = 0;
    uint64_t cycle = 0;
  };

  void work(uint64_t, uint64_t now);
  void serve(bool write, uint64_t now);
  bool lookUp(uint32_t transaction, uint64_t now);
  bool read(Line &line, uint32_t transaction, uint64_t now);
  void fetch(Line &line, uint32_t transaction, uint64_t now);
  Line *find(uint64_t number);
  Line *replace(uint64_t number, uint64_t now);
  uint64_t setOf(uint64_t number) const;
  uint64_t sectors(const Transaction &t, bool whole) const;
  void arm(uint64_t cycle);

  const isa::L2Timing &timing_;
  uint32_t index_;
  TimingWheel &wheel_;
  TransactionPool &pool_;
  L2Surroundings &around_;
  uint32_t sets_;
  std::vector<Line> lines_;
  std::vector<Miss> misses_;
  std::vector<uint32_t> freeMisses_;
  uint32_t writingBack_ = 0;
  std::deque<Arrival> queues_[2]; // reads, writes
  uint64_t free_[2] = {0, 0};     // cycle each port can serve again
  uint64_t uses_ = 0;
  uint64_t armedAt_ = kNever;
  MemoryCounters counters_;
};

} // namespace kiln::sim
