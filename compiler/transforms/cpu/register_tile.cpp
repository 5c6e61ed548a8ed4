// SPDX-License-Identifier: Apache-2.0
//
// Register-tile vectoriser: linalg on buffers -> loops around tiles of
// vectors that live in registers.
//
// A static linalg op has parallel and reduction dimensions and one indexing
// map per operand. One dimension becomes the lanes of a vector:
//  - "parallel lanes": the last dimension of the output. Operands that end in
//    it are vector loads (stride 2: two loads and a shuffle), operands without
//    it are scalar loads broadcast once per point, anything else is gathered
//    lane by lane.
//  - "reduction lanes": when the output has no such dimension (row sums), a
//    reduction dimension gives the lanes and the accumulators are folded at
//    the end.
// A second parallel dimension is unrolled so that up to ~20 accumulators keep
// the FMA units busy. Sizes that do not divide are covered by static segments
// (main, rest), never by masks. Accumulators start from the value of a
// preceding linalg.fill when there is one.
#include "compiler/transforms/cpu/cpu_passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

#include <map>

using namespace mlir;

namespace kiln::cpu {
namespace {

/// [begin, end) covered by steps of `tile`, which divides its length.
struct Segment {
  int64_t begin, end, tile;
};

/// How a dimension is walked.
struct Plan {
  int lanes = -1; // dimension that becomes vector lanes
  bool reduceLanes = false;
  int unroll = -1;     // parallel dimension unrolled into accumulators
  int64_t vectors = 1; // vectors per point along the lanes
  int64_t width = 1;   // elements per vector
};

bool usesDim(AffineExpr e, unsigned d) { return e.isFunctionOfDim(d); }

bool mapUsesDim(AffineMap map, unsigned d) {
  return llvm::any_of(map.getResults(),
                      [&](AffineExpr e) { return usesDim(e, d); });
}

bool hasUnitInnerStride(Value memref) {
  SmallVector<int64_t> strides;
  int64_t offset;
  auto type = cast<MemRefType>(memref.getType());
  return succeeded(type.getStridesAndOffset(strides, offset)) &&
         (strides.empty() || strides.back() == 1);
}

/// True when consecutive values of dimension `d` are `stride` elements apart.
bool hasLaneStride(AffineMap map, Value memref, unsigned d, int64_t stride) {
  if (map.getNumResults() == 0 || !hasUnitInnerStride(memref)) {
    return false;
  }
  for (AffineExpr e : map.getResults().drop_back()) {
    if (usesDim(e, d)) {
      return false;
    }
  }
  AffineExpr last = map.getResults().back();
  AffineExpr dim = getAffineDimExpr(d, map.getContext());
  AffineExpr rest =
      simplifyAffineExpr(last - dim * stride, map.getNumDims(), 0);
  return usesDim(last, d) && !usesDim(rest, d);
}

bool isContiguousIn(AffineMap map, Value memref, unsigned d) {
  return hasLaneStride(map, memref, d, 1);
}

/// The combiner of a reduction when it may be reassociated across lanes.
std::optional<vector::CombiningKind> combinerKind(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<vector::CombiningKind>>(op)
      .Case<arith::AddFOp, arith::AddIOp>(
          [](auto) { return vector::CombiningKind::ADD; })
      .Case<arith::MulFOp, arith::MulIOp>(
          [](auto) { return vector::CombiningKind::MUL; })
      .Case<arith::MaximumFOp>(
          [](auto) { return vector::CombiningKind::MAXIMUMF; })
      .Case<arith::MinimumFOp>(
          [](auto) { return vector::CombiningKind::MINIMUMF; })
      .Default([](Operation *) { return std::nullopt; });
}

bool isVectorizableBody(Block &body) {
  return llvm::all_of(body, [](Operation &op) {
    return isa<linalg::YieldOp, arith::ConstantOp>(op) ||
           (OpTrait::hasElementwiseMappableTraits(&op) &&
            op.getNumResults() == 1);
  });
}

class RegisterTiler {
public:
  RegisterTiler(IRRewriter &rewriter, linalg::LinalgOp op,
                const CpuMachine &machine)
      : rw(rewriter), op(op), machine(machine), loc(op.getLoc()) {}

