// SPDX-License-Identifier: Apache-2.0
//
// npu-verify-sync: proves the flags of a kernel with addresses, or says what
// is wrong with them.
//
// Walks the kernel in program order as the control core would, every loop until
// its slots and what the pipes know of each other repeat (sync_state.h). Code
// that may not run (an if, a loop whose trip count is not constant) teaches
// nothing to the code after it; which code runs is known from constants and
// from loops that are walked from their first trip to their last. Errors, each
// at its op:
//  - a command touches bytes that another pipe's command touches, one of them
//    writes, and no chain of flags or barriers orders the two;
//  - a wait comes before its set in program order (S-order rule);
//  - a set of a flag that is set, or that is not ordered after the wait that
//    cleared it before;
//  - a flag is left set at the end, or by code that may not run;
//  - a flag id that is not known, or above 7.
//
// Buffers conflict by their planned bytes; GM by argument. A loop of unknown
// trips is walked for whole turns of its slots (loop_turns.h): which slot was
// the last is then known to commands on the same buffer only, for others the
// buffer is one piece. Shares no code with the analysis of npu-insert-sync.
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
