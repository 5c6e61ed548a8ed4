// SPDX-License-Identifier: Apache-2.0
//
// Registration of everything the compiler needs in an MLIRContext, and of
// Kiln's passes by their command-line names.
//
//   mlir::DialectRegistry registry;
//   registerKilnDialects(registry);
//   mlir::MLIRContext context(registry);
//
// registerKilnPasses is for tools with a textual pipeline (kiln-opt). Passes
// that read or make constants use `constants`, which must outlive the tool.
#pragma once

#include "compiler/constants/constant_store.h"

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace kiln {

void registerKilnDialects(mlir::DialectRegistry &registry);
void registerKilnPasses(ConstantStore &constants);

} // namespace kiln
