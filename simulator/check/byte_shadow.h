// SPDX-License-Identifier: Apache-2.0
//
// Byte-exact shadow of memory in cells of 32 bytes with a mask bit per byte.
#pragma once

#include "isa/semantics/semantics.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

namespace kiln::sim {

constexpr uint64_t kShadowCellBytes = 32;
constexpr uint32_t kWholeCell = ~uint32_t{0};

/// Calls `visit(begin, end)` for the runs of bytes of a range. Rows that touch
/// are one run, rows upon each other one row.
template <typename Visit>
void forEachRun(const isa::StridedRange &range, Visit visit) {
  uint64_t bytes = range.bytes;
  uint64_t outer = range.stride[0] == 0 ? std::min<uint64_t>(range.count[0], 1)
                                        : range.count[0];
  uint64_t inner = range.stride[1] == 0 ? std::min<uint64_t>(range.count[1], 1)
                                        : range.count[1];
  if (range.stride[1] == bytes && inner > 1) {
    bytes *= inner;
    inner = 1;
  }
  if (range.stride[0] == bytes && inner == 1 && outer > 1) {
    bytes *= outer;
    outer = 1;
  }
  if (bytes == 0) {
    return;
  }
  for (uint64_t i = 0; i < outer; ++i) {
    uint64_t begin = range.base + i * range.stride[0];
    for (uint64_t j = 0; j < inner; ++j, begin += range.stride[1]) {
      visit(begin, begin + bytes);
    }
  }
}

/// The bytes of a cell that lie in [begin, end).
inline uint32_t cellMask(uint64_t cell, uint64_t begin, uint64_t end) {
  const uint64_t base = cell * kShadowCellBytes;
  uint32_t mask = kWholeCell;
  if (begin > base) {
    mask &= kWholeCell << (begin - base);
  }
  if (end < base + kShadowCellBytes) {
    mask &= kWholeCell >> (base + kShadowCellBytes - end);
  }
  return mask;
}

/// Calls `visit(cell index, byte mask)` for every cell a range touches.
template <typename Visit>
void forEachCell(const isa::StridedRange &range, Visit visit) {
  forEachRun(range, [&](uint64_t begin, uint64_t end) {
    for (uint64_t cell = begin / kShadowCellBytes;
         cell * kShadowCellBytes < end; ++cell) {
      visit(cell, cellMask(cell, begin, end));
    }
  });
}

} // namespace kiln::sim
