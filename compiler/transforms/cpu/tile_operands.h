// SPDX-License-Identifier: Apache-2.0
//
// What a register tile reads and what follows it, recognised on buffers:
// padded copies that need not be made, and elementwise operations that can
// work on the accumulators before they are stored.
#pragma once

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <optional>

namespace kiln::cpu {

bool mapUsesDim(mlir::AffineMap map, unsigned d);

/// Lanes of the widest vector there is; a vector that starts at a multiple of
/// its length lies within a block of as many elements or more.
constexpr int64_t kLaneBlock = 16;

/// True when consecutive values of dimension `d` are `stride` elements apart
/// in memory, as far as one vector reaches: `d mod B` counts as `d` when B is a
/// multiple of kLaneBlock.
bool hasLaneStride(mlir::AffineMap map, mlir::Value memref, unsigned d,
                   int64_t stride);

/// The combiner of a reduction when it may be reassociated across lanes.
std::optional<mlir::vector::CombiningKind> combinerKind(mlir::Operation *op);

/// Every operation takes vectors as it takes scalars.
bool isVectorizableBody(mlir::Block &body);

/// An operand: the element that a point of the iteration space reads.
struct OperandView {
  mlir::Value base; // a memref, or a scalar
  mlir::AffineMap map;
};

/// The index `scale * parallel + step * reduction - low` into a padded image.
/// Points outside [0, size) read the filler: they are left out.
struct Guard {
  unsigned parallel = 0, reduction = 0;
  int64_t scale = 1, step = 1, low = 0, size = 0;

  bool holds(int64_t p, int64_t r) const {
    int64_t index = scale * p + step * r - low;
    return index >= 0 && index < size;
  }
  /// [first, second): the values of `parallel` for which all of [0, count)
  /// of `reduction` are inside.
  std::pair<int64_t, int64_t> interior(int64_t count) const;
};

/// An operand that is a padded copy of `source`.
struct PaddedOperand {
  OperandView view; // of the source
  mlir::SmallVector<Guard> guards;
  mlir::SmallVector<mlir::Operation *> copies; // dead once nobody reads it
};

/// Recognises `alloc; fill; copy of the source into its middle`, read by
/// `operand` alone, when leaving the filler out does not change the result.
std::optional<PaddedOperand> findPaddedOperand(mlir::linalg::LinalgOp op,
                                               mlir::OpOperand &operand);

/// An elementwise operation on the result of a contraction.
struct Epilogue {
  mlir::linalg::GenericOp op;
  /// Its operands in the contraction's iteration space; no view for those that
  /// are the result itself.
  mlir::SmallVector<std::optional<OperandView>> inputs;
};

/// The operations after `op` that can be applied to its accumulators; the
/// buffers between them are read by nobody else.
mlir::SmallVector<Epilogue> findEpilogues(mlir::linalg::LinalgOp op);

} // namespace kiln::cpu
