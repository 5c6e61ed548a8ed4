// SPDX-License-Identifier: Apache-2.0
//
// npu-barrier-all: a barrier after every command. The oracle of
// npu-insert-sync: same bits, no overlap. `kiln compile --sync=barrier-all`.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace kiln::npu {

void insertBarriers(mlir::func::FuncOp kernel);

std::unique_ptr<mlir::Pass> createBarrierAllPass();

} // namespace kiln::npu
