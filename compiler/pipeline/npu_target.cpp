// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/npu_target.h"

#include "compiler/conversion/linalg_to_npu/linalg_to_npu.h"
#include "compiler/dialect/plan/plan_dialect.h"
#include "compiler/pipeline/diagnostics.h"
#include "compiler/transforms/npu_layouts/layouts.h"
#include "compiler/transforms/npu_schedule/passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace kiln::pipeline {

namespace {

class NpuBackend : public target::Target {
public:
  explicit NpuBackend(NpuTargetOptions options)
      : options_(std::move(options)) {}

  std::string_view name() const override { return "npu"; }
  std::string machineName() const override { return options_.arch.name; }
  std::string machineHash() const override { return options_.arch.hash; }

  Status prepare(ModuleOp module, const target::StageHook &hook) override;
  Result<target::TargetCode> emit(ModuleOp module,
                                  const target::StageHook &hook) override;

private:
  Status lower(ModuleOp module, const target::StageHook &hook, bool &stopped);
  Status addKernel(func::FuncOp kernel, target::TargetCode &code);

  NpuTargetOptions options_;
};

Status NpuBackend::prepare(ModuleOp module, const target::StageHook &hook) {
  {
    DiagnosticCollector errors(module.getContext());
    const auto l1 =
        static_cast<int64_t>(options_.arch.arch.capacity(isa::Space::L1));
    if (failed(runPasses(module, [l1](OpPassManager &pm) {
          pm.addPass(npu::createRefuseInlinedPass());
          pm.addPass(npu::createAssignLayoutsPass(l1));
        }))) {
      return errors.status(StatusCode::kUnsupported, "layouts for the NPU");
    }
  }
  if (hook) {
    (void)hook("layouts", module);
  }
  return Status::ok();
}

/// Dispatch functions to kernels of commands, stage by stage.
Status NpuBackend::lower(ModuleOp module, const target::StageHook &hook,
                         bool &stopped) {
  for (auto func : module.getOps<func::FuncOp>()) {
    if (failed(npu::toKernelForm(func))) {
      return Status(StatusCode::kInternal, "dispatch '" + func.getName().str() +
                                               "' has no kernel form");
    }
  }
  npu::ScheduleOptions schedule{options_.arch, options_.cores};
  auto run = [&](const char *stage, StatusCode code, auto add) -> Status {
    DiagnosticCollector errors(module.getContext());
    auto addNested = [&](OpPassManager &pm) { add(pm.nest<func::FuncOp>()); };
    if (failed(runPasses(module, addNested))) {
      return errors.status(code, std::string("NPU stage '") + stage + "'");
    }
    stopped = stopped || (hook && !hook(stage, module));
    return Status::ok();
  };
  KILN_RETURN_IF_ERROR(
      run("scheduled", StatusCode::kDoesNotFit, [&](OpPassManager &pm) {
        pm.addPass(npu::createApplySchedulePass(schedule));
      }));
  KILN_RETURN_IF_ERROR(
      run("bufferized", StatusCode::kInternal, [](OpPassManager &pm) {
        pm.addPass(npu::createBufferizePass());
        pm.addPass(npu::createVerifyPlacedPass());
      }));
  return run("npu", StatusCode::kUnsupported, [](OpPassManager &pm) {
    pm.addPass(npu::createBlocksPass());
    pm.addPass(npu::createLinalgToNpuPass());
  });
}

Status NpuBackend::addKernel(func::FuncOp kernel, target::TargetCode &code) {
  NpuLoweringOptions lowering;
  lowering.capacities = npu::capacitiesOf(options_.arch);
  lowering.sync = options_.sync;
  KILN_ASSIGN_OR_RETURN(NpuProgram compiled,
                        compileNpuKernel(kernel, lowering));
  target::DispatchCode dispatch;
  dispatch.program = code.programs.size();
  dispatch.blockDim =
      kernel->getAttrOfType<IntegerAttr>(npu::kBlockDimAttr).getInt();
  code.dispatches[compiled.kernel] = dispatch;
  if (auto text = kernel->getAttrOfType<StringAttr>(npu::kScheduleAttr)) {
    code.schedules += compiled.kernel + ": " + text.str() + "\n";
  }
  hal::ProgramModel program;
  program.kind = hal::ProgramKind::kNpuElf;
  program.name = compiled.kernel;
  program.entries = {compiled.note.kernel};
  program.needs = compiled.note.capacityNeeds;
  program.bytes = std::move(compiled.elf);
  code.programs.push_back(std::move(program));
  return Status::ok();
}

Result<target::TargetCode> NpuBackend::emit(ModuleOp module,
                                            const target::StageHook &hook) {
  OwningOpRef<ModuleOp> kernels = ModuleOp::create(module.getLoc());
  for (auto func : module.getOps<func::FuncOp>()) {
    if (func->hasAttr(plan::PlanDialect::kDispatchAttr) &&
        !func.isDeclaration()) {
      auto copy = func.clone();
      copy->removeAttr(plan::PlanDialect::kDispatchAttr);
      kernels->push_back(copy);
    }
  }
  bool stopped = false;
  target::TargetCode code;
  KILN_RETURN_IF_ERROR(lower(*kernels, hook, stopped));
  if (stopped) {
    return code;
  }
  for (auto kernel : kernels->getOps<func::FuncOp>()) {
    kernel.setPublic();
    KILN_RETURN_IF_ERROR(addKernel(kernel, code));
  }
  return code;
}

} // namespace

std::unique_ptr<target::Target> makeNpuTarget(NpuTargetOptions options) {
  return std::make_unique<NpuBackend>(std::move(options));
}

} // namespace kiln::pipeline
