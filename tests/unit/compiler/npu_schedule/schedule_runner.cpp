// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/compiler/npu_schedule/schedule_runner.h"

#include "compiler/conversion/linalg_to_npu/linalg_to_npu.h"
#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu_schedule/passes.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"

namespace kiln::test {

ScheduleRunner::ScheduleRunner(std::string text, int64_t cores,
                               std::string machine)
    : text_(std::move(text)), machine_(std::move(machine)), cores_(cores) {}

bool ScheduleRunner::lower() {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<npu::NPUDialect>();
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &d) {
    error_ += d.str() + "\n";
    return mlir::success();
  });
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      text_, mlir::ParserConfig(&context));
  if (!module) {
    return false;
  }
  Result<isa::ArchSpec> arch = isa::loadArchSpec(machine_);
  if (!arch) {
    error_ = arch.status().message();
    return false;
  }
  mlir::PassManager manager(&context);
  auto &nested = manager.nest<mlir::func::FuncOp>();
  nested.addPass(npu::createApplySchedulePass({*arch, cores_}));
  nested.addPass(npu::createBufferizePass());
  nested.addPass(npu::createVerifyPlacedPass());
  nested.addPass(npu::createBlocksPass());
  nested.addPass(npu::createLinalgToNpuPass());
  if (mlir::failed(manager.run(*module))) {
    return false;
  }
  auto kernel = *module->getOps<mlir::func::FuncOp>().begin();
  blocks_ =
      kernel->getAttrOfType<mlir::IntegerAttr>(npu::kBlockDimAttr).getInt();
  schedule_ = kernel->getAttrOfType<mlir::StringAttr>(npu::kScheduleAttr).str();
  llvm::raw_string_ostream(commands_) << *module;
  return true;
}

KernelRun ScheduleRunner::run(const std::vector<Bytes> &bindings,
                              sim::Order order) {
  KernelRunner runner(commands_);
  if (Status status = runner.compile(pipeline::NpuSync::kBarrierAll); !status) {
    KernelRun failed;
    failed.status = status;
    failed.bindings = bindings;
    return failed;
  }
  return runner.run(bindings, order, 1, blocks_);
}

} // namespace kiln::test
