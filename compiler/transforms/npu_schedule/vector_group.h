// SPDX-License-Identifier: Apache-2.0
//
// The operations that make one result on V, and the tiles their values share.
#pragma once

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace kiln::npu {

/// Structured operations and moves that run on V and have no place yet.
bool isVectorOp(mlir::Operation *op);

/// Whether an operation combines several elements of an input.
bool isReduction(mlir::Operation *op);

/// Whether a tensor is (a slice or a reshape of) an argument in GM.
bool comesFromGm(mlir::Value v);

/// The vector operations that `root` needs, through slices and loops, in
/// program order; `root` last, unless it only stores what they made.
llvm::SmallVector<mlir::Operation *> producersOf(mlir::Operation *root);

/// The value that stands for the tile of `v`: a result that accumulates shares
/// it with the fill it starts from, through slices and the loops around it.
mlir::Value tileOf(mlir::Value v);

/// Tiles in flight of an operation's result: two where another pipe than V
/// writes or reads it.
int64_t tileDepth(mlir::Operation *op, bool isRoot);

int64_t elementBytes(mlir::Value v);

} // namespace kiln::npu
