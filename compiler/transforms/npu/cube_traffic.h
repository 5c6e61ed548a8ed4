// SPDX-License-Identifier: Apache-2.0
//
// What M and FIX of a kernel do in L0C, estimated before there are addresses.
//
//   std::vector<AccumulatorUse> uses =
//       cubeTraffic(kernel, arch.timing, buffers);  // alloc -> index
//
// A period of the loops: one iteration after the other in the middle of every
// loop, until all slots have had their turn. A size of the launch is taken as
// large as the buffer allows. As for V (vector_traffic.h) these are estimates:
// they decide which placement is preferred, never whether a kernel is right.
#pragma once

#include "compiler/transforms/npu/place_accumulators.h"
#include "compiler/transforms/npu/vector_traffic.h"

namespace kiln::npu {

std::vector<AccumulatorUse> cubeTraffic(mlir::func::FuncOp kernel,
                                        const isa::TimingPart &timing,
                                        const BufferNumbers &buffers);

} // namespace kiln::npu
