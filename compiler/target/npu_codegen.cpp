// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/npu_codegen.h"

#include "compiler/conversion/npu_isa/isa_to_llvm.h"
#include "compiler/target/elf_linker.h"
#include "compiler/target/riscv_target.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Target/TargetMachine.h"

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

void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager cgscc;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(cgscc);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, cgscc, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2)
      .run(module, modules);
}

} // namespace

Result<ObjectBytes> emitNpuObject(mlir::ModuleOp module) {
  mlir::MLIRContext *mlirContext = module->getContext();
  mlir::registerBuiltinDialectTranslation(*mlirContext);
  mlir::registerLLVMDialectTranslation(*mlirContext);
  mlir::OpBuilder attributes(mlirContext);
  module->setAttr("llvm.data_layout", attributes.getStringAttr(kDataLayout));
  module->setAttr("llvm.target_triple", attributes.getStringAttr(kRiscvTriple));
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> ir =
      mlir::translateModuleToLLVMIR(module, context, "kiln_npu");
  if (!ir) {
    return Status(StatusCode::kInternal,
                  "NPU kernel: translation to LLVM IR failed");
  }
  std::unique_ptr<llvm::TargetMachine> machine = makeMachine();
  ir->setDataLayout(machine->createDataLayout());
  npu::markMemoryEffects(*ir);
  optimize(*ir, *machine);

  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager emit;
  if (machine->addPassesToEmitFile(emit, stream, nullptr,
                                   llvm::CodeGenFileType::ObjectFile)) {
    return Status(StatusCode::kInternal,
                  "the RISC-V back end emits no object files");
  }
  emit.run(*ir);
  return ObjectBytes(object.begin(), object.end());
}

Result<ObjectBytes> emitNpuElf(mlir::ModuleOp module, isa::KernelNote note) {
  KILN_ASSIGN_OR_RETURN(ObjectBytes object, emitNpuObject(module));
  return linkNpuProgram({std::move(object)}, std::move(note));
}

} // namespace kiln::target
