// SPDX-License-Identifier: Apache-2.0
//
// npu-to-isa: the commands of the npu dialect as npu_isa instructions.
//
//   if (failed(convertNpuToIsa(kernel))) ...
//
// Packs every operand into the 64-bit register words of isa/spec: addresses
// are the planned address of the buffer, its slot and the byte offset; constant
// fields are folded, run-time fields are shifted and added, so that a loop
// advances an address with one addition. Before every command that reads
// configuration all words that it reads are written; npu-minimize-config
// removes the repeats.
//
// Needs npu-plan-local-memory. Keeps npu.block_index, npu.block_count,
// npu.scalar_load and npu.scalar_store (their base becomes an address operand
// only in isa-to-llvm) and the function's memref arguments.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace kiln::npu {

mlir::LogicalResult convertNpuToIsa(mlir::func::FuncOp kernel);

/// Byte address of `base` + `offset` as i64: in its local space, or in GM.
mlir::Value addressOf(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value base, mlir::Value offset);

std::unique_ptr<mlir::Pass> createNpuToIsaPass();

} // namespace kiln::npu