  /// Rewrites the op; failure leaves it untouched.
  LogicalResult run();

private:
  LogicalResult choosePlan();
  bool chooseParallelLanes(AffineMap outMap);
  bool chooseReductionLanes();
  void chooseUnroll();
  bool gathersLanes() const;
  unsigned elementBytes() const;

  void emitParallel(unsigned depth);
  void emitTile(int64_t points, int64_t vectors, int64_t width);
  SmallVector<Value> emitReduction(unsigned depth, SmallVector<Value> ivs,
                                   ValueRange accs);
  SmallVector<Value> emitPoints(ArrayRef<Value> ivs, ValueRange accs);
  Value loadOperand(OpOperand &operand, ArrayRef<Value> ivs, int64_t point,
                    int64_t vec, std::map<std::vector<int64_t>, Value> &cache);
  SmallVector<Value> indices(AffineMap map, ArrayRef<Value> ivs, int64_t point,
                             int64_t laneOffset);
  Value initialAccumulator(int64_t point, int64_t vec);
  void storeResult(int64_t point, int64_t vec, Value value);
  Value splat(Value scalar);
  Type vectorOf(Type element) { return VectorType::get({tileWidth}, element); }
  Value constantIndex(int64_t v) {
    return arith::ConstantIndexOp::create(rw, loc, v);
  }

  IRRewriter &rw;
  linalg::LinalgOp op;
  const CpuMachine &machine;
  Location loc;
  Plan plan;
  SmallVector<int64_t> ranges;
  SmallVector<unsigned> outerDims;     // parallel, one at a time
  SmallVector<unsigned> reductionDims; // loop order
  linalg::FillOp fill;                 // gives the start value, or null

