// SPDX-License-Identifier: Apache-2.0
//
// npu-verify-sync: proves the flags of a kernel with addresses, or says what
// is wrong with them.
//
// Walks the kernel in program order as the control core would, with every loop
// run for one iteration more than the deepest buffer has slots (or zero times,
// one loop after the other) and every if taken and not taken. Each pipe has a
// vector clock; flags carry clocks. Errors, each at its op:
//  - a command touches bytes that another pipe's command touches, one of them
//    writes, and no chain of flags or barriers orders the two;
//  - a wait comes before its set in program order (S-order rule);
//  - a set of a flag that is set, or that is not ordered after the wait that
//    cleared it before;
//  - a flag is left set at the end;
//  - a flag id that is not known, or above 7.
//
// Buffers conflict by their planned bytes, slot by slot; GM by argument. The
// walk is a proof for loops whose trip counts do not depend on each other. It
// shares no code with the analysis of npu-insert-sync.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>
#include <set>

namespace kiln::npu {

mlir::LogicalResult verifySync(mlir::func::FuncOp kernel);

/// Numbers of pairs (kSyncAttr of their flag ops).
using PairSet = std::set<int64_t>;

/// verifySync without diagnostics, as if the flags of some pairs were absent.
bool isOrdered(mlir::func::FuncOp kernel, const PairSet &ignored);

std::unique_ptr<mlir::Pass> createVerifySyncPass();

} // namespace kiln::npu
