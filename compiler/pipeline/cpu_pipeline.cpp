// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/cpu_pipeline.h"

#include "compiler/pipeline/diagnostics.h"
#include "compiler/target/lld_link.h"
#include "compiler/transforms/cpu/cpu_passes.h"

#include "isa/abi/launch.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/Vector/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"

#include <map>

using namespace mlir;

namespace kiln::pipeline {
namespace {

LogicalResult forEachFunc(ModuleOp module,
                          llvm::function_ref<LogicalResult(func::FuncOp)> fn) {
  for (func::FuncOp f : module.getOps<func::FuncOp>()) {
    if (failed(fn(f))) {
      return failure();
    }
  }
  return success();
}

/// exp, tanh, erf ... as polynomials on vectors: no libm in kernels.
LogicalResult expandMath(ModuleOp module) {
  RewritePatternSet patterns(module.getContext());
  populateMathPolynomialApproximationPatterns(patterns);
  return applyPatternsGreedily(module, std::move(patterns));
}

void addCleanup(OpPassManager &pm) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  // The second one folds copies of a buffer to itself.
  pm.addPass(createCanonicalizerPass());
}

/// Half floats are computed in f32.
void addFloatEmulation(OpPassManager &pm) {
  math::MathExtendToSupportedTypesOptions mathOptions;
  mathOptions.extraTypeStrs = {"f32"};
  mathOptions.targetTypeStr = "f32";
  pm.addPass(math::createMathExtendToSupportedTypes(mathOptions));
  arith::ArithEmulateUnsupportedFloatsOptions arithOptions;
  arithOptions.sourceTypeStrs = {"f16", "bf16"};
  arithOptions.targetTypeStr = "f32";
  pm.addPass(arith::createArithEmulateUnsupportedFloats(arithOptions));
}

void addLoopsToLlvm(OpPassManager &pm) {
  pm.addPass(createConvertLinalgToLoopsPass());
  pm.addPass(createConvertVectorToSCFPass());
  pm.addPass(memref::createFoldMemRefAliasOpsPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createLoopInvariantCodeMotionPass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  ConvertFuncToLLVMPassOptions func;
  func.useBarePtrCallConv = true;
  pm.addPass(createConvertFuncToLLVMPass(func));
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

/// `void symbol(args, block)`: loads the pointers and calls the body.
void addEntry(ModuleOp module, LLVM::LLVMFuncOp body, StringRef symbol) {
  OpBuilder b(module.getContext());
  b.setInsertionPointToEnd(module.getBody());
  Location loc = body.getLoc();
  auto ptr = LLVM::LLVMPointerType::get(b.getContext());
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(b.getContext()), {ptr, b.getI32Type()});
  auto entry = LLVM::LLVMFuncOp::create(b, loc, symbol, type);
  Block *block = entry.addEntryBlock(b);
  b.setInsertionPointToStart(block);
  SmallVector<Value> pointers;
  unsigned count = body.getNumArguments();
  for (unsigned i = 0; i < count; ++i) {
    // Bindings follow the header; the workspace pointer ends it.
    int32_t offset =
        i + 1 == count
            ? static_cast<int32_t>(
                  offsetof(isa::ArgumentBlockHeader, workspace))
            : static_cast<int32_t>(sizeof(isa::ArgumentBlockHeader) + 8 * i);
    Value at =
        LLVM::GEPOp::create(b, loc, ptr, b.getI8Type(), block->getArgument(0),
                            ArrayRef<LLVM::GEPArg>{offset});
    pointers.push_back(LLVM::LoadOp::create(b, loc, ptr, at));
  }
  LLVM::CallOp::create(b, loc, body, pointers);
  LLVM::ReturnOp::create(b, loc, ValueRange{});
}

/// Hides the body and says that its pointers are disjoint. Their alignment is
/// that of the elements: a binding may be a slice of another tensor.
void annotateBody(LLVM::LLVMFuncOp body) {
  OpBuilder b(body.getContext());
  body.setLinkage(LLVM::Linkage::Internal);
  for (unsigned i = 0; i < body.getNumArguments(); ++i) {
    body.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(),
                    b.getUnitAttr());
  }
}

LogicalResult lowerToLlvm(ModuleOp module, const CpuOptions &options,
                          const target::CpuTarget &target,
                          std::vector<CpuEntry> &entries) {
  auto after = [&](const char *stage) {
    if (options.afterStage) {
      options.afterStage(stage, module);
    }
  };
  // 1. Buffers: the signature first, then everything in place.
  if (failed(forEachFunc(module, cpu::convertToBufferSignature)) ||
      failed(forEachFunc(module, cpu::bufferizeDispatch)) ||
      failed(runPasses(module, addCleanup))) {
    return failure();
  }
  after("bufferized");
  // 2. Vectors in registers; math functions as polynomials.
  if (failed(forEachFunc(module,
                         [&](func::FuncOp f) {
                           return cpu::vectorizeRegisterTiles(f,
                                                              target.machine);
                         })) ||
      failed(runPasses(module, addFloatEmulation)) ||
      failed(expandMath(module)) || failed(runPasses(module, addCleanup))) {
    return failure();
  }
  // 3. Small tiles on the stack, the rest in the workspace.
  if (failed(runPasses(module, [](OpPassManager &pm) {
        bufferization::PromoteBuffersToStackPassOptions stack;
        stack.maxAllocSizeInBytes = 64 << 10;
        // Out of loops first: a stack slot in a loop grows the stack.
        pm.addNestedPass<func::FuncOp>(
            bufferization::createBufferLoopHoistingPass());
        pm.addNestedPass<func::FuncOp>(
            bufferization::createPromoteBuffersToStackPass(stack));
      }))) {
    return failure();
  }
  for (func::FuncOp f : module.getOps<func::FuncOp>()) {
    FailureOr<uint64_t> workspace = cpu::assignWorkspace(f);
    if (failed(workspace)) {
      return failure();
    }
    CpuEntry entry;
    entry.dispatch = f.getName().str();
    entry.symbol = "k_" + entry.dispatch;
    entry.bindingCount = f.getNumArguments() - 1;
    entry.workspaceBytes = *workspace;
    entries.push_back(entry);
  }
  after("vectorized");
  // 4. LLVM dialect and the entries of the ABI.
  if (failed(runPasses(module, addLoopsToLlvm))) {
    return failure();
  }
  for (const CpuEntry &entry : entries) {
    auto body = module.lookupSymbol<LLVM::LLVMFuncOp>(entry.dispatch);
    annotateBody(body);
    addEntry(module, body, entry.symbol);
  }
  after("llvm");
  return success();
}

/// What a dispatch function computes, without its name and places.
std::string textOf(func::FuncOp func) {
  OwningOpRef<func::FuncOp> copy = func.clone();
  copy->setName("kernel");
  std::string text;
  llvm::raw_string_ostream os(text);
  copy->print(os, OpPrintingFlags().useLocalScope());
  return text;
}

/// Clones the dispatch functions of `module` into `code`, equal ones once.
/// Returns which clone each of them uses, in module order.
std::vector<std::pair<std::string, std::string>> collectKernels(ModuleOp module,
                                                                ModuleOp code) {
  OpBuilder b(module.getContext());
  b.setInsertionPointToEnd(code.getBody());
  std::map<std::string, std::string> kernels; // by text
  std::vector<std::pair<std::string, std::string>> uses;
  for (func::FuncOp f : module.getOps<func::FuncOp>()) {
    if (!f->hasAttr("plan.dispatch")) {
      continue;
    }
    std::string name = f.getName().str();
    auto [it, isNew] = kernels.try_emplace(textOf(f), name);
    uses.emplace_back(name, it->second);
    if (isNew) {
      auto copy = cast<func::FuncOp>(b.clone(*f));
      copy->removeAttr("plan.dispatch");
      copy.setPublic();
    }
  }
  return uses;
}

} // namespace