  // The tile being emitted.
  SmallVector<Value> ivs; // value of each dimension's base
  int64_t tilePoints = 1, tileVectors = 1, tileWidth = 1;
};

unsigned RegisterTiler::elementBytes() const {
  unsigned bytes = 1;
  for (Value v : op->getOperands()) {
    Type t = getElementTypeOrSelf(v.getType());
    bytes = std::max(bytes, t.isIndex() ? 8u : t.getIntOrFloatBitWidth() / 8);
  }
  // Half floats are computed in f32.
  return std::max(bytes, 4u);
}

bool RegisterTiler::chooseParallelLanes(AffineMap outMap) {
  if (outMap.getNumResults() == 0 || !hasUnitInnerStride(op.getDpsInits()[0])) {
    return false;
  }
  auto last = dyn_cast<AffineDimExpr>(outMap.getResults().back());
  if (!last) {
    return false;
  }
  unsigned d = last.getPosition();
  for (AffineExpr e : outMap.getResults().drop_back()) {
    if (usesDim(e, d)) {
      return false;
    }
  }
  plan.lanes = d;
  return true;
}

bool RegisterTiler::chooseReductionLanes() {
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
    if (op.getIteratorTypesArray()[d] != utils::IteratorType::reduction) {
      continue;
    }
    bool contiguous = llvm::all_of(op.getDpsInputOperands(), [&](OpOperand *o) {
      AffineMap m = op.getMatchingIndexingMap(o);
      return !mapUsesDim(m, d) || isContiguousIn(m, o->get(), d);
    });
    if (contiguous && ranges[d] >= 4) {
      plan.lanes = d;
      plan.reduceLanes = true;
      return true;
    }
  }
  return false;
}

bool RegisterTiler::gathersLanes() const {
  return llvm::any_of(op->getOpOperands(), [&](OpOperand &o) {
    linalg::LinalgOp self = op;
    if (!isa<MemRefType>(o.get().getType())) {
      return false;
    }
    AffineMap m = self.getMatchingIndexingMap(&o);
    return mapUsesDim(m, plan.lanes) &&
           !isContiguousIn(m, o.get(), plan.lanes) &&
           !hasLaneStride(m, o.get(), plan.lanes, 2);
  });
}

void RegisterTiler::chooseUnroll() {
  int64_t lanesSize = ranges[plan.lanes];
  plan.width = std::min<int64_t>(machine.lanes(elementBytes()), lanesSize);
  plan.unroll = chooseUnrollDim(op, plan.lanes);
  bool reduces = op.getNumReductionLoops() > 0;
  int64_t budget = machine.vectorRegisters >= 32 ? 16 : 8;
  if (gathersLanes()) {
    plan.unroll = reduces ? plan.unroll : -1;
    budget = 4;
  }
  int64_t maxVectors = llvm::divideCeil(lanesSize, plan.width);
  if (plan.reduceLanes) {
    plan.vectors = 1;
  } else if (plan.unroll < 0) {
    plan.vectors = std::min<int64_t>(maxVectors, reduces ? 8 : 4);
  } else {
    plan.vectors = std::min<int64_t>(maxVectors, reduces ? 2 : 4);
  }
  if (!reduces) {
    plan.unroll = -1; // streaming: plain vectors are enough
  }
  tilePoints = plan.unroll < 0 ? 1 : budget / plan.vectors;
}

LogicalResult RegisterTiler::choosePlan() {
  if (op.getNumDpsInits() != 1 || !isVectorizableBody(*op.getBlock())) {
    return failure();
  }
  ranges = op.getStaticLoopRanges();
  if (llvm::any_of(ranges, ShapedType::isDynamic) ||
      llvm::is_contained(ranges, 0) || op.getNumLoops() == 0) {
    return failure();
  }
  AffineMap outMap = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!llvm::all_of(outMap.getResults(),
                    [](AffineExpr e) { return isa<AffineDimExpr>(e); })) {
    return failure();
  }
  // Folding along a contiguous reduction beats gathering lanes one by one, and
  // output rows too short to fill a vector.
  bool parallel = chooseParallelLanes(outMap);
  if (!parallel || ((ranges[plan.lanes] < 4 || gathersLanes()) &&
                    op.getNumReductionLoops() > 0)) {
    Plan saved = plan;
    if (!chooseReductionLanes()) {
      if (!parallel) {
        return failure();
      }
      plan = saved;
    }
  }
  chooseUnroll();
  for (unsigned d = 0; d < op.getNumLoops(); ++d) {
    bool isReduction =
        op.getIteratorTypesArray()[d] == utils::IteratorType::reduction;
    if (static_cast<int>(d) == plan.lanes ||
        static_cast<int>(d) == plan.unroll) {
      continue;
    }
    (isReduction ? reductionDims : outerDims).push_back(d);
  }
  return success();
}

/// main steps of `tile`, then one step of what is left.
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

/// The tile <= `limit` that leaves the least ragged cover of `size`.
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

LogicalResult RegisterTiler::run() {
  if (failed(choosePlan())) {
    return failure();
  }
  rw.setInsertionPoint(op);
  // A fill of exactly the same buffer right before gives the start value.
  if (op.getNumReductionLoops() > 0) {
    if (auto prev = dyn_cast_or_null<linalg::FillOp>(op->getPrevNode())) {
      if (prev.getOutputs()[0] == op.getDpsInits()[0]) {
        fill = prev;
      }
    }
  }
  ivs.assign(op.getNumLoops(), Value());
  emitParallel(0);
  rw.eraseOp(op);
  if (fill) {
    rw.eraseOp(fill);
  }
  return success();
}

