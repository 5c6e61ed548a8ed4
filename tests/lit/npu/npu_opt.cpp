// SPDX-License-Identifier: Apache-2.0
//
// mlir-opt with the npu dialects and passes, for the tests beside it.
#include "compiler/transforms/npu/register.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  kiln::npu::registerNpuDialects(registry);
  mlir::registerAllPasses();
  kiln::npu::registerNpuPasses();
  return mlir::failed(
      mlir::MlirOptMain(argc, argv, "kiln npu optimizer driver\n", registry));
}
