// SPDX-License-Identifier: Apache-2.0
//
// What all tensor-level moves share (NPU_TileableMove): memory effects, tiling
// over the dimensions of the result, bufferisation into `init`. Included where
// the generated definitions are.
#pragma once

#include "compiler/dialect/npu/NpuOps.h"

namespace kiln::npu {

/// Nothing on tensors; on memrefs a read of the source, a write of init.
void moveEffects(mlir::OpOperand &source, mlir::OpOperand &init,
                 llvm::SmallVectorImpl<mlir::SideEffects::EffectInstance<
                     mlir::MemoryEffects::Effect>> &effects);

/// Moves on tensors leave loops; without this LICM keeps their slices inside.
mlir::Speculation::Speculatability moveSpeculatability(mlir::Operation *op);

mlir::LogicalResult moveShapes(mlir::OpBuilder &b, mlir::Location loc,
                               mlir::Value init,
                               mlir::ReifiedRankedShapedTypeDims &shapes);

mlir::bufferization::AliasingValueList moveAliases(mlir::Operation *op,
                                                   mlir::OpOperand &operand);

/// The same operation on the buffers of source and init.
mlir::LogicalResult
moveBufferize(mlir::Operation *op, mlir::RewriterBase &rewriter,
              const mlir::bufferization::BufferizationOptions &options,
              mlir::bufferization::BufferizationState &state);

llvm::SmallVector<mlir::utils::IteratorType> moveLoops(mlir::Value init);

llvm::SmallVector<mlir::Range> moveDomain(mlir::OpBuilder &b,
                                          mlir::Location loc, mlir::Value init);

} // namespace kiln::npu