// Loops over the outer parallel dimensions, then over segments of the unrolled
// dimension and of the lanes.
void RegisterTiler::emitParallel(unsigned depth) {
  if (depth < outerDims.size()) {
    unsigned d = outerDims[depth];
    if (ranges[d] == 1) {
      ivs[d] = constantIndex(0);
      emitParallel(depth + 1);
      return;
    }
    auto loop = scf::ForOp::create(rw, loc, constantIndex(0),
                                   constantIndex(ranges[d]), constantIndex(1));
    OpBuilder::InsertionGuard guard(rw);
    rw.setInsertionPointToStart(loop.getBody());
    ivs[d] = loop.getInductionVar();
    emitParallel(depth + 1);
    return;
  }
  auto forSegments = [&](int dim, ArrayRef<Segment> segments, auto &&body) {
    if (dim < 0) {
      body(int64_t{1});
      return;
    }
    for (const Segment &s : segments) {
      if (s.end - s.begin == s.tile) {
        ivs[dim] = constantIndex(s.begin);
        body(s.tile);
        continue;
      }
      auto loop =
          scf::ForOp::create(rw, loc, constantIndex(s.begin),
                             constantIndex(s.end), constantIndex(s.tile));
      OpBuilder::InsertionGuard guard(rw);
      rw.setInsertionPointToStart(loop.getBody());
      ivs[dim] = loop.getInductionVar();
      body(s.tile);
    }
  };
  SmallVector<Segment> pointSegments;
  if (plan.unroll >= 0) {
    pointSegments = segmentsOf(ranges[plan.unroll],
                               balancedTile(ranges[plan.unroll], tilePoints));
  }
  if (plan.reduceLanes) {
    forSegments(plan.unroll, pointSegments,
                [&](int64_t points) { emitTile(points, 1, plan.width); });
    return;
  }
  // Lanes: whole groups of vectors, then single vectors, then one short one.
  SmallVector<Segment> laneSegments;
  int64_t size = ranges[plan.lanes], group = plan.width * plan.vectors;
  int64_t main = size / group * group;
  int64_t singles = size / plan.width * plan.width;
  if (main > 0) {
    laneSegments.push_back({0, main, group});
  }
  if (singles > main) {
    laneSegments.push_back({main, singles, singles - main});
  }
  if (size > singles) {
    laneSegments.push_back({singles, size, size - singles});
  }
  forSegments(plan.lanes, laneSegments, [&](int64_t lanes) {
    int64_t width = std::min(lanes, plan.width);
    forSegments(plan.unroll, pointSegments, [&](int64_t points) {
      emitTile(points, lanes / width, width);
    });
  });
}

Value RegisterTiler::splat(Value scalar) {
  return vector::BroadcastOp::create(rw, loc, vectorOf(scalar.getType()),
                                     scalar);
}

SmallVector<Value> RegisterTiler::indices(AffineMap map, ArrayRef<Value> base,
                                          int64_t point, int64_t laneOffset) {
  SmallVector<OpFoldResult> dims(base.begin(), base.end());
  MLIRContext *ctx = op->getContext();
  SmallVector<AffineExpr> shifted;
  for (unsigned d = 0; d < map.getNumDims(); ++d) {
    int64_t offset = static_cast<int>(d) == plan.unroll  ? point
                     : static_cast<int>(d) == plan.lanes ? laneOffset
                                                         : 0;
    shifted.push_back(getAffineDimExpr(d, ctx) + offset);
  }
  SmallVector<Value> out;
  for (AffineExpr e : map.getResults()) {
    AffineMap m = AffineMap::get(map.getNumDims(), 0, e.replaceDims(shifted));
    OpFoldResult v = affine::makeComposedFoldedAffineApply(rw, loc, m, dims);
    out.push_back(getValueOrCreateConstantIndexOp(rw, loc, v));
  }
  return out;
}

