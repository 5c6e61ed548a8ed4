// SPDX-License-Identifier: Apache-2.0
//
// Index values of a kernel in one iteration of its loops, for estimates of what
// its commands do before there are addresses.
//
//   IndexValues values(shift);            // iterations after the middle
//   std::optional<int64_t> n = values.at(command.getRows());
//
// A loop counter has the value it has `shift` iterations after the middle of
// its loop, or in the last one; what a loop carries has its first value; the
// block index is 0 of 1. Everything else is evaluated by the folders of the
// operations. Empty: what depends on a size of the launch.
#pragma once

#include "mlir/Dialect/SCF/IR/SCF.h"

#include <optional>

namespace kiln::npu {

class IndexValues {
public:
  explicit IndexValues(int64_t shift) : shift_(shift) {}

  std::optional<int64_t> at(mlir::Value value);

  /// Iterations of a loop; 16 where they are not known.
  int64_t trips(mlir::scf::ForOp loop);

  /// How often the loops around an operation let it run, with a limit.
  int64_t timesOf(mlir::Operation *op);

private:
  std::optional<int64_t> evaluate(mlir::Value value);
  std::optional<int64_t> evaluateArgument(mlir::BlockArgument argument);
  std::optional<int64_t> fold(mlir::Operation *op);

  int64_t shift_;
  llvm::DenseMap<mlir::Value, std::optional<int64_t>> known_;
};

} // namespace kiln::npu
