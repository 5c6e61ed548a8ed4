// SPDX-License-Identifier: Apache-2.0
//
// mlir-opt with the scheduling passes of the NPU path on machine k1, for the
// tests beside it.
#include "compiler/conversion/linalg_to_npu/linalg_to_npu.h"
#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/dialect/plan/plan_dialect.h"
#include "compiler/transforms/npu_layouts/layouts.h"
#include "compiler/transforms/npu_schedule/passes.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

namespace {
/// Capacities of k1 (k1_numbers.md, section 1) and nothing else.
kiln::isa::ArchSpec testMachine() {
  kiln::isa::ArchSpec arch;
  arch.name = "k1";
  uint64_t kibibytes[kiln::isa::kNumSpaces] = {0, 1024, 64, 64, 256, 256, 4};
  for (unsigned i = 0; i < kiln::isa::kNumSpaces; ++i) {
    arch.arch.capacityBytes[i] = kibibytes[i] * 1024;
  }
  return arch;
}
} // namespace

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<kiln::npu::NPUDialect, kiln::plan::PlanDialect>();
  mlir::registerAllPasses();
  mlir::registerPass([] { return kiln::npu::createAssignLayoutsPass(); });
  mlir::registerPass(
      [] { return kiln::npu::createApplySchedulePass({testMachine(), 1}); });
  mlir::registerPass([] { return kiln::npu::createBufferizePass(); });
  mlir::registerPass([] { return kiln::npu::createVerifyPlacedPass(); });
  mlir::registerPass([] { return kiln::npu::createBlocksPass(); });
  mlir::registerPass([] { return kiln::npu::createLinalgToNpuPass(); });
  return mlir::failed(
      mlir::MlirOptMain(argc, argv, "kiln npu schedule driver\n", registry));
}
