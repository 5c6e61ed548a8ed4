// SPDX-License-Identifier: Apache-2.0
//
// What the V commands of a kernel do in UB, estimated before there are
// addresses.
//
//   std::vector<VectorUse> uses =
//       vectorTraffic(kernel, arch.timing, buffers);  // alloc -> index
//
// Offsets and counts are evaluated for a few iterations in the middle of every
// loop, one per slot that takes turns: a loop counter has its value there, the
// block index is 0. What depends on a size of the launch is taken as large as
// the buffer allows. A command counts as often as the loops around it run.
// These are estimates: they decide which placement is preferred, never whether
// a kernel is right.
#pragma once

#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu/place_buffers.h"
#include "isa/arch/arch_spec.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <vector>

namespace kiln::npu {

/// Number of each buffer of UB among those to be placed.
using BufferNumbers = llvm::DenseMap<mlir::Operation *, unsigned>;

std::vector<VectorUse> vectorTraffic(mlir::func::FuncOp kernel,
                                     const isa::TimingPart &timing,
                                     const BufferNumbers &buffers);

} // namespace kiln::npu