Value RegisterTiler::loadOperand(OpOperand &operand, ArrayRef<Value> base,
                                 int64_t point, int64_t vec,
                                 std::map<std::vector<int64_t>, Value> &cache) {
  Value v = operand.get();
  if (!isa<MemRefType>(v.getType())) {
    return splat(v); // scalar operand
  }
  AffineMap map = op.getMatchingIndexingMap(&operand);
  bool usesLanes = plan.lanes >= 0 && mapUsesDim(map, plan.lanes);
  bool usesPoint = plan.unroll >= 0 && mapUsesDim(map, plan.unroll);
  std::vector<int64_t> key = {operand.getOperandNumber(), usesPoint ? point : 0,
                              usesLanes ? vec : 0};
  if (auto it = cache.find(key); it != cache.end()) {
    return it->second;
  }
  Type element = getElementTypeOrSelf(v.getType());
  Value result;
  if (!usesLanes) {
    Value scalar =
        memref::LoadOp::create(rw, loc, v, indices(map, base, key[1], 0));
    result = splat(scalar);
  } else if (isContiguousIn(map, v, plan.lanes)) {
    result =
        vector::LoadOp::create(rw, loc, cast<VectorType>(vectorOf(element)), v,
                               indices(map, base, key[1], vec * tileWidth));
  } else if (tileWidth > 1 && hasLaneStride(map, v, plan.lanes, 2)) {
    // Every second element of two overlapping loads; none past the last lane.
    auto type = cast<VectorType>(vectorOf(element));
    SmallVector<Value> at = indices(map, base, key[1], vec * tileWidth);
    Value low = vector::LoadOp::create(rw, loc, type, v, at);
    at.back() =
        arith::AddIOp::create(rw, loc, at.back(), constantIndex(tileWidth - 1));
    Value high = vector::LoadOp::create(rw, loc, type, v, at);
    SmallVector<int64_t> pick;
    for (int64_t l = 0; l < tileWidth; ++l) {
      // Element 2l: in `low`, or in `high`, which starts tileWidth - 1 later.
      pick.push_back(2 * l < tileWidth ? 2 * l : 2 * l + 1);
    }
    result = vector::ShuffleOp::create(rw, loc, low, high, pick);
  } else {
    SmallVector<Value> scalars;
    for (int64_t l = 0; l < tileWidth; ++l) {
      scalars.push_back(memref::LoadOp::create(
          rw, loc, v, indices(map, base, key[1], vec * tileWidth + l)));
    }
    result = vector::FromElementsOp::create(
        rw, loc, cast<VectorType>(vectorOf(element)), scalars);
  }
  cache[key] = result;
  return result;
}

Value RegisterTiler::initialAccumulator(int64_t point, int64_t vec) {
  OpOperand *init = op.getDpsInitOperand(0);
  if (plan.reduceLanes) {
    Operation *combiner =
        op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
    TypedAttr neutral = *arith::getNeutralElement(combiner);
    return splat(arith::ConstantOp::create(rw, loc, neutral));
  }
  if (fill) {
    return splat(fill.getInputs()[0]);
  }
  std::map<std::vector<int64_t>, Value> cache;
  return loadOperand(*init, ivs, point, vec, cache);
}

void RegisterTiler::storeResult(int64_t point, int64_t vec, Value value) {
  OpOperand *init = op.getDpsInitOperand(0);
  AffineMap map = op.getMatchingIndexingMap(init);
  if (!plan.reduceLanes) {
    vector::StoreOp::create(rw, loc, value, init->get(),
                            indices(map, ivs, point, vec * tileWidth));
    return;
  }
  Operation *combiner =
      op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
  SmallVector<Value> where = indices(map, ivs, point, 0);
  Value start =
      fill ? fill.getInputs()[0]
           : memref::LoadOp::create(rw, loc, init->get(), where).getResult();
  Value folded =
      vector::ReductionOp::create(rw, loc, *combinerKind(combiner), value);
  OperationState state(loc, combiner->getName());
  state.addOperands({start, folded});
  state.addTypes(start.getType());
  Value result = rw.create(state)->getResult(0);
  memref::StoreOp::create(rw, loc, result, init->get(), where);
}