Result<CpuProgram> compileForCpu(ModuleOp module, const CpuOptions &options) {
  KILN_ASSIGN_OR_RETURN(target::CpuTarget target,
                        target::resolveCpuTarget(options.cpu));
  OpBuilder b(module.getContext());
  OwningOpRef<ModuleOp> code = ModuleOp::create(b, module.getLoc());
  std::vector<std::pair<std::string, std::string>> uses =
      collectKernels(module, *code);
  CpuProgram program;
  program.cpu = target.cpu;
  program.requiredFeatures = target.requiredFeatures;
  module.getContext()->loadAllAvailableDialects();
  DiagnosticCollector errors(module.getContext());
  std::vector<CpuEntry> kernels;
  if (failed(lowerToLlvm(*code, options, target, kernels))) {
    return errors.status(StatusCode::kInternal, "compiling for the CPU");
  }
  for (const auto &[dispatch, kernel] : uses) {
    CpuEntry entry = *llvm::find_if(
        kernels, [&](const CpuEntry &e) { return e.dispatch == kernel; });
    entry.dispatch = dispatch;
    program.entries.push_back(std::move(entry));
  }
  KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> object,
                        target::emitCpuObject(*code, target));
  KILN_ASSIGN_OR_RETURN(program.sharedObject,
                        target::linkSharedObject({std::move(object)}));
  return program;
}

} // namespace kiln::pipeline
