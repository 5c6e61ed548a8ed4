// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/cpu/tile_plan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace kiln::cpu {

/// Shorter rows of lanes than this leave most of a vector empty.
constexpr int64_t kShortestLanes = 4;
/// Accumulators that hide the latency of fused multiply-add and leave
/// registers for operands, of 32 and of 16 registers.
constexpr int64_t kAccumulators32 = 24, kAccumulators16 = 10;

namespace {

class Planner {
public:
  Planner(linalg::LinalgOp op, const CpuMachine &machine)
      : op(op), machine(machine), ranges(op.getStaticLoopRanges()) {}

  FailureOr<TilePlan> run();

private:
  bool isParallel(unsigned d) {
    return op.getIteratorTypesArray()[d] == utils::IteratorType::parallel;
  }
  bool chooseParallelLanes();
  bool chooseReductionLanes();
  bool gathersLanes();
  void chooseVectors();
  void chooseUnrolled(int64_t accumulators);
  int dimToUnroll();
  unsigned varyingVectors(unsigned d);
  bool readsLanesOnly();
  unsigned elementBytes();

  linalg::LinalgOp op;
  const CpuMachine &machine;
  SmallVector<int64_t> ranges;
  TilePlan plan;
};

unsigned Planner::elementBytes() {
  unsigned bytes = 1;
  for (Value v : op->getOperands()) {
    Type t = getElementTypeOrSelf(v.getType());
    bytes = std::max(bytes, t.isIndex() ? 8u : t.getIntOrFloatBitWidth() / 8);
  }
  // Half floats are computed in f32.
  return std::max(bytes, 4u);
}

bool Planner::chooseParallelLanes() {
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (map.getNumResults() == 0) {
    return false;
  }
  auto last = dyn_cast<AffineDimExpr>(map.getResults().back());
  if (!last ||
      !hasLaneStride(map, op.getDpsInits()[0], last.getPosition(), 1)) {
    return false;
  }
  plan.lanes = static_cast<int>(last.getPosition());
  return true;
}

bool Planner::chooseReductionLanes() {
  if (op.getNumReductionLoops() == 0) {
    return false;
  }
  Operation *combiner =
      op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
  if (!combiner || !combinerKind(combiner) ||
      !llvm::is_contained(combiner->getOperands(),
                          op.getRegionOutputArgs()[0])) {
    return false;
  }
  for (unsigned d = 0; d < op.getNumLoops(); ++d) {
    if (isParallel(d)) {
      continue;
    }
    bool contiguous = llvm::all_of(op.getDpsInputOperands(), [&](OpOperand *o) {
      AffineMap m = op.getMatchingIndexingMap(o);
      return !mapUsesDim(m, d) || hasLaneStride(m, o->get(), d, 1);
    });
    if (contiguous && ranges[d] >= kShortestLanes) {
      plan.lanes = static_cast<int>(d);
      plan.reduceLanes = true;
      return true;
    }
  }
  return false;
}

bool Planner::gathersLanes() {
  return llvm::any_of(op->getOpOperands(), [&](OpOperand &o) {
    if (!isa<MemRefType>(o.get().getType()) ||
        op.getMatchingBlockArgument(&o).use_empty()) {
      return false;
    }
    AffineMap m = op.getMatchingIndexingMap(&o);
    return mapUsesDim(m, plan.lanes) &&
           !hasLaneStride(m, o.get(), plan.lanes, 1) &&
           !hasLaneStride(m, o.get(), plan.lanes, 2);
  });
}

/// Input vectors that change along `d`.
unsigned Planner::varyingVectors(unsigned d) {
  return llvm::count_if(op.getDpsInputOperands(), [&](OpOperand *o) {
    AffineMap m = op.getMatchingIndexingMap(o);
    return mapUsesDim(m, plan.lanes) && mapUsesDim(m, d);
  });
}

/// The parallel dimension that leaves most input vectors unchanged, so that
/// their loads are shared; -1: none is left.
int Planner::dimToUnroll() {
  int best = -1;
  unsigned bestVarying = ~0u;
  for (int d = static_cast<int>(op.getNumLoops()) - 1; d >= 0; --d) {
    bool taken = llvm::any_of(plan.unrolled, [&](const Unrolled &u) {
      return static_cast<int>(u.dim) == d;
    });
    if (!isParallel(d) || d == plan.lanes || ranges[d] <= 1 || taken) {
      continue;
    }
    unsigned varying = varyingVectors(d);
    if (varying < bestVarying) {
      best = d;
      bestVarying = varying;
    }
  }
  return best;
}

void Planner::chooseUnrolled(int64_t accumulators) {
  int64_t points = std::max<int64_t>(accumulators / plan.vectors, 1);
  while (plan.unrolled.size() < 2 && points > 1) {
    int d = dimToUnroll();
    // A second one only when it shares as much as the first.
    if (d < 0 || (!plan.unrolled.empty() &&
                  varyingVectors(d) > varyingVectors(plan.unrolled[0].dim))) {
      return;
    }
    Unrolled u{static_cast<unsigned>(d), balancedTile(ranges[d], points)};
    points /= u.count;
    plan.unrolled.insert(plan.unrolled.begin(), u);
    if (u.count < ranges[d]) {
      return;
    }
  }
}

/// All inputs are vectors: depthwise convolutions, pools.
bool Planner::readsLanesOnly() {
  return llvm::all_of(op.getDpsInputOperands(), [&](OpOperand *o) {
    return op.getMatchingBlockArgument(o).use_empty() ||
           mapUsesDim(op.getMatchingIndexingMap(o), plan.lanes);
  });
}

void Planner::chooseVectors() {
  int64_t size = ranges[plan.lanes];
  plan.width = std::min<int64_t>(machine.lanes(elementBytes()), size);
  int64_t most = llvm::divideCeil(size, plan.width);
  int64_t accumulators =
      machine.vectorRegisters >= 32 ? kAccumulators32 : kAccumulators16;
  bool gathers = gathersLanes();
  if (gathers) {
    accumulators = 4;
  }
  if (op.getNumReductionLoops() == 0) {
    plan.vectors = std::min<int64_t>(most, 4); // streaming
    return;
  }
  if (plan.reduceLanes) {
    chooseUnrolled(accumulators / 2);
    return;
  }
  if (dimToUnroll() < 0) {
    plan.vectors = std::min<int64_t>(most, 8);
  } else if (readsLanesOnly() && !gathers) {
    accumulators /= 3; // the other registers hold a window's weights
  } else {
    plan.vectors = std::min<int64_t>(most, 2);
  }
  chooseUnrolled(accumulators);
}

FailureOr<TilePlan> Planner::run() {
  if (op.getNumDpsInits() != 1 || !isVectorizableBody(*op.getBlock()) ||
      op.getNumLoops() == 0 || llvm::is_contained(ranges, 0) ||
      llvm::any_of(ranges, ShapedType::isDynamic)) {
    return failure();
  }
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!llvm::all_of(out.getResults(),
                    [](AffineExpr e) { return isa<AffineDimExpr>(e); })) {
    return failure();
  }
  // Folding along a contiguous reduction beats gathering lanes one by one, and
  // output rows too short to fill a vector.
  bool parallel = chooseParallelLanes();
  if (!parallel || ((ranges[plan.lanes] < kShortestLanes || gathersLanes()) &&
                    op.getNumReductionLoops() > 0)) {
    TilePlan saved = plan;
    if (!chooseReductionLanes()) {
      if (!parallel) {
        return failure();
      }
      plan = saved;
    }
  }
  chooseVectors();
  for (unsigned d = 0; d < op.getNumLoops(); ++d) {
    bool unrolled = llvm::any_of(plan.unrolled,
                                 [&](const Unrolled &u) { return u.dim == d; });
    if (static_cast<int>(d) != plan.lanes && !unrolled) {
      (isParallel(d) ? plan.outerDims : plan.reductionDims).push_back(d);
    }
  }
  // Weights: chosen by the lanes, the same for all points.
  plan.lanesOutermost =
      !plan.reduceLanes && op.getNumReductionLoops() > 0 &&
      llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *o) {
        AffineMap m = op.getMatchingIndexingMap(o);
        return mapUsesDim(m, plan.lanes) &&
               llvm::none_of(
                   llvm::seq<unsigned>(0, op.getNumLoops()), [&](unsigned d) {
                     return static_cast<int>(d) != plan.lanes &&
                            ranges[d] > 1 && isParallel(d) && mapUsesDim(m, d);
                   });
      });
  return plan;
}

} // namespace