// One register tile: start values, reduction loops, stores.
void RegisterTiler::emitTile(int64_t points, int64_t vectors, int64_t width) {
  tilePoints = points;
  tileVectors = vectors;
  tileWidth = width;
  if (op.getNumReductionLoops() == 0) {
    SmallVector<Value> results = emitPoints(ivs, {});
    for (int64_t p = 0, i = 0; p < points; ++p) {
      for (int64_t v = 0; v < vectors; ++v, ++i) {
        storeResult(p, v, results[i]);
      }
    }
    return;
  }
  SmallVector<Value> accs;
  for (int64_t p = 0; p < points; ++p) {
    for (int64_t v = 0; v < vectors; ++v) {
      accs.push_back(initialAccumulator(p, v));
    }
  }
  SmallVector<Value> results;
  if (!plan.reduceLanes) {
    results = emitReduction(0, ivs, accs);
  } else {
    // Whole vectors along the lanes, then one element at a time.
    int64_t size = ranges[plan.lanes], main = size / width * width;
    auto body = [&](Value iv, ValueRange in) {
      SmallVector<Value> at = ivs;
      at[plan.lanes] = iv;
      return emitReduction(0, at, in);
    };
    results = accs;
    if (main == width) {
      results = body(constantIndex(0), results);
    } else {
      auto loop =
          scf::ForOp::create(rw, loc, constantIndex(0), constantIndex(main),
                             constantIndex(width), results);
      OpBuilder::InsertionGuard guard(rw);
      rw.setInsertionPointToStart(loop.getBody());
      SmallVector<Value> out =
          body(loop.getInductionVar(), loop.getRegionIterArgs());
      scf::YieldOp::create(rw, loc, out);
      results.assign(loop.getResults().begin(), loop.getResults().end());
    }
    for (int64_t p = 0; p < points; ++p) {
      storeResult(p, 0, results[p]);
    }
    if (main < size) {
      // The rest: a short vector folded into what was stored.
      linalg::FillOp savedFill = fill;
      fill = nullptr;
      tileWidth = size - main;
      SmallVector<Value> rest;
      for (int64_t p = 0; p < points; ++p) {
        rest.push_back(initialAccumulator(p, 0));
      }
      rest = body(constantIndex(main), rest);
      for (int64_t p = 0; p < points; ++p) {
        storeResult(p, 0, rest[p]);
      }
      fill = savedFill;
      tileWidth = width;
    }
    return;
  }
  for (int64_t p = 0, i = 0; p < points; ++p) {
    for (int64_t v = 0; v < vectors; ++v, ++i) {
      storeResult(p, v, results[i]);
    }
  }
}

// Loops over the reduction dimensions with the accumulators as iter_args. The
// innermost is unrolled: all of it when small, else by four.
SmallVector<Value> RegisterTiler::emitReduction(unsigned depth,
                                                SmallVector<Value> at,
                                                ValueRange accs) {
  if (depth == reductionDims.size()) {
    return emitPoints(at, accs);
  }
  unsigned d = reductionDims[depth];
  int64_t size = ranges[d];
  bool innermost = depth + 1 == reductionDims.size();
  int64_t accumulators = tilePoints * tileVectors;
  int64_t unroll = 1;
  if (innermost && size > 1) {
    unroll = size * accumulators <= 32 ? size : size % 4 == 0 ? 4 : 1;
    if (accumulators * unroll > 96) {
      unroll = 1;
    }
  }
  SmallVector<Value> current(accs.begin(), accs.end());
  if (size == unroll) {
    for (int64_t u = 0; u < unroll; ++u) {
      at[d] = constantIndex(u);
      current = emitReduction(depth + 1, at, current);
    }
    return current;
  }
  auto loop = scf::ForOp::create(rw, loc, constantIndex(0), constantIndex(size),
                                 constantIndex(unroll), current);
  OpBuilder::InsertionGuard guard(rw);
  rw.setInsertionPointToStart(loop.getBody());
  current.assign(loop.getRegionIterArgs().begin(),
                 loop.getRegionIterArgs().end());
  for (int64_t u = 0; u < unroll; ++u) {
    at[d] = u == 0 ? loop.getInductionVar()
                   : arith::AddIOp::create(rw, loc, loop.getInductionVar(),
                                           constantIndex(u))
                         .getResult();
    current = emitReduction(depth + 1, at, current);
  }
  scf::YieldOp::create(rw, loc, current);
  return {loop.getResults().begin(), loop.getResults().end()};
}

