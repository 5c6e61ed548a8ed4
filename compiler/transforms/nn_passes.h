// SPDX-License-Identifier: Apache-2.0
//
// The passes over nn, in pipeline order.
//
//   pm.addPass(createNnInferShapesPass());
//   pm.addPass(createNnFoldPass(constants));
//   pm.addPass(createNnPrecisionPass(constants));   // --precision=fp16
//
// Passes that take a ConstantStore read and extend it; it outlives them. A
// constant that is not in the store (a hand-written test) is never folded.
#pragma once

#include "compiler/constants/constant_store.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace kiln {

/// nn-infer-shapes: gives every nn operation its result types.
std::unique_ptr<mlir::Pass> createNnInferShapesPass();

/// nn-fold: folds constants; moves batch normalisation and added constants
/// into the convolution or gemm before them, gemm's factors and transposes
/// into its constants; turns transposes that move nothing into reshapes;
/// drops identities; puts softmax on the last axis.
std::unique_ptr<mlir::Pass> createNnFoldPass(ConstantStore &constants);

/// nn-precision-fp16: an f32 model computes on f16 activations and weights.
/// Inputs and outputs keep their declared type behind nn.cast. Contractions
/// still accumulate in f32 (nn-to-linalg).
std::unique_ptr<mlir::Pass> createNnPrecisionPass(ConstantStore &constants);

} // namespace kiln
