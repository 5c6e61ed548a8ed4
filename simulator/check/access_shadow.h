// SPDX-License-Identifier: Apache-2.0
//
// AccessShadow: for every byte of a memory, the accesses that a later one has
// to be compared with: the last write and the reads since, of each pipe the
// last one.
//
//   AccessShadow shadow(base, bytes);
//   shadow.access(range, AccessId(accessor, write), judge);
//
// `judge(earlier, address)` is asked about each earlier access with bytes in
// common, again and again for the same one; `address` is the first such byte
// of the cell. It says whether the later access stands for the earlier one
// from now on.
//
// Cells of 32 bytes hold three accesses in place, which is what tiles need;
// more go to a list beside them. A block of 16 cells that were always accessed
// together is one cell until an access touches a part of it, and again when
// one write covers it. Memory appears when it is touched.
#pragma once

#include "simulator/check/byte_shadow.h"

#include <bit>

namespace kiln::sim {

/// Who accessed, and how.
struct AccessId {
  uint32_t value = 0;

  AccessId() = default;
  AccessId(uint32_t accessor, bool write) : value(2 * accessor + write) {}
  uint32_t accessor() const { return value / 2; }
  bool isWrite() const { return value % 2 != 0; }
  bool operator==(const AccessId &) const = default;
};

class AccessShadow {
public:
  AccessShadow(uint64_t base, uint64_t bytes)
      : base_(base / kChunkBytes * kChunkBytes), end_(base + bytes) {}
  void clear() {
    ++epoch_;
    lists_.clear();
    freeLists_.clear();
  }

  /// A range outside the memory is ignored: its command faults.
  template <typename Judge>
  void access(const isa::StridedRange &range, AccessId id, Judge &judge) {
    if (range.base < base_ || range.end() > end_) {
      return;
    }
    forEachRun(range, [&](uint64_t begin, uint64_t end) {
      accessRun(begin, end, id, judge);
    });
  }

private:
  struct Entry {
    AccessId id;
    uint32_t mask = 0; // 0: no entry
  };
  static constexpr unsigned kInPlace = 3;
  struct Cell {
    Entry entries[kInPlace];
    uint32_t more = 0; // 1 + the number of a list
  };
  static constexpr uint64_t kBlockCells = 16;
  static constexpr uint64_t kBlockBytes = kBlockCells * kShadowCellBytes;
  struct Block {
    Cell whole;
    bool isSplit = false;
    std::unique_ptr<Cell[]> cells; // where isSplit; kept for the next time
  };
  static constexpr uint64_t kChunkBlocks = 64;
  static constexpr uint64_t kChunkBytes = kChunkBlocks * kBlockBytes;
  struct Chunk {
    uint64_t epoch = 0;
    Block blocks[kChunkBlocks];
  };

  Block &block(uint64_t address) {
    const uint64_t number = (address - base_) / kChunkBytes;
    if (number >= chunks_.size() || !chunks_[number] ||
        chunks_[number]->epoch != epoch_) [[unlikely]] {
      prepareChunk(number);
    }
    return chunks_[number]->blocks[address / kBlockBytes % kChunkBlocks];
  }
  void prepareChunk(uint64_t number);
  void split(Block &block);
  /// A write covered all of a split block: its cells are empty but for it.
  void unite(Block &block, const Entry &now);
  template <typename Judge>
  void accessRun(uint64_t begin, uint64_t end, AccessId id, Judge &judge);
  template <typename Judge>
  void accessSplit(Block &block, uint64_t begin, uint64_t end, AccessId id,
                   Judge &judge);
  template <typename Judge>
  void accessCell(Cell &cell, uint64_t index, Entry now, Judge &judge);
  /// Asks about one entry; what is left of it.
  template <typename Judge>
  static void ask(Entry &entry, uint64_t index, const Entry &now, Judge &judge);
  template <typename Judge>
  void askList(Cell &cell, uint64_t index, const Entry &now, Judge &judge);
  void insert(Cell &cell, const Entry &now);
  void insertInList(Cell &cell, const Entry &now);

  uint64_t base_, end_;
  uint64_t epoch_ = 1;
  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::vector<std::vector<Entry>> lists_;
  std::vector<uint32_t> freeLists_;
};

template <typename Judge>
void AccessShadow::accessRun(uint64_t begin, uint64_t end, AccessId id,
                             Judge &judge) {
  while (begin < end) {
    Block &at = block(begin);
    const uint64_t next =
        std::min(end, (begin / kBlockBytes + 1) * kBlockBytes);
    const bool whole = next - begin == kBlockBytes;
    if (whole && !at.isSplit) {
      accessCell(at.whole, begin / kShadowCellBytes, {id, kWholeCell}, judge);
    } else {
      if (!at.isSplit) {
        split(at);
      }
      accessSplit(at, begin, next, id, judge);
      if (whole && id.isWrite()) {
        unite(at, {id, kWholeCell});
      }
    }
    begin = next;
  }
}

template <typename Judge>
void AccessShadow::accessSplit(Block &block, uint64_t begin, uint64_t end,
                               AccessId id, Judge &judge) {
  for (uint64_t index = begin / kShadowCellBytes;
       index * kShadowCellBytes < end; ++index) {
    accessCell(block.cells[index % kBlockCells], index,
               {id, cellMask(index, begin, end)}, judge);
  }
}

template <typename Judge>
void AccessShadow::ask(Entry &entry, uint64_t index, const Entry &now,
                       Judge &judge) {
  const uint32_t common = entry.mask & now.mask;
  if (common &&
      judge(entry.id, index * kShadowCellBytes +
                          static_cast<unsigned>(std::countr_zero(common)))) {
    entry.mask &= ~now.mask;
  }
}

template <typename Judge>
void AccessShadow::askList(Cell &cell, uint64_t index, const Entry &now,
                           Judge &judge) {
  std::vector<Entry> &list = lists_[cell.more - 1];
  for (Entry &entry : list) {
    ask(entry, index, now, judge);
  }
  std::erase_if(list, [](const Entry &entry) { return entry.mask == 0; });
  if (list.empty()) {
    freeLists_.push_back(cell.more - 1);
    cell.more = 0;
  }
}

template <typename Judge>
void AccessShadow::accessCell(Cell &cell, uint64_t index, Entry now,
                              Judge &judge) {
  for (Entry &entry : cell.entries) {
    ask(entry, index, now, judge);
  }
  if (cell.more) [[unlikely]] {
    askList(cell, index, now, judge);
  }
  insert(cell, now);
}

inline void AccessShadow::insert(Cell &cell, const Entry &now) {
  Entry *free = nullptr;
  for (Entry &entry : cell.entries) {
    if (entry.mask == 0) {
      free = &entry;
    } else if (entry.id == now.id) {
      entry.mask |= now.mask;
      return;
    }
  }
  if (free) {
    *free = now;
  } else {
    insertInList(cell, now);
  }
}

} // namespace kiln::sim
