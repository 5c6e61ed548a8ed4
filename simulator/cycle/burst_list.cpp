// SPDX-License-Identifier: Apache-2.0
#include "simulator/cycle/burst_list.h"

#include "isa/support/units.h"

#include <algorithm>

namespace kiln::sim {

namespace {

/// Joins rows that touch each other into longer ones.
isa::StridedRange joinRows(isa::StridedRange r) {
  for (unsigned pass = 0; pass < 2; ++pass) {
    for (unsigned d = 0; d < 2; ++d) {
      if (r.count[d] > 1 && r.stride[d] == r.bytes) {
        r.bytes *= r.count[d];
        r.count[d] = 1;
      }
    }
  }
  return r;
}

} // namespace

void BurstList::start(const isa::Footprint &footprint, bool write,
                      const isa::MemoryTiming &timing) {
  ranges_.clear();
  for (const isa::StridedRange &range : footprint.ranges) {
    if (range.space == isa::Space::GM && range.write == write &&
        range.end() != range.base) {
      ranges_.push_back(joinRows(range));
    }
  }
  beatBytes_ =
      write ? timing.portWriteBytesPerCycle : timing.portReadBytesPerCycle;
  burstBytes_ = timing.burstBytes;
  minRowBeats_ = timing.minRowBeats;
  range_ = 0;
  i_ = j_ = offset_ = sentBeats_ = 0;
}

Burst BurstList::next() {
  const isa::StridedRange &r = ranges_[range_];
  uint64_t row = r.base + i_ * r.stride[0] + j_ * r.stride[1];
  Burst burst;
  burst.address = row + offset_;
  uint64_t untilCut = burstBytes_ - burst.address % burstBytes_;
  burst.bytes =
      static_cast<uint32_t>(std::min<uint64_t>(untilCut, r.bytes - offset_));
  burst.beats = static_cast<uint32_t>(ceilDiv(burst.bytes, beatBytes_));
  offset_ += burst.bytes;
  if (offset_ < r.bytes) {
    sentBeats_ += burst.beats;
    return burst;
  }
  uint64_t rowBeats = ceilDiv(r.bytes, beatBytes_) + (row % beatBytes_ != 0);
  rowBeats = std::max<uint64_t>(rowBeats, minRowBeats_);
  uint64_t left = rowBeats > sentBeats_ ? rowBeats - sentBeats_ : 0;
  burst.beats = static_cast<uint32_t>(std::max<uint64_t>(burst.beats, left));
  nextRow();
  return burst;
}

void BurstList::nextRow() {
  const isa::StridedRange &r = ranges_[range_];
  offset_ = sentBeats_ = 0;
  if (++j_ < r.count[1]) {
    return;
  }
  j_ = 0;
  if (++i_ < r.count[0]) {
    return;
  }
  i_ = 0;
  ++range_;
}

} // namespace kiln::sim
