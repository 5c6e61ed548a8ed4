// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/npu_codegen.h"

#include "compiler/conversion/npu_isa/isa_to_llvm.h"
#include "compiler/target/elf_linker.h"
#include "compiler/target/llvm_codegen.h"
#include "compiler/target/riscv_target.h"
#include "isa/support/units.h"

#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/LLVMContext.h"

namespace kiln::target {
namespace {

// The layout must stand on the module before translation, or 64-bit loads get
// an alignment of 4.
constexpr char kDataLayout[] = "e-m:e-p:64:64-i64:64-i128:128-n32:64-S128";

std::unique_ptr<llvm::TargetMachine> makeMachine() {
  return std::unique_ptr<llvm::TargetMachine>(riscvTarget().createTargetMachine(
      llvm::Triple(kRiscvTriple), kRiscvCpu, kRiscvFeatures,
      llvm::TargetOptions(), llvm::Reloc::Static, llvm::CodeModel::Medium,
      llvm::CodeGenOptLevel::Default));
}

llvm::PipelineTuningOptions tuning() {
  llvm::PipelineTuningOptions options;
  options.LoopVectorization = false;
  options.SLPVectorization = false;
  // The control core is rarely the slowest unit; text is copied at launch.
  options.LoopUnrolling = false;
  return options;
}

/// Lets the code generator report every frame: there is no stack guard.
void measureFrames(llvm::Module &module, uint64_t &largest) {
  for (llvm::Function &function : module) {
    function.addFnAttr("warn-stack-size", "0");
  }
  module.getContext().setDiagnosticHandlerCallBack(
      [](const llvm::DiagnosticInfo *info, void *context) {
        if (auto *frame = dyn_cast<llvm::DiagnosticInfoStackSize>(info)) {
          auto &largest = *static_cast<uint64_t *>(context);
          largest = std::max(largest, frame->getStackSize());
        }
      },
      &largest);
}

} // namespace

Result<NpuObject> emitNpuObject(mlir::ModuleOp module) {
  mlir::OpBuilder attributes(module->getContext());
  module->setAttr("llvm.data_layout", attributes.getStringAttr(kDataLayout));
  module->setAttr("llvm.target_triple", attributes.getStringAttr(kRiscvTriple));
  llvm::LLVMContext context;
  KILN_ASSIGN_OR_RETURN(std::unique_ptr<llvm::Module> ir,
                        translateToLlvmIr(module, context, "kiln_npu"));
  std::unique_ptr<llvm::TargetMachine> machine = makeMachine();
  ir->setDataLayout(machine->createDataLayout());
  npu::markMemoryEffects(*ir);
  optimize(*ir, *machine, llvm::OptimizationLevel::O2, tuning());
  NpuObject result;
  measureFrames(*ir, result.frameBytes);
  KILN_ASSIGN_OR_RETURN(result.bytes, emitObject(*ir, *machine));
  return result;
}

Result<ObjectBytes> emitNpuElf(mlir::ModuleOp module, isa::KernelNote &note) {
  KILN_ASSIGN_OR_RETURN(NpuObject object, emitNpuObject(module));
  // The kernel is one function that calls nothing.
  note.stackBytes = std::max(
      note.stackBytes, static_cast<uint32_t>(alignUp(object.frameBytes, 16)));
  return linkNpuProgram({std::move(object.bytes)}, note);
}

} // namespace kiln::target
