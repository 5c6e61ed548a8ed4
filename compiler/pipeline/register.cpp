// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/register.h"

#include "compiler/dialect/nn/nn_dialect.h"
#include "compiler/dialect/plan/plan_dialect.h"
#include "compiler/transforms/npu/register.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"

namespace kiln {

void registerKilnDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<nn::NNDialect, plan::PlanDialect>();
  npu::registerNpuDialects(registry);
}

void registerKilnPasses(ConstantStore &constants) {
  npu::registerNpuPasses();
}

} // namespace kiln
