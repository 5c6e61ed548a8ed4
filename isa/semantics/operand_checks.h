// SPDX-License-Identifier: Apache-2.0
//
// What the pipe files of this folder share: how faults are made, and checks
// that follow from the instruction table. Private to isa/semantics.
//
// Every instruction is three steps. describe*() checks its operands and lists
// the bytes it touches; the bounds of every memory are then checked from that
// list, for all instructions alike; run*() does the work and cannot fail.
#pragma once

#include "isa/gen/operands.h"
#include "isa/semantics/semantics.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

namespace kiln::isa::semantics {

using MaybeFault = std::optional<Fault>;

template <typename... Args>
Fault makeFault(FaultKind kind, fmt::format_string<Args...> text,
                Args &&...args) {
  return {kind, fmt::format(text, std::forward<Args>(args)...)};
}

/// Legal f3, no bits outside the fields, aligned addresses, enumerations in
/// range: all that the instruction table says.
MaybeFault checkTable(const Command &command);

/// A view whose rows of `blocks` blocks do not overlap one another.
MaybeFault checkRowsApart(const LocalView &view, uint64_t rows, uint64_t blocks,
                          std::string_view operand);

/// Blocks in `bytes`.
constexpr uint64_t blocksOf(uint64_t bytes) {
  return (bytes + kBlockBytes - 1) / kBlockBytes;
}

/// Adds the bytes of `rows` rows of `rowBytes` in a view.
void addView(Footprint &out, Space space, bool write, const LocalView &view,
             uint64_t rows, uint64_t rowBytes);

/// Adds the m x n accumulators of a tile whose column groups are m1 cells
/// apart: cell (ni,mi) at 1024*(ni*m1+mi), row-major 16x16.
void addAccumulators(Footprint &out, bool write, uint64_t addr, uint64_t m,
                     uint64_t n, uint64_t m1);

inline void addRange(Footprint &out, const StridedRange &range) {
  if (range.end() != range.base) {
    out.ranges.push_back(range);
  }
}

/// Global memory of one command: maps the whole window at once where the
/// memory allows it, else row by row.
class GmWindow {
public:
  GmWindow(GlobalMemory &memory, uint64_t lo, uint64_t hi, Access access)
      : memory_(memory), lo_(lo), access_(access),
        whole_(memory.map(lo, hi - lo, access)) {}
  /// Pointer to bytes that the bounds check has found to be mapped.
  std::byte *at(uint64_t addr, uint64_t bytes) const {
    return whole_ != nullptr ? whole_ + (addr - lo_)
                             : memory_.map(addr, bytes, access_);
  }

private:
  GlobalMemory &memory_;
  uint64_t lo_;
  Access access_;
  std::byte *whole_;
};

// One pair per pipe: the operand checks and the bytes touched; the work.
MaybeFault describeMte2(const Command &, const PipeConfig &, Footprint &);
void runMte2(const Command &, const PipeConfig &, CoreMemory &);
MaybeFault describeMte1(const Command &, const PipeConfig &, Footprint &);
void runMte1(const Command &, const PipeConfig &, CoreMemory &);
MaybeFault describeCube(const Command &, const PipeConfig &, Footprint &);
void runCube(const Command &, const PipeConfig &, CoreMemory &);
MaybeFault describeFix(const Command &, const PipeConfig &, Footprint &);
void runFix(const Command &, const PipeConfig &, CoreMemory &);
MaybeFault describeVector(const Command &, const PipeConfig &, Footprint &);
void runVector(const Command &, const PipeConfig &, CoreMemory &);
MaybeFault describeMte3(const Command &, const PipeConfig &, Footprint &);
void runMte3(const Command &, const PipeConfig &, CoreMemory &);

// im2col is large enough for a file of its own; called by the MTE1 pair.
MaybeFault describeIm2col(const Command &, const PipeConfig &, Footprint &);
void runIm2col(const Command &, const PipeConfig &, CoreMemory &);

} // namespace kiln::isa::semantics
