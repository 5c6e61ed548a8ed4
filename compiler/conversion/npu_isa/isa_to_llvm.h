// SPDX-License-Identifier: Apache-2.0
//
// isa-to-llvm: kernels of npu_isa instructions and scalar control flow as the
// LLVM dialect.
//
//   if (failed(lowerKernelEntry(kernel))) ...   // then addIsaToLlvmPasses(pm)
//
// lowerKernelEntry makes the kernel a function of one pointer, the argument
// block of isa/abi/launch.h: memref arguments become the bindings in order,
// index and i64 arguments the constants in order. Every instruction becomes
// `.insn r4` inline assembly with its packed operands in registers; accesses of
// the UB window become volatile loads and stores; the block index is a CSR.
//
// Memory effects of the assembly (see also markMemoryEffects): an instruction
// that only goes into a pipe's queue touches no memory that LLVM knows, so
// ordinary loads move across it; one at which pipe S meets another pipe (flags
// from or to S, kbar, kend) is a full memory barrier.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

#include <memory>

namespace llvm {
class Module;
} // namespace llvm

namespace kiln::npu {

mlir::LogicalResult lowerKernelEntry(mlir::func::FuncOp kernel);

std::unique_ptr<mlir::Pass> createKernelEntryPass();

/// createKernelEntryPass and the upstream conversions down to the LLVM
/// dialect, on a module of kernels.
void addIsaToLlvmPasses(mlir::OpPassManager &manager);

/// Marks the queue instructions among the inline assembly of a translated
/// module: they access only memory that is inaccessible to the module, do not
/// unwind and always return. MLIR's inline assembly cannot carry this.
void markMemoryEffects(llvm::Module &module);

} // namespace kiln::npu
