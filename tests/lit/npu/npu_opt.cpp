// SPDX-License-Identifier: Apache-2.0
//
// mlir-opt with the npu dialect, for the tests beside it.
#include "compiler/dialect/npu/NpuOps.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  registry.insert<kiln::npu::NPUDialect>();
  mlir::registerAllPasses();
  return mlir::failed(
      mlir::MlirOptMain(argc, argv, "kiln npu optimizer driver\n", registry));
}
