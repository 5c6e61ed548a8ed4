// SPDX-License-Identifier: Apache-2.0
//
// From the LLVM dialect to an object file, for any target machine: what the
// CPU and the NPU have in common.
//
//   llvm::LLVMContext context;
//   KILN_ASSIGN_OR_RETURN(auto ir, translateToLlvmIr(module, context, "name"));
//   ir->setDataLayout(machine.createDataLayout());
//   optimize(*ir, machine, llvm::OptimizationLevel::O2, tuning);
//   KILN_ASSIGN_OR_RETURN(ObjectBytes object, emitObject(*ir, machine));
#pragma once

#include "isa/support/status.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Target/TargetMachine.h"

#include <memory>
#include <string>
#include <vector>

namespace kiln::target {

Result<std::unique_ptr<llvm::Module>>
translateToLlvmIr(mlir::ModuleOp module, llvm::LLVMContext &context,
                  const std::string &name);

/// LLVM's default pipeline of a level.
void optimize(llvm::Module &module, llvm::TargetMachine &machine,
              llvm::OptimizationLevel level,
              const llvm::PipelineTuningOptions &tuning);

/// A relocatable object file.
Result<std::vector<uint8_t>> emitObject(llvm::Module &module,
                                        llvm::TargetMachine &machine);

} // namespace kiln::target
