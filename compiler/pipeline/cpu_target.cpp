// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/cpu_pipeline.h"
#include "compiler/target/target.h"

namespace kiln::target {
namespace {

class CpuBackend : public Target {
public:
  explicit CpuBackend(std::string cpu) : cpu_(std::move(cpu)) {}
  std::string_view name() const override { return "cpu"; }

  Status prepare(mlir::ModuleOp, const StageHook &) override {
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
      dispatch.entry = program.entries.size();
      dispatch.blockDim = entry.blockDim;
      dispatch.workspaceBytes = entry.workspaceBytes;
      code.dispatches[entry.dispatch] = dispatch;
      program.entries.push_back(entry.symbol);
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
