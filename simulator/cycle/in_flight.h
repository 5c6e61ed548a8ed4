// SPDX-License-Identifier: Apache-2.0
//
// InFlight: a command that has started and not retired, with the bounding
// range it occupies in each memory.
#pragma once

#include "isa/semantics/semantics.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace kiln::sim {

/// The bounding ranges [lo, hi) of a command's reads and writes, per local
/// memory. GM is left out: a pipe only reads it or only writes it, and the port
/// keeps the writes of a pipe in order.
class BoundingRanges {
public:
  explicit BoundingRanges(const isa::Footprint &footprint = {}) {
    for (const isa::StridedRange &range : footprint.ranges) {
      if (range.space != isa::Space::GM) {
        add(range.space, range.write, range.base, range.end());
      }
    }
  }

  /// Whether the two touch common bytes and one of them writes, not looking at
  /// `except`.
  bool conflictsWith(const BoundingRanges &other,
                     isa::Space except = kNone) const {
    uint32_t common = present_ & other.eitherWay();
    for (unsigned s = 0; common >> (2 * s); ++s) {
      if (static_cast<isa::Space>(s) == except) {
        continue;
      }
      if (overlaps(other, s, true, true) || overlaps(other, s, true, false) ||
          overlaps(other, s, false, true)) {
        return true;
      }
    }
    return false;
  }

private:
  static constexpr isa::Space kNone = isa::Space(0xff);
  struct Range {
    uint64_t lo = ~uint64_t{0};
    uint64_t hi = 0;
  };

  void add(isa::Space space, bool write, uint64_t lo, uint64_t hi) {
    if (lo >= hi) {
      return;
    }
    unsigned index = 2 * static_cast<unsigned>(space) + write;
    present_ |= 1u << index;
    ranges_[index].lo = std::min(ranges_[index].lo, lo);
    ranges_[index].hi = std::max(ranges_[index].hi, hi);
  }
  /// Both directions of every space that is present in one.
  uint32_t eitherWay() const {
    return present_ | (present_ & 0x5555'5555) << 1 |
           (present_ & 0xaaaa'aaaa) >> 1;
  }
  bool overlaps(const BoundingRanges &other, unsigned space, bool mine,
                bool theirs) const {
    const Range &a = ranges_[2 * space + mine];
    const Range &b = other.ranges_[2 * space + theirs];
    return a.lo < b.hi && b.lo < a.hi;
  }

  uint32_t present_ = 0;
  std::array<Range, 2 * isa::kNumSpaces> ranges_{};
};

struct InFlight {
  isa::Command command;
  isa::PipeConfig config; // as of its start
  BoundingRanges ranges;
  uint64_t sequence = 0; // per pipe, ascending
  uint64_t issue = 0;
  uint64_t start = 0;
  uint64_t busyEnd = 0;
  uint64_t bankCycles = 0; // of its occupancy
  uint32_t openBursts = 0;
  uint64_t latency = 0;
  uint64_t lastBeat = 0;   // in UB or L1, see BankTraffic
  uint64_t doneAt = 0;     // the last burst was complete; 0: not yet
  uint64_t lateCycles = 0; // it counts as complete so much later
  bool beatsLeft = false;  // some may wait for banks
  bool global = false;
  bool allSent = false;  // no burst is left to hand over
  bool complete = false; // a GM write that waits for an earlier one to retire
};

} // namespace kiln::sim
