// SPDX-License-Identifier: Apache-2.0
//
// Vector dispatches: structured operations that run on V over tiles in UB.
//
//   Result<VectorKernel> k = matchVector(func, root);
//   Schedule s = chooseVector(k->shape, arch, cores).value();
//   applyVector(*k, s, tools);
//
// Forms in UB. Every local address of V is a multiple of 32 bytes. A value
// whose innermost dimension runs along the columns of the commands is *packed*:
// rows follow each other, each padded to 32 bytes. Any other value (row
// statistics, broadcast operands, transposed operands) is in *element* form: a
// 32-byte block per element. A group whose values cannot agree is in element
// form as a whole: slow, but right for every permutation and broadcast.
//
// Passes. A reduction longer than UB is a loop over parts of its input that
// accumulates in one tile; what makes the input is computed in the loop. Loops
// of the root that a reduction must be over before (the columns of a softmax)
// are cut after it, and what the root needs of the input is computed again.
#pragma once

#include "compiler/schedule/chooser.h"
#include "compiler/transforms/npu_schedule/tiling.h"

#include <string>

namespace kiln::npu {

/// A loop of a reduction and the loop of the shape that stands for it.
struct PassLoop {
  mlir::Operation *op;
  unsigned loop;
  int64_t shapeLoop;
};

struct VectorKernel {
  mlir::func::FuncOp func;
  schedule::VectorShape shape;
  std::vector<PassLoop> passes;
};

/// Shapes and buffers of what `root` needs; a message when an operation is none
/// that V can run.
Result<VectorKernel> matchVector(mlir::func::FuncOp func,
                                 mlir::Operation *root);

mlir::LogicalResult applyVector(const VectorKernel &kernel,
                                const schedule::Schedule &schedule,
                                ScheduleTools &tools);

/// Gives every operand of the vector operations in the block of `root` its
/// place in UB: inputs from GM are copied in, inits are tiles, the result of
/// `root` is copied to the slice it was to write.
mlir::LogicalResult placeVectorOperands(ScheduleTools &tools,
                                        mlir::Operation *root);

} // namespace kiln::npu
