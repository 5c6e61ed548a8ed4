// SPDX-License-Identifier: Apache-2.0
//
// LoopTurns: which values choose slots and flag ids, and so after how many
// trips a loop is where it was.
//
//   LoopTurns turns(kernel);
//   turns.chooses(loop.getInductionVar()); // ids are computed from it
//   turns.longest();                       // every loop is back after these
//   turns.decides(loop.getInductionVar()); // what code runs depends on it
//
// A loop turns what its own body counts: the slots of the buffers that are
// allocated in it. Those of a loop inside it turn there and are back when that
// loop is left, so loops with 5, 4, 3 and 2 slots are back after 5, 4, 3 and 2
// trips and not after 60 each.
//
// Built once per kernel; refers to its values while it lives.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"

namespace kiln::npu {

class LoopTurns {
public:
  explicit LoopTurns(mlir::func::FuncOp kernel);

  /// A slot or the id of a flag is computed from the value, directly or
  /// through other values, loops and branches.
  bool chooses(mlir::Value value) const { return choosing_.contains(value); }

  /// The condition of an `if` or the bounds of a loop are computed from the
  /// value.
  bool decides(mlir::Value value) const { return deciding_.contains(value); }

  /// The least common multiple of all depths and of what the author's flags
  /// count to.
  int64_t longest() const { return longest_; }

private:
  static void follow(mlir::Value value, llvm::DenseSet<mlir::Value> &found);

  llvm::DenseSet<mlir::Value> choosing_, deciding_;
  int64_t longest_ = 1;
};

} // namespace kiln::npu
