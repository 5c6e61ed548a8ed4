// SPDX-License-Identifier: Apache-2.0
#include "simulator/check/access_shadow.h"

namespace kiln::sim {

void AccessShadow::prepareChunk(uint64_t number) {
  if (number >= chunks_.size()) {
    chunks_.resize(number + 1);
  }
  std::unique_ptr<Chunk> &chunk = chunks_[number];
  if (!chunk) {
    chunk = std::make_unique<Chunk>();
  }
  for (Block &block : chunk->blocks) {
    block.whole = Cell();
    block.isSplit = false;
  }
  chunk->epoch = epoch_;
}

void AccessShadow::split(Block &block) {
  if (!block.cells) {
    block.cells = std::make_unique<Cell[]>(kBlockCells);
  }
  block.isSplit = true;
  for (uint64_t i = 0; i < kBlockCells; ++i) {
    block.cells[i] = block.whole;
    if (i > 0 && block.whole.more) {
      const std::vector<Entry> list = lists_[block.whole.more - 1];
      block.cells[i].more = 0;
      for (const Entry &entry : list) {
        insertInList(block.cells[i], entry);
      }
    }
  }
}

void AccessShadow::unite(Block &block, const Entry &now) {
  block.isSplit = false;
  block.whole = Cell();
  block.whole.entries[0] = now;
}

void AccessShadow::insertInList(Cell &cell, const Entry &now) {
  if (cell.more == 0) {
    if (freeLists_.empty()) {
      freeLists_.push_back(static_cast<uint32_t>(lists_.size()));
      lists_.emplace_back();
    }
    cell.more = freeLists_.back() + 1;
    freeLists_.pop_back();
  }
  lists_[cell.more - 1].push_back(now);
}

} // namespace kiln::sim