// The body at every point of the tile. Operands are loaded once per distinct
// point; broadcast operands outermost, so that few broadcasts are alive.
SmallVector<Value> RegisterTiler::emitPoints(ArrayRef<Value> at,
                                             ValueRange accs) {
  std::map<std::vector<int64_t>, Value> cache;
  Block *body = op.getBlock();
  SmallVector<Value> results;
  for (int64_t p = 0, i = 0; p < tilePoints; ++p) {
    for (int64_t v = 0; v < tileVectors; ++v, ++i) {
      IRMapping map;
      for (OpOperand &operand : op->getOpOperands()) {
        BlockArgument arg = op.getMatchingBlockArgument(&operand);
        if (arg.use_empty()) {
          continue;
        }
        bool isInit = op.isDpsInit(&operand);
        map.map(arg, isInit && !accs.empty()
                         ? accs[i]
                         : loadOperand(operand, at, p, v, cache));
      }
      for (Operation &inner : body->without_terminator()) {
        if (auto constant = dyn_cast<arith::ConstantOp>(inner)) {
          map.map(constant.getResult(), splat(rw.clone(inner)->getResult(0)));
          continue;
        }
        OperationState state(loc, inner.getName());
        for (Value o : inner.getOperands()) {
          Value mapped = map.lookupOrNull(o);
          state.addOperands(mapped ? mapped : splat(o));
        }
        state.addTypes(vectorOf(inner.getResult(0).getType()));
        state.addAttributes(inner.getAttrs());
        state.propertiesAttr = inner.getPropertiesAsAttribute();
        map.map(inner.getResult(0), rw.create(state)->getResult(0));
      }
      Value out = body->getTerminator()->getOperand(0);
      Value mapped = map.lookupOrNull(out);
      results.push_back(mapped ? mapped : splat(out));
    }
  }
  return results;
}

} // namespace

int chooseUnrollDim(linalg::LinalgOp op, int lanesDim) {
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  int best = -1;
  unsigned bestVarying = ~0u;
  for (int d = static_cast<int>(op.getNumLoops()) - 1; d >= 0; --d) {
    if (op.getIteratorTypesArray()[d] != utils::IteratorType::parallel ||
        d == lanesDim || ranges[d] <= 1) {
      continue;
    }
    unsigned varying = 0;
    for (OpOperand *o : op.getDpsInputOperands()) {
      AffineMap m = op.getMatchingIndexingMap(o);
      varying += mapUsesDim(m, lanesDim) && mapUsesDim(m, d);
    }
    if (varying < bestVarying) {
      best = d;
      bestVarying = varying;
    }
  }
  return best;
}

LogicalResult vectorizeRegisterTiles(func::FuncOp func,
                                     const CpuMachine &machine) {
  SmallVector<linalg::LinalgOp> ops;
  func.walk([&](linalg::LinalgOp op) { ops.push_back(op); });
  IRRewriter rewriter(func.getContext());
  for (linalg::LinalgOp op : ops) {
    if (isa<linalg::FillOp>(op) && op->getNextNode() &&
        isa<linalg::LinalgOp>(op->getNextNode())) {
      auto next = cast<linalg::LinalgOp>(op->getNextNode());
      // May be consumed by the reduction that follows; decided there.
      if (next.getNumReductionLoops() > 0 && next.getNumDpsInits() == 1 &&
          next.getDpsInits()[0] == op.getDpsInits()[0]) {
        continue;
      }
    }
    (void)RegisterTiler(rewriter, op, machine).run();
  }
  // Fills whose reduction was not taken.
  SmallVector<linalg::FillOp> fills;
  func.walk([&](linalg::FillOp op) { fills.push_back(op); });
  for (linalg::FillOp op : fills) {
    (void)RegisterTiler(rewriter, op, machine).run();
  }
  return success();
}

} // namespace kiln::cpu
