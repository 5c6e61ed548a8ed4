// SPDX-License-Identifier: Apache-2.0
//
// One function per kind of memref operation: each writes the commands in front
// of the operation and leaves the operation itself to the caller. They fail
// with a diagnostic that names the operation.
#pragma once

#include "compiler/conversion/linalg_to_npu/view.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <functional>

namespace kiln::npu {

/// GM -> L1 or UB, UB -> GM: rows of contiguous bytes; dimensions that are left
/// become loops.
mlir::LogicalResult emitCopy(IndexMath &m, mlir::linalg::CopyOp op);
mlir::LogicalResult emitCopy(IndexMath &m, const View &dst, const View &src);

mlir::LogicalResult emitIm2col(IndexMath &m, Im2colOp op);
mlir::LogicalResult emitUnpack(IndexMath &m, UnpackOp op);
mlir::LogicalResult emitPack(IndexMath &m, PackOp op);
mlir::LogicalResult emitPad(IndexMath &m, PadOp op);
mlir::LogicalResult emitBlock(IndexMath &m, BlockOp op);
mlir::LogicalResult emitUnblock(IndexMath &m, UnblockOp op);

/// The accumulator's bias or zero becomes the mode of the first mmad.
mlir::LogicalResult emitMatmul(IndexMath &m, mlir::linalg::MatmulOp op);
/// A generic that reads L0C: scale, activation and cast of FIX.
mlir::LogicalResult emitFix(IndexMath &m, mlir::linalg::GenericOp op);

/// Any other structured operation whose operands are in UB.
mlir::LogicalResult emitVector(IndexMath &m, mlir::linalg::LinalgOp op);

/// Runs `body` with one index per extent, inside loops over those that are not
/// one. The builder of `m` stands inside while it runs.
mlir::LogicalResult emitLoops(
    IndexMath &m, llvm::ArrayRef<mlir::OpFoldResult> extents,
    const std::function<mlir::LogicalResult(llvm::ArrayRef<mlir::OpFoldResult>)>
        &body);

/// The bits of a float constant of the given type, as vdup and scalars want it.
mlir::Value scalarBits(IndexMath &m, mlir::Type type, double value);

} // namespace kiln::npu
