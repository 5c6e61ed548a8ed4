// SPDX-License-Identifier: Apache-2.0
//
// Which commands of a kernel must wait for which: the analysis behind
// npu-insert-sync. Nothing is changed here.
//
//   std::vector<Sync> syncs = findSyncs(kernel);
//
// A block is a sequence of items: commands, and loops and ifs that hold
// commands, each summarised per pipe. Two items conflict when different pipes
// touch overlapping bytes and one of them writes. Bytes are physical: the
// planned range of a buffer with all its slots, or a whole kernel argument
// (arguments do not overlap each other).
//
// Inside a loop a conflict also holds from an iteration to a later one. The
// distance is N when both accesses use the slot of the same buffer of depth N
// that lives in this loop's body, else 1. A pair that other pairs imply is
// dropped: every pipe has a clock of what it knows of the others, and the body
// is walked in program order as often as the deepest buffer needs.
//
// Why the pairs of a loop also order the iterations of the loops around it: a
// slot counter goes on counting when the loop is entered again, and a buffer
// of depth 1 is the same memory each time. Such a pair is primed before, and
// drained after, the outermost of these loops (`scope`).
#pragma once

#include "compiler/dialect/npu/NpuOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <vector>

namespace kiln::npu {

/// Pipe `dst` waits before `to` for pipe `src` to have finished `from`.
/// Both ops are items of one block.
struct Sync {
  mlir::Operation *from = nullptr;
  mlir::Operation *to = nullptr;
  isa::Pipe src{};
  isa::Pipe dst{};
  /// Flag ids needed; slot chooses among them when there are several.
  int64_t ids = 1;
  mlir::Value slot;
  /// `to` is the one `ids` iterations later than `from`.
  bool carried = false;
  /// Of a carried pair: flags are primed before and drained after this loop.
  mlir::scf::ForOp scope;
  /// Of a carried pair whose ends are one item: before the item, dst tells src
  /// that it has waited, else src could set the flag twice.
  bool handshake() const { return carried && from == to; }
};

/// The pairs that are needed, in a deterministic order. A pair that an
/// npu.barrier of its block separates is not needed.
std::vector<Sync> findSyncs(mlir::func::FuncOp kernel);

} // namespace kiln::npu
