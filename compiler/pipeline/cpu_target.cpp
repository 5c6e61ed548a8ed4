// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/cpu_pipeline.h"
#include "compiler/pipeline/diagnostics.h"
#include "compiler/target/target.h"
#include "compiler/transforms/cpu/channels_last.h"
#include "compiler/transforms/cpu/pack_weights.h"

namespace kiln::target {
namespace {

class CpuBackend : public Target {
public:
  explicit CpuBackend(std::string cpu) : cpu_(std::move(cpu)) {}
  std::string_view name() const override { return "cpu"; }

  Status prepare(mlir::ModuleOp module, const StageHook &hook) override {
    DiagnosticCollector errors(module.getContext());
    if (mlir::failed(cpu::toChannelsLast(module)) ||
        mlir::failed(cpu::packWeights(module))) {
      return errors.status(StatusCode::kInternal, "layouts for the CPU");
    }
    if (hook) {
      (void)hook("layouts", module);
    }
    return Status::ok();
  }

  Result<TargetCode> emit(mlir::ModuleOp module,
                          const StageHook &hook) override {
    pipeline::CpuOptions options;
    options.cpu = cpu_;
    if (hook) {
      options.afterStage = [&](const char *stage, mlir::ModuleOp m) {
        (void)hook(stage, m);
      };
    }
    KILN_ASSIGN_OR_RETURN(pipeline::CpuProgram compiled,
                          pipeline::compileForCpu(module, options));
    TargetCode code;
    hal::ProgramModel program;
    program.kind = hal::ProgramKind::kCpuSo;
    program.name = "kernels";
    program.cpuFeatures = compiled.requiredFeatures;
    program.bytes = std::move(compiled.sharedObject);
    for (const pipeline::CpuEntry &entry : compiled.entries) {
      DispatchCode dispatch;
      auto known = llvm::find(program.entries, entry.symbol);
      dispatch.entry = known - program.entries.begin();
      if (known == program.entries.end()) {
        program.entries.push_back(entry.symbol);
      }
      dispatch.blockDim = entry.blockDim;
      dispatch.workspaceBytes = entry.workspaceBytes;
      code.dispatches[entry.dispatch] = dispatch;
    }
    // A model that only renames or reshapes has nothing to run.
    if (!program.entries.empty()) {
      code.programs.push_back(std::move(program));
    }
    return code;
  }

private:
  std::string cpu_;
};

} // namespace

std::unique_ptr<Target> makeCpuTarget(std::string cpu) {
  return std::make_unique<CpuBackend>(std::move(cpu));
}

} // namespace kiln::target
