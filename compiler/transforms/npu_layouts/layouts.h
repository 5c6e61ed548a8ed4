// SPDX-License-Identifier: Apache-2.0
//
// npu-assign-layouts: from the shared level to physical dispatches.
//
// Every plan.dispatch gets operands and a result in the layout its kernel
// wants, every dispatch function the body that scheduling starts from
// (compiler/transforms/npu_schedule), and the plan gets conversion dispatches
// where layouts meet:
//
//   [N, C, H, W]  ->  [C1, N, H, W, C0]   windows, and what follows them
//   [K, N]        ->  [K1, N, C0]         the right-hand side of a product
//
// Rules. Convolutions and pools read and write blocks; elementwise dispatches
// of rank 4 stay in blocks when an operand is; everything else is row-major.
// Channels of blocks are rounded up to C0; the lanes beyond C are undefined and
// every reader masks them. A value of one pixel is the same bytes in both
// layouts and converts by a plan.slice. Constants convert by recipe steps
// ("cast", "pad", "reshape", "transpose") when the package is written.
#pragma once

#include "mlir/Pass/Pass.h"

#include <memory>

namespace kiln::npu {

/// npu-refuse-inlined: an error for what came out of the body of a custom
/// operator (plan.inlined) and what no operation of nn becomes: integers,
/// elements in an order of their own, reductions. The marks are removed.
std::unique_ptr<mlir::Pass> createRefuseInlinedPass();

/// `l1Bytes`: the machine's L1, for wide images; 0: none is.
std::unique_ptr<mlir::Pass> createAssignLayoutsPass(int64_t l1Bytes = 0);

} // namespace kiln::npu
