// SPDX-License-Identifier: Apache-2.0
//
// npu-minimize-config: removes configuration writes that change nothing.
//
// npu-to-isa writes every configuration word before every command that reads
// it. This pass moves a write out of a loop in which all writes of that word
// have the same loop-invariant value, and then removes each write of a value
// that the word is known to hold: a forward dataflow over scf.for and scf.if,
// all words 0 at launch, a join of two values unknown. The method is that of
// the vsetvli insertion of LLVM's RISC-V back end.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace kiln::npu {

void minimizeConfig(mlir::func::FuncOp kernel);

std::unique_ptr<mlir::Pass> createMinimizeConfigPass();

} // namespace kiln::npu
