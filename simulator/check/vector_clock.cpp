// SPDX-License-Identifier: Apache-2.0
#include "simulator/check/vector_clock.h"

namespace kiln::sim {

uint32_t ForeignClocks::add(std::vector<uint32_t> table) {
  tables_.push_back(std::move(table));
  return static_cast<uint32_t>(tables_.size() - 1);
}

/// Every entry of a is at most that of b.
bool ForeignClocks::isBefore(uint32_t a, uint32_t b) const {
  const std::vector<uint32_t> &x = tables_[a], &y = tables_[b];
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i] > (i < y.size() ? y[i] : 0)) {
      return false;
    }
  }
  return true;
}

uint32_t ForeignClocks::join(uint32_t a, uint32_t b) {
  if (a == b || isBefore(b, a)) {
    return a;
  }
  if (isBefore(a, b)) {
    return b;
  }
  std::vector<uint32_t> table = tables_[a];
  const std::vector<uint32_t> &other = tables_[b];
  table.resize(std::max(table.size(), other.size()));
  for (size_t i = 0; i < other.size(); ++i) {
    table[i] = std::max(table[i], other[i]);
  }
  return add(std::move(table));
}

uint32_t ForeignClocks::publish(const VectorClock &clock, uint32_t block) {
  std::vector<uint32_t> table = tables_[clock.foreign];
  const size_t begin = index(block, isa::Pipe::S);
  table.resize(std::max(table.size(), begin + isa::kNumPipes));
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    table[begin + p] = std::max(table[begin + p], clock.at[p]);
  }
  return add(std::move(table));
}

uint32_t ForeignClocks::afterAny(std::span<const uint32_t> tables, size_t n) {
  bool chain = true;
  for (size_t i = 0; i + 1 < tables.size() && chain; ++i) {
    chain = isBefore(tables[i], tables[i + 1]);
  }
  if (chain) {
    return tables[n - 1];
  }
  size_t entries = 0;
  for (uint32_t t : tables) {
    entries = std::max(entries, tables_[t].size());
  }
  std::vector<uint32_t> certain(entries), column(tables.size());
  for (size_t i = 0; i < entries; ++i) {
    for (size_t t = 0; t < tables.size(); ++t) {
      const std::vector<uint32_t> &table = tables_[tables[t]];
      column[t] = i < table.size() ? table[i] : 0;
    }
    auto nth = column.begin() + static_cast<int64_t>(n - 1);
    std::nth_element(column.begin(), nth, column.end());
    certain[i] = *nth;
  }
  return add(std::move(certain));
}

void ForeignClocks::joinInto(VectorClock &to, const VectorClock &from) {
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    to.at[p] = std::max(to.at[p], from.at[p]);
  }
  if (to.foreign != from.foreign) {
    to.foreign = join(to.foreign, from.foreign);
  }
}

void ForeignClocks::joinTable(VectorClock &to, uint32_t table, uint32_t block) {
  to.foreign = join(to.foreign, table);
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    to.at[p] = std::max(to.at[p], of(table, block, static_cast<isa::Pipe>(p)));
  }
}

} // namespace kiln::sim
