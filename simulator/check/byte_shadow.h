// SPDX-License-Identifier: Apache-2.0
//
// Byte-exact shadow of memory in cells of 32 bytes with a mask bit per byte.
#pragma once

#include "isa/semantics/semantics.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace kiln::sim {

constexpr uint64_t kShadowCellBytes = 32;

/// Calls `visit(cell index, byte mask)` for every cell a range touches.
template <typename Visit>
void forEachCell(const isa::StridedRange &range, Visit visit) {
  for (uint64_t i = 0; i < range.count[0]; ++i) {
    for (uint64_t j = 0; j < range.count[1]; ++j) {
      uint64_t begin = range.base + i * range.stride[0] + j * range.stride[1];
      uint64_t end = begin + range.bytes;
      while (begin < end) {
        uint64_t cell = begin / kShadowCellBytes;
        uint64_t first = begin % kShadowCellBytes;
        uint64_t last =
            std::min(end - cell * kShadowCellBytes, kShadowCellBytes);
        uint64_t mask =
            ((uint64_t{1} << last) - 1) & ~((uint64_t{1} << first) - 1);
        visit(cell, static_cast<uint32_t>(mask));
        begin = (cell + 1) * kShadowCellBytes;
      }
    }
  }
}

/// A sparse array of cells, in pages that appear when first touched.
template <typename Cell> class SparseCells {
public:
  Cell &operator[](uint64_t cell) {
    uint64_t page = cell / kPageCells;
    if (page != lastPage_ || !last_) {
      std::unique_ptr<Cell[]> &slot = pages_[page];
      if (!slot) {
        slot = std::make_unique<Cell[]>(kPageCells);
      }
      last_ = slot.get();
      lastPage_ = page;
    }
    return last_[cell % kPageCells];
  }
  void clear() {
    pages_.clear();
    last_ = nullptr;
  }

private:
  static constexpr uint64_t kPageCells = 256;
  std::unordered_map<uint64_t, std::unique_ptr<Cell[]>> pages_;
  Cell *last_ = nullptr;
  uint64_t lastPage_ = 0;
};

} // namespace kiln::sim
