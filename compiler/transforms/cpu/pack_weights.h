// SPDX-License-Identifier: Apache-2.0
//
// Weights in the order a contraction walks them:
//
//   [K.., F]  ->  [F/B, K.., B]      B = 32 or 16 columns
//
// A register tile reads B columns for all of K. In row-major weights each step
// of K is F elements further, with many channels a page further; packed, the
// tile reads one run of memory. Done by recipe steps when the package is
// written; the contraction reads them through its indexing map (f div B, f mod
// B). Columns that divide into no block are padded with zeros, which nobody
// reads, when they are many. Runs after toChannelsLast(), on constants with one
// user.
#pragma once

#include "mlir/IR/BuiltinOps.h"

namespace kiln::cpu {

mlir::LogicalResult packWeights(mlir::ModuleOp module);

} // namespace kiln::cpu
