// SPDX-License-Identifier: Apache-2.0
//
// kiln-opt: runs passes over an .mlir file. For compiler work and lit tests.
//
//   kiln-opt --nn-to-linalg --form-dispatches model.mlir
#include "compiler/constants/constant_store.h"
#include "compiler/pipeline/register.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  kiln::registerKilnDialects(registry);
  mlir::registerAllPasses();
  kiln::ConstantStore constants;
  kiln::registerKilnPasses(constants);
  return mlir::asMainReturnCode(mlir::MlirOptMain(
      argc, argv, "Kiln's compiler passes on MLIR text\n", registry));
}
