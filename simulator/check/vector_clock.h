// SPDX-License-Identifier: Apache-2.0
//
// VectorClock: how far each pipe of a block is known to have come, and
// ForeignClocks: the same of other blocks. Event e of pipe p with clock n
// happens before an event with clock c when c[p] >= n.
// Source: Mattern, "Virtual Time and Global States of Distributed Systems".
//
// Blocks seldom meet, so a clock names what it knows of other blocks by the
// number of a table that never changes; most joins compare two equal numbers.
#pragma once

#include "isa/codec/machine_types.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace kiln::sim {

struct VectorClock {
  std::array<uint32_t, isa::kNumPipes> at{};
  uint32_t foreign = 0; // of ForeignClocks; 0: nothing is known

  uint32_t &operator[](isa::Pipe p) { return at[static_cast<unsigned>(p)]; }
  uint32_t operator[](isa::Pipe p) const {
    return at[static_cast<unsigned>(p)];
  }
};

/// Tables of the pipes of all blocks of a launch.
class ForeignClocks {
public:
  ForeignClocks() : tables_(1) {}

  uint32_t of(uint32_t table, uint32_t block, isa::Pipe pipe) const {
    const size_t i = index(block, pipe);
    const std::vector<uint32_t> &t = tables_[table];
    return i < t.size() ? t[i] : 0;
  }
  uint32_t join(uint32_t a, uint32_t b);
  /// A clock of `block` as other blocks see it.
  uint32_t publish(const VectorClock &clock, uint32_t block);
  /// What is certain after `n` of the events with these tables, of which any n
  /// may have been the first: entry by entry the n-th smallest.
  uint32_t afterAny(std::span<const uint32_t> tables, size_t n);

  /// Joins into `to`, a clock of `block`.
  void joinInto(VectorClock &to, const VectorClock &from);
  void joinTable(VectorClock &to, uint32_t table, uint32_t block);

private:
  static size_t index(uint32_t block, isa::Pipe pipe) {
    return size_t{block} * isa::kNumPipes + static_cast<size_t>(pipe);
  }
  bool isBefore(uint32_t a, uint32_t b) const;
  uint32_t add(std::vector<uint32_t> table);

  std::vector<std::vector<uint32_t>> tables_;
};

} // namespace kiln::sim
