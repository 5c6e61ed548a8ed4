// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/npu_codegen.h"

#include "compiler/conversion/npu_isa/isa_to_llvm.h"
#include "compiler/target/elf_linker.h"
#include "compiler/target/riscv_target.h"
#include "isa/support/units.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/DiagnosticInfo.h"
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
  // The control core is rarely the slowest unit; text is copied at launch.
  tuning.LoopUnrolling = false;
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
  NpuObject result;
  measureFrames(*ir, result.frameBytes);

  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager emit;
  if (machine->addPassesToEmitFile(emit, stream, nullptr,
                                   llvm::CodeGenFileType::ObjectFile)) {
    return Status(StatusCode::kInternal,
                  "the RISC-V back end emits no object files");
  }
  emit.run(*ir);
  result.bytes.assign(object.begin(), object.end());
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