FailureOr<TilePlan> planTile(linalg::LinalgOp op, const CpuMachine &machine) {
  return Planner(op, machine).run();
}

SmallVector<Segment> segmentsOf(int64_t size, int64_t tile) {
  SmallVector<Segment> out;
  int64_t main = size / tile * tile;
  if (main > 0) {
    out.push_back({0, main, tile});
  }
  if (main < size) {
    out.push_back({main, size, size - main});
  }
  return out;
}

SmallVector<Segment> withEdgesApart(ArrayRef<Segment> segments,
                                    std::pair<int64_t, int64_t> interior) {
  SmallVector<Segment> out;
  for (const Segment &s : segments) {
    bool extends = false; // the last of `out` is an interior run of `s`
    for (int64_t at = s.begin; at < s.end; at += s.tile) {
      bool inside = at >= interior.first && at + s.tile <= interior.second;
      if (inside && extends) {
        out.back().end += s.tile;
      } else {
        out.push_back({at, at + s.tile, s.tile});
      }
      extends = inside;
    }
  }
  return out;
}

SmallVector<Segment> laneSegments(int64_t size, const TilePlan &plan) {
  SmallVector<Segment> out;
  int64_t group = plan.width * plan.vectors;
  int64_t main = size / group * group;
  int64_t singles = size / plan.width * plan.width;
  if (main > 0) {
    out.push_back({0, main, group});
  }
  if (singles > main) {
    out.push_back({main, singles, singles - main});
  }
  if (size > singles) {
    out.push_back({singles, size, size - singles});
  }
  return out;
}

int64_t balancedTile(int64_t size, int64_t limit) {
  if (size <= limit) {
    return size;
  }
  int64_t count = llvm::divideCeil(size, limit);
  for (int64_t t = limit; t * 4 >= limit * 3 && t > 0; --t) {
    if (size % t == 0) {
      return t;
    }
  }
  return llvm::divideCeil(size, count);
}

} // namespace kiln::cpu
