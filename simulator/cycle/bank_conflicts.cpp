// SPDX-License-Identifier: Apache-2.0
#include "simulator/cycle/bank_conflicts.h"

#include "isa/support/units.h"
#include "simulator/cycle/im2col_rows.h"

#include <algorithm>
#include <array>

namespace kiln::sim {

using isa::kBlockBytes;

/// Operands from the ranges of a footprint. Operands of one row among several
/// (the result of a reduction) cost nothing: the unit holds them.
void BankConflicts::collect(const isa::Footprint &footprint, uint64_t rows) {
  operands_.clear();
  for (size_t i = 0; i < footprint.ranges.size(); ++i) {
    const isa::StridedRange &r = footprint.ranges[i];
    if (r.end() > arch_.arch.capacity(isa::Space::UB)) {
      operands_.clear(); // the command faults when it takes effect
      return;
    }
    if (r.space != isa::Space::UB) {
      continue;
    }
    isa::BankOperand x;
    x.base = r.base;
    x.write = r.write;
    bool byBlock = r.bytes == kBlockBytes && r.count[1] == rows && rows > 1;
    bool hasTail =
        i + 1 < footprint.ranges.size() && footprint.ranges[i + 1].tail;
    if (hasTail) {
      ++i; // its range
      if (r.count[1] == rows) {
        x.blocks = r.count[0] + 1;
        x.blockStride = r.stride[0];
        x.rowStride = r.stride[1];
      }
    } else if (byBlock ||
               (r.bytes == kBlockBytes && r.count[0] > 1 && rows == 1)) {
      x.blocks = r.count[0];
      x.blockStride = r.stride[0];
      x.rowStride = r.stride[1];
    } else if (r.count[0] == rows && r.count[1] == 1) {
      x.blocks = ceilDiv(r.base % kBlockBytes + r.bytes, kBlockBytes);
      x.blockStride = kBlockBytes;
      x.rowStride = r.stride[0];
    }
    isa::addOperand(operands_, x);
  }
}

uint64_t BankConflicts::vectorCycles(const isa::Footprint &footprint,
                                     uint64_t rows, uint64_t beatsPerRow) {
  if (!ub_.exist() || rows == 0 || beatsPerRow == 0) {
    return 0;
  }
  collect(footprint, rows);
  return ub_.lostCycles(operands_, rows, beatsPerRow);
}

/// Rule 34: in a group of rows read together, those that begin in one bank
/// follow each other.
uint64_t BankConflicts::im2colCycles(const isa::Command &command,
                                     const isa::PipeConfig &config) {
  const uint32_t banks = arch_.timing.banks.l1Banks;
  const uint32_t perGroup = arch_.timing.im2colRowsPerCycle;
  if (banks == 0 || perGroup < 2) {
    return 0;
  }
  Im2colRows rows(command, config, perGroup);
  uint64_t lost = 0;
  while (rows.next(addresses_)) {
    std::array<uint8_t, 256> used{};
    uint8_t most = 1;
    for (uint64_t at : addresses_) {
      most = std::max(most, ++used[at / kBlockBytes % banks]);
    }
    lost += most - 1;
  }
  return lost;
}

} // namespace kiln::sim
