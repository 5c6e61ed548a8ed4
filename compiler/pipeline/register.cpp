// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/register.h"

#include "compiler/conversion/linalg_to_npu/linalg_to_npu.h"
#include "compiler/conversion/nn_to_linalg/nn_to_linalg.h"
#include "compiler/dialect/nn/nn_dialect.h"
#include "compiler/dialect/plan/plan_dialect.h"
#include "compiler/transforms/form_dispatches.h"
#include "compiler/transforms/nn_passes.h"
#include "compiler/transforms/npu/register.h"
#include "compiler/transforms/npu_layouts/layouts.h"
#include "compiler/transforms/npu_schedule/passes.h"
#include "compiler/transforms/plan_concat.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Pass/PassRegistry.h"

namespace kiln {

void registerKilnDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<nn::NNDialect, plan::PlanDialect>();
  npu::registerNpuDialects(registry);
}

// Passes over nn and the shared level.
static void registerSharedPasses(ConstantStore &constants) {
  using mlir::registerPass;
  registerPass([] { return createNnInferShapesPass(); });
  registerPass([&] { return createNnFoldPass(constants); });
  registerPass([&] { return createNnPrecisionPass(constants); });
  registerPass([&] { return createNnToLinalgPass(constants); });
  registerPass([] { return createFormDispatchesPass(); });
  registerPass([] { return createVerifySharedLevelPass(); });
  registerPass([] { return plan::createConcatInPlacePass(); });
}

// Shared level to commands; schedules are chosen for one core of k1.
static void registerNpuSchedulingPasses() {
  using mlir::registerPass;
  registerPass([] { return npu::createAssignLayoutsPass(); });
  registerPass([] { return npu::createRefuseInlinedPass(); });
  registerPass([] {
    Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
    return npu::createApplySchedulePass({k1 ? *k1 : isa::ArchSpec(), 1});
  });
  registerPass([] { return npu::createBufferizePass(); });
  registerPass([] { return npu::createVerifyPlacedPass(); });
  registerPass([] { return npu::createBlocksPass(); });
  registerPass([] { return npu::createLinalgToNpuPass(); });
}

void registerKilnPasses(ConstantStore &constants) {
  registerSharedPasses(constants);
  registerNpuSchedulingPasses();
  npu::registerNpuPasses();
}

} // namespace kiln
