// SPDX-License-Identifier: Apache-2.0
//
// The NPU path from the form of npu_lowering_facts section 2 (a kernel function
// on memrefs whose body is structured operations on tensors) to placed, tiled
// loops on memrefs in memory spaces. In pipeline order:
//
//   npu-apply-schedule     tiles, placements; chooses a Schedule unless the
//                          function carries one (attribute npu.schedule, text)
//   npu-bufferize          one-shot bufferisation with its cleanups
//   npu-verify-placed      no accidental copy, every buffer has a space
//   npu-blocks             scf.forall -> the block index of the launch; sets
//                          the attribute npu.block_dim
//
// then linalg-to-npu (compiler/conversion/linalg_to_npu).
#pragma once

#include "isa/arch/arch_spec.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace kiln::npu {

/// Text of the schedule of a kernel: read when present, written otherwise.
constexpr llvm::StringLiteral kScheduleAttr = "npu.schedule";
/// Number of blocks of the launch (i64 attribute of the kernel function).
constexpr llvm::StringLiteral kBlockDimAttr = "npu.block_dim";

struct ScheduleOptions {
  isa::ArchSpec arch;
  /// Blocks a kernel may be split into; 0: the cores of the machine.
  int64_t maxCores = 0;
};

std::unique_ptr<mlir::Pass> createApplySchedulePass(ScheduleOptions options);
std::unique_ptr<mlir::Pass> createBufferizePass();
std::unique_ptr<mlir::Pass> createVerifyPlacedPass();
std::unique_ptr<mlir::Pass> createBlocksPass();

/// Turns tensor arguments into memrefs and results into trailing memref
/// arguments: bindings 0..n-1 of the argument block, inputs then outputs. Marks
/// the function as a kernel.
mlir::LogicalResult toKernelForm(mlir::func::FuncOp func);

} // namespace kiln::npu
