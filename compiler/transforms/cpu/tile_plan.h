// SPDX-License-Identifier: Apache-2.0
//
// How a linalg operation on buffers is cut into register tiles.
#pragma once

#include "compiler/transforms/cpu/cpu_passes.h"
#include "compiler/transforms/cpu/tile_operands.h"

namespace kiln::cpu {

/// A parallel dimension of which several values are computed together.
struct Unrolled {
  unsigned dim = 0;
  int64_t count = 1;
};

struct TilePlan {
  int lanes = -1;                       // dimension that becomes vector lanes
  bool reduceLanes = false;             // it is a reduction, folded at the end
  int64_t width = 1;                    // elements per vector
  int64_t vectors = 1;                  // vectors per point along the lanes
  mlir::SmallVector<Unrolled> unrolled; // at most two, outermost first
  /// The lanes loop is the outermost: what it selects of an operand (weights)
  /// stays in the cache for all points.
  bool lanesOutermost = false;
  mlir::SmallVector<unsigned> outerDims;     // parallel, one value at a time
  mlir::SmallVector<unsigned> reductionDims; // loop order

  int64_t points() const {
    int64_t n = 1;
    for (const Unrolled &u : unrolled) {
      n *= u.count;
    }
    return n;
  }
};

/// failure: the operation has a form that tiles do not cover.
mlir::FailureOr<TilePlan> planTile(mlir::linalg::LinalgOp op,
                                   const CpuMachine &machine);

/// [begin, end) covered by steps of `tile`, which divides its length.
struct Segment {
  int64_t begin = 0, end = 0, tile = 1;
  /// The first value is all there is.
  bool isSingle() const { return end - begin == tile; }
};

/// Main steps of `tile`, then one step of what is left.
mlir::SmallVector<Segment> segmentsOf(int64_t size, int64_t tile);

/// The same segments with every step that is not inside [begin, end) on its
/// own.
mlir::SmallVector<Segment> withEdgesApart(mlir::ArrayRef<Segment> segments,
                                          std::pair<int64_t, int64_t> interior);

/// Vectors along `size` lanes: whole groups, whole vectors, a short one.
mlir::SmallVector<Segment> laneSegments(int64_t size, const TilePlan &plan);

/// The tile <= `limit` that leaves the least ragged cover of `size`.
int64_t balancedTile(int64_t size, int64_t limit);

} // namespace kiln::cpu
