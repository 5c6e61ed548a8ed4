// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/cpu_object.h"

#include "compiler/target/llvm_codegen.h"
#include "hal/format/cpu_features.h"

#include "llvm/IR/LLVMContext.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"

#include <mutex>

namespace kiln::target {
namespace {

constexpr char kTriple[] = "x86_64-unknown-linux-gnu";

const llvm::Target *x86Target(std::string &error) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
  });
  return llvm::TargetRegistry::lookupTarget(llvm::Triple(kTriple), error);
}

std::unique_ptr<llvm::TargetMachine> makeMachine(const CpuTarget &target,
                                                 std::string &error) {
  const llvm::Target *t = x86Target(error);
  if (!t) {
    return nullptr;
  }
  llvm::TargetOptions options;
  // mulf + addf of a contraction become one FMA.
  options.AllowFPOpFusion = llvm::FPOpFusion::Fast;
  return std::unique_ptr<llvm::TargetMachine>(t->createTargetMachine(
      llvm::Triple(kTriple), target.cpu, target.features, options,
      llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

} // namespace

Result<CpuTarget> resolveCpuTarget(const std::string &name) {
  CpuTarget target;
  bool native = name.empty() || name == "native";
  target.cpu = native ? llvm::sys::getHostCPUName().str() : name;
  if (native) {
    // A virtual machine may hide features that its CPU's name implies.
    for (const auto &feature : llvm::sys::getHostCPUFeatures()) {
      target.features += target.features.empty() ? "" : ",";
      target.features += feature.second ? '+' : '-';
      target.features += feature.first().str();
    }
  }
  std::string error;
  const llvm::Target *x86 = x86Target(error);
  if (!x86) {
    return Status(StatusCode::kInternal, "no x86 code generator: " + error);
  }
  // Asked of a generic CPU first: LLVM prints to stderr about unknown names.
  std::unique_ptr<llvm::MCSubtargetInfo> generic(
      x86->createMCSubtargetInfo(llvm::Triple(kTriple), "x86-64", ""));
  if (!generic->isCPUStringValid(target.cpu)) {
    return Status(StatusCode::kInvalidArgument,
                  "unknown CPU '" + name +
                      "'; give an LLVM name such as x86-64-v3, or native");
  }
  std::unique_ptr<llvm::TargetMachine> machine = makeMachine(target, error);
  const llvm::MCSubtargetInfo &sti = *machine->getMCSubtargetInfo();
  // What the code may use: of the features the runtime can check.
  for (const hal::CpuFeature &feature : hal::kX86Features) {
    if (sti.checkFeatures(std::string("+") + feature.name)) {
      target.requiredFeatures.push_back(feature.name);
    }
  }
  auto has = [&](const char *f) {
    return llvm::is_contained(target.requiredFeatures, f);
  };
  if (!has("avx2") || !has("fma") || !has("f16c")) {
    return Status(StatusCode::kUnsupported,
                  "CPU '" + target.cpu +
                      "' is below x86-64-v3 (AVX2, FMA, F16C), the least the "
                      "CPU backend generates for");
  }
  bool wide = has("avx512f") && has("avx512vl");
  target.machine.vectorBytes = wide ? 64 : 32;
  target.machine.vectorRegisters = wide ? 32 : 16;
  return target;
}

Result<std::vector<uint8_t>> emitCpuObject(mlir::ModuleOp module,
                                           const CpuTarget &target) {
  std::string error;
  std::unique_ptr<llvm::TargetMachine> machine = makeMachine(target, error);
  if (!machine) {
    return Status(StatusCode::kInternal, "no x86 code generator: " + error);
  }
  llvm::LLVMContext context;
  KILN_ASSIGN_OR_RETURN(std::unique_ptr<llvm::Module> ir,
                        translateToLlvmIr(module, context, "kiln_cpu"));
  ir->setTargetTriple(llvm::Triple(kTriple));
  ir->setDataLayout(machine->createDataLayout());
  for (llvm::Function &f : *ir) {
    if (f.isDeclaration()) {
      continue;
    }
    f.addFnAttr("target-cpu", target.cpu);
    f.addFnAttr("prefer-vector-width",
                std::to_string(target.machine.vectorBytes * 8));
    f.addFnAttr(llvm::Attribute::NoUnwind);
  }
  llvm::PipelineTuningOptions tuning;
  tuning.SLPVectorization = false;
  optimize(*ir, *machine, llvm::OptimizationLevel::O3, tuning);
  return emitObject(*ir, *machine);
}

} // namespace kiln::target
