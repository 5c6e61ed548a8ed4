// SPDX-License-Identifier: Apache-2.0
//
// A contraction dispatch and its schedule: what `npu-apply-schedule` does with
// a linalg.matmul whose operands come from npu.im2col, npu.unpack and npu.pack.
//
//   std::optional<ContractionKernel> k = matchContraction(func);
//   Schedule s = chooseContraction(k->shape, arch, cores).value();
//   applyContraction(*k, s, tools);
#pragma once

#include "compiler/schedule/chooser.h"
#include "compiler/transforms/npu_schedule/tiling.h"

#include <optional>

namespace kiln::npu {

struct ContractionKernel {
  mlir::func::FuncOp func;
  schedule::ContractionShape shape;
  /// Result columns per step of the root's first loop: C0 of a blocked result
  /// [n1, m, c0], 0 for a row-major one [m, n].
  int64_t blockedBy = 0;
};

/// The dispatch's only linalg.matmul, when there is exactly one and the
/// operation with kRootAttr reads it (directly or through the FIX epilogue).
std::optional<ContractionKernel> matchContraction(mlir::func::FuncOp func);

/// Applies the levels and placements of `schedule`.
mlir::LogicalResult applyContraction(const ContractionKernel &kernel,
                                     const schedule::Schedule &schedule,
                                     ScheduleTools &tools);

} // namespace kiln::npu
