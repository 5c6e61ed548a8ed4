// SPDX-License-Identifier: Apache-2.0
//
// What the parts of nn-fold share. Internal to compiler/transforms.
#pragma once

#include "compiler/constants/constant_store.h"
#include "mlir/IR/PatternMatch.h"

namespace kiln::nn_fold {

/// The constant behind a value; nullptr when it is computed, has a recipe or
/// is not in the store.
const Constant *constantOf(mlir::Value value, const ConstantStore &constants);

/// A plan.const with the bytes of `constant`.
mlir::Value makeConst(mlir::OpBuilder &builder, mlir::Location loc,
                      ConstantStore &constants, Constant constant);

/// Batch normalisation and added constants into convolutions and gemms.
void populateScalePatterns(mlir::RewritePatternSet &patterns,
                           ConstantStore &constants);

} // namespace kiln::nn_fold
