// SPDX-License-Identifier: Apache-2.0
//
// npu-insert-sync: flags between commands of different pipes that touch the
// same bytes (sync_pairs.h finds the pairs).
//
// Per pair: set_flag of the source pipe after `from`, wait_flag of the
// destination pipe before `to`; for a pair carried by a loop also one set per
// id before the loop nest that shares it and one wait per id at the end of the
// block around that nest. Inside a loop a pair uses as many ids as the buffer
// has slots (base + slot), so that the source may run ahead by that many
// iterations. Both flag ops carry `npu.sync`, the number of their pair.
//
// Afterwards each pair that npu-verify-sync does not miss is removed again: the
// flags of an inner loop often order the outer one as well.
//
// A pair of pipes has 8 ids. Where more are needed at once, a barrier replaces
// the pairs it separates, at the least nested place; a remark says so.
//
// Needs npu-plan-local-memory; refuses a kernel that already has flags, but for
// those of manual scopes (kManualAttr): between two commands of such a scope
// nothing is added, and its ids are left to it.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace kiln::npu {

mlir::LogicalResult insertSync(mlir::func::FuncOp kernel);

std::unique_ptr<mlir::Pass> createInsertSyncPass();

} // namespace kiln::npu
