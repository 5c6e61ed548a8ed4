// SPDX-License-Identifier: Apache-2.0
//
// BurstList: cuts the GM rows of one command into bursts for the port (rule 18
// of docs/microarchitecture.md).
//
// A row is a contiguous run of bytes (rows that touch are one). It costs
// ceil(bytes / beat) beats, one more when it does not start at a multiple of a
// beat, and at least minRowBeats; it is cut at multiples of burstBytes, each
// burst costs the beats of its bytes, and the last one carries the rest.
#pragma once

#include "isa/arch/arch_spec.h"
#include "isa/semantics/semantics.h"

#include <cstdint>
#include <vector>

namespace kiln::sim {

struct Burst {
  uint64_t address = 0;
  uint32_t bytes = 0;
  uint32_t beats = 0;
};

class BurstList {
public:
  /// The GM ranges of `footprint` in direction `write`.
  void start(const isa::Footprint &footprint, bool write,
             const isa::MemoryTiming &timing);
  bool done() const { return range_ == ranges_.size(); }
  /// The next burst; call only while !done().
  Burst next();

private:
  void nextRow();

  std::vector<isa::StridedRange> ranges_;
  uint32_t beatBytes_ = 1, burstBytes_ = 1, minRowBeats_ = 1;
  size_t range_ = 0;
  uint64_t i_ = 0, j_ = 0, offset_ = 0;
  uint64_t sentBeats_ = 0; // of the row
};

} // namespace kiln::sim
