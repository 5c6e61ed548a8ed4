// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/npu_pipeline.h"

#include "compiler/conversion/npu_isa/isa_to_llvm.h"
#include "compiler/conversion/npu_isa/npu_to_isa.h"
#include "compiler/pipeline/diagnostics.h"
#include "compiler/target/npu_codegen.h"
#include "compiler/transforms/npu/barrier_all.h"
#include "compiler/transforms/npu/insert_sync.h"
#include "compiler/transforms/npu/minimize_config.h"
#include "compiler/transforms/npu/verify_sync.h"

#include "compiler/dialect/npu_isa/NpuIsaOps.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

#include <map>

using namespace mlir;

namespace kiln::pipeline {

namespace {

/// What the code itself cannot say; the linker counts flags and barriers.
isa::KernelNote describe(func::FuncOp kernel) {
  isa::KernelNote note;
  note.kernel = kernel.getName().str();
  for (Type type : kernel.getArgumentTypes()) {
    ++(llvm::isa<MemRefType>(type) ? note.bindingCount : note.constantCount);
  }
  const auto used = npu::usedBytes(kernel);
  for (unsigned space = 1; space < isa::kNumSpaces; ++space) {
    if (used[space] != 0) {
      note.capacityNeeds.emplace_back(isa::kSpaceNames[space], used[space]);
    }
  }
  return note;
}

/// Static kset commands per pipe pair and kbar commands.
void countSync(ModuleOp module, isa::KernelNote &note) {
  std::map<std::string, uint32_t> sets;
  module.walk([&](npu_isa::KsetOp op) {
    ++sets[std::string(isa::kPipeNames[op.getSrc()]) + ">" +
           std::string(isa::kPipeNames[op.getDst()])];
  });
  note.flagSets.assign(sets.begin(), sets.end());
  module.walk([&](npu_isa::KbarOp) { ++note.barrierCount; });
  module.walk([&](npu_isa::KdbarOp) { note.deviceBarrier = true; });
}

} // namespace

void addNpuPlanningPasses(OpPassManager &manager,
                          const NpuLoweringOptions &options) {
  manager.addNestedPass<func::FuncOp>(
      npu::createPlanLocalMemoryPass(options.capacities));
  if (options.sync == NpuSync::kBarrierAll) {
    manager.addNestedPass<func::FuncOp>(npu::createBarrierAllPass());
  } else if (options.sync == NpuSync::kFlags) {
    manager.addNestedPass<func::FuncOp>(npu::createInsertSyncPass());
  }
  if (options.sync != NpuSync::kAsWritten) {
    manager.addNestedPass<func::FuncOp>(npu::createVerifySyncPass());
  }
}

void addNpuIsaPasses(OpPassManager &manager) {
  manager.addPass(createLowerAffinePass());
  manager.addPass(createCanonicalizerPass());
  manager.addNestedPass<func::FuncOp>(npu::createNpuToIsaPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createLoopInvariantCodeMotionPass());
  manager.addNestedPass<func::FuncOp>(npu::createMinimizeConfigPass());
}

void addNpuLoweringPasses(OpPassManager &manager,
                          const NpuLoweringOptions &options) {
  addNpuPlanningPasses(manager, options);
  addNpuIsaPasses(manager);
  npu::addIsaToLlvmPasses(manager);
  manager.addPass(LLVM::createDIScopeForLLVMFuncOpPass());
}

Result<NpuProgram> compileNpuKernel(func::FuncOp kernel,
                                    const NpuLoweringOptions &options) {
  MLIRContext *context = kernel.getContext();
  DiagnosticCollector errors(context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(kernel.getLoc());
  module->push_back(kernel.clone());
  const std::string name = kernel.getName().str();
  auto after = [&](const char *stage) {
    if (options.afterStage) {
      options.afterStage(stage, *module);
    }
  };
  auto plan = [&](OpPassManager &pm) { addNpuPlanningPasses(pm, options); };
  if (failed(runPasses(*module, plan))) {
    return errors.status(StatusCode::kDoesNotFit,
                         "planning NPU kernel '" + name + "'");
  }
  after("planned");
  NpuProgram program{
      name, {}, describe(*module->getOps<func::FuncOp>().begin()), {}};
  if (failed(runPasses(*module, addNpuIsaPasses))) {
    return errors.status(StatusCode::kInvalidArgument,
                         "instructions of NPU kernel '" + name + "'");
  }
  countSync(*module, program.note);
  after("isa");
  auto toLlvm = [](OpPassManager &pm) {
    npu::addIsaToLlvmPasses(pm);
    pm.addPass(LLVM::createDIScopeForLLVMFuncOpPass());
  };
  if (failed(runPasses(*module, toLlvm))) {
    return errors.status(StatusCode::kInvalidArgument,
                         "lowering NPU kernel '" + name + "' to LLVM");
  }
  after("llvm");
  KILN_ASSIGN_OR_RETURN(program.elf, target::emitNpuElf(*module, program.note));
  program.remarks = errors.remarks();
  return program;
}

} // namespace kiln::pipeline
