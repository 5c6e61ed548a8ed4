// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu/register.h"

#include "compiler/conversion/npu_isa/isa_to_llvm.h"
#include "compiler/conversion/npu_isa/npu_to_isa.h"
#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/dialect/npu_isa/NpuIsaOps.h"
#include "compiler/transforms/npu/barrier_all.h"
#include "compiler/transforms/npu/insert_sync.h"
#include "compiler/transforms/npu/minimize_config.h"
#include "compiler/transforms/npu/plan_local_memory.h"
#include "compiler/transforms/npu/verify_sync.h"

#include "mlir/Pass/PassRegistry.h"

namespace kiln::npu {

void registerNpuDialects(mlir::DialectRegistry &registry) {
  registry.insert<NPUDialect, npu_isa::NpuIsaDialect>();
}

void registerNpuPasses() {
  mlir::registerPass([] { return createPlanLocalMemoryPass(); });
  mlir::registerPass(createBarrierAllPass);
  mlir::registerPass(createInsertSyncPass);
  mlir::registerPass(createVerifySyncPass);
  mlir::registerPass(createNpuToIsaPass);
  mlir::registerPass(createMinimizeConfigPass);
  mlir::registerPass(createKernelEntryPass);
}

} // namespace kiln::npu
