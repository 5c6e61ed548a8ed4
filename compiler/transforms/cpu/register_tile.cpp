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
// One or two further parallel dimensions are unrolled so that up to 24
// accumulators keep the FMA units busy (tile_plan.h). Sizes that do not divide
// are covered by static segments, never by masks. Accumulators start from the
// value of a preceding linalg.fill when there is one, and following
// elementwise operations are applied to them before they are stored.
//
// A padded operand is read from its source: outside the image there is nothing
// to add. Tiles at the border have constant positions, so that the taps they
// leave out are known; rows are looped over with shorter reductions.
#include "compiler/transforms/cpu/tile_plan.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

#include <map>

using namespace mlir;

namespace kiln::cpu {
namespace {

/// Vector operations that one pass over unrolled reductions may hold.
constexpr int64_t kUnrolledOps = 96;

/// How the taps of a guarded reduction are chosen in the code being emitted.
enum class Taps {
  kAll,    // every point of the tile is inside for all of them
  kClip,   // the loop is bounded by the position, a loop variable
  kStatic, // the position is a constant: taps are left out point by point
};

class RegisterTiler {
public:
  RegisterTiler(IRRewriter &rewriter, linalg::LinalgOp op,
                const CpuMachine &machine)
      : rw(rewriter), op(op), machine(machine), loc(op.getLoc()) {}

  /// Rewrites the op; failure leaves it untouched.
  LogicalResult run();

private:
  using LoadCache = std::map<std::vector<int64_t>, Value>;

  void readOperands();
  void findFill();
  bool canGuard(ArrayRef<Guard> guards) const;

  void emitLanes(function_ref<void()> inner);
  void emitOuter(unsigned depth, function_ref<void()> inner);
  void emitUnrolled(unsigned index);
  void emitSegments(int dim, ArrayRef<Segment> segments,
                    function_ref<void(const Segment &)> body);
  void emitTile();
  void emitFoldedTile(SmallVector<Value> accs);
  SmallVector<Value> emitReduction(unsigned depth, SmallVector<Value> at,
                                   ValueRange accs);
  SmallVector<Value> emitClipped(unsigned depth, SmallVector<Value> at,
                                 ValueRange accs);
  SmallVector<Value> emitPoints(ArrayRef<Value> at, ValueRange accs);
  int64_t unrollOf(unsigned depth) const;

  Value loadOperand(unsigned id, const OperandView &view, ArrayRef<Value> at,
                    int64_t point, int64_t vec, LoadCache &cache);
  Value loadLanes(const OperandView &view, ArrayRef<Value> at, int64_t point,
                  int64_t offset);
  SmallVector<Value> indices(AffineMap map, ArrayRef<Value> at, int64_t point,
                             int64_t laneOffset);
  Value initialAccumulator(int64_t point, int64_t vec);
  Value evaluate(Block &body, IRMapping &map);
  Value applyEpilogues(int64_t point, int64_t vec, Value value,
                       LoadCache &cache);
  void storeResult(int64_t point, int64_t vec, Value value, LoadCache &cache);
  void storeFolded(int64_t point, Value value);
  void storeAll(ValueRange results);
  bool isInside(int64_t point) const;
  int64_t offsetOf(int64_t point, unsigned dim) const;

  Value splat(Value scalar) {
    return vector::BroadcastOp::create(rw, loc, vectorOf(scalar.getType()),
                                       scalar);
  }
  Type vectorOf(Type element) { return VectorType::get({tileWidth}, element); }
  Value constantIndex(int64_t v) {
    return arith::ConstantIndexOp::create(rw, loc, v);
  }

  IRRewriter &rw;
  linalg::LinalgOp op;
  const CpuMachine &machine;
  Location loc;
  TilePlan plan;
  SmallVector<int64_t> ranges;
  SmallVector<OperandView> views; // by operand number
  SmallVector<Guard> guards;
  SmallVector<Operation *> padCopies;
  SmallVector<Epilogue> epilogues;
  linalg::FillOp fill; // gives the start value, or null

  // The tile being emitted.
  SmallVector<Value> ivs;      // value of each dimension's base
  SmallVector<int64_t> counts; // points along each unrolled dimension
  int64_t tilePoints = 1, tileVectors = 1, tileWidth = 1;
  SmallVector<Taps> taps;            // by guard
  SmallVector<int64_t> guardedBases; // by guard, where taps are static
  llvm::DenseMap<unsigned, int64_t> fixedTaps; // reduction dim -> tap
};

//===- set-up -------------------------------------------------------------===//

// Guards are decided by dimensions that are looped over or unrolled; two that
// share a reduction would have to agree on its taps.
bool RegisterTiler::canGuard(ArrayRef<Guard> wanted) const {
  return llvm::all_of(wanted, [&](const Guard &g) {
    bool lanes = static_cast<int>(g.parallel) == plan.lanes ||
                 static_cast<int>(g.reduction) == plan.lanes;
    return !lanes && llvm::none_of(guards, [&](const Guard &other) {
      return other.reduction == g.reduction;
    });
  });
}

void RegisterTiler::readOperands() {
  for (OpOperand &operand : op->getOpOperands()) {
    views.push_back({operand.get(), op.getMatchingIndexingMap(&operand)});
    if (plan.reduceLanes || op.isDpsInit(&operand)) {
      continue;
    }
    std::optional<PaddedOperand> padded = findPaddedOperand(op, operand);
    if (padded && canGuard(padded->guards)) {
      views.back() = padded->view;
      llvm::append_range(guards, padded->guards);
      llvm::append_range(padCopies, padded->copies);
    }
  }
  taps.assign(guards.size(), Taps::kAll);
  guardedBases.assign(guards.size(), 0);
}

// A fill of exactly the same buffer before gives the start value.
void RegisterTiler::findFill() {
  Operation *before = op->getPrevNode();
  while (before && (isPure(before) || isa<memref::AllocOp>(before))) {
    before = before->getPrevNode();
  }
  auto found = dyn_cast_or_null<linalg::FillOp>(before);
  if (found && found.getOutputs()[0] == op.getDpsInits()[0]) {
    fill = found;
  }
}

LogicalResult RegisterTiler::run() {
  FailureOr<TilePlan> planned = planTile(op, machine);
  if (failed(planned)) {
    return failure();
  }
  plan = *planned;
  ranges = op.getStaticLoopRanges();
  readOperands();
  rw.setInsertionPoint(op);
  if (op.getNumReductionLoops() > 0) {
    findFill();
    if (!plan.reduceLanes) {
      epilogues = findEpilogues(op);
    }
    if (!epilogues.empty()) {
      rw.setInsertionPoint(epilogues.back().op);
    }
  }
  ivs.assign(op.getNumLoops(), Value());
  counts.assign(plan.unrolled.size(), 1);
  auto points = [&] { emitUnrolled(0); };
  if (plan.lanesOutermost) {
    emitLanes([&] { emitOuter(0, points); });
  } else {
    emitOuter(0, [&] { emitLanes(points); });
  }
  for (Epilogue &epilogue : llvm::reverse(epilogues)) {
    rw.eraseOp(epilogue.op);
  }
  rw.eraseOp(op);
  if (fill) {
    rw.eraseOp(fill);
  }
  for (Operation *copy : padCopies) {
    rw.eraseOp(copy);
  }
  return success();
}

//===- loops over parallel dimensions -------------------------------------===//

void RegisterTiler::emitSegments(int dim, ArrayRef<Segment> segments,
                                 function_ref<void(const Segment &)> body) {
  for (const Segment &s : segments) {
    if (s.isSingle()) {
      ivs[dim] = constantIndex(s.begin);
      body(s);
      continue;
    }
    auto loop = scf::ForOp::create(rw, loc, constantIndex(s.begin),
                                   constantIndex(s.end), constantIndex(s.tile));
    OpBuilder::InsertionGuard guard(rw);
    rw.setInsertionPointToStart(loop.getBody());
    ivs[dim] = loop.getInductionVar();
    body(s);
  }
}

void RegisterTiler::emitLanes(function_ref<void()> inner) {
  if (plan.reduceLanes) {
    tileWidth = plan.width;
    tileVectors = 1;
    inner();
    return;
  }
  emitSegments(plan.lanes, laneSegments(ranges[plan.lanes], plan),
               [&](const Segment &s) {
                 tileWidth = std::min(s.tile, plan.width);
                 tileVectors = s.tile / tileWidth;
                 inner();
               });
}

void RegisterTiler::emitOuter(unsigned depth, function_ref<void()> inner) {
  if (depth == plan.outerDims.size()) {
    inner();
    return;
  }
  unsigned d = plan.outerDims[depth];
  std::pair<int64_t, int64_t> interior = {0, ranges[d]};
  SmallVector<unsigned> guarding;
  for (auto [i, g] : llvm::enumerate(guards)) {
    if (g.parallel == d) {
      auto [begin, end] = g.interior(ranges[g.reduction]);
      interior = {std::max(interior.first, begin),
                  std::min(interior.second, end)};
      guarding.push_back(i);
    }
  }
  auto setTaps = [&](Taps kind) {
    for (unsigned i : guarding) {
      taps[i] = kind;
    }
  };
  emitSegments(d, {Segment{0, ranges[d], 1}}, [&](const Segment &) {
    if (interior.first <= 0 && interior.second >= ranges[d]) {
      emitOuter(depth + 1, inner);
      return;
    }
    auto compare = [&](arith::CmpIPredicate predicate, int64_t limit) -> Value {
      return arith::CmpIOp::create(rw, loc, predicate, ivs[d],
                                   constantIndex(limit));
    };
    Value inside = arith::AndIOp::create(
        rw, loc, compare(arith::CmpIPredicate::sge, interior.first),
        compare(arith::CmpIPredicate::slt, interior.second));
    auto branch = scf::IfOp::create(rw, loc, inside, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(rw);
    rw.setInsertionPointToStart(branch.thenBlock());
    emitOuter(depth + 1, inner);
    rw.setInsertionPointToStart(branch.elseBlock());
    setTaps(Taps::kClip);
    emitOuter(depth + 1, inner);
    setTaps(Taps::kAll);
  });
}

void RegisterTiler::emitUnrolled(unsigned index) {
  if (index == plan.unrolled.size()) {
    tilePoints = 1;
    for (int64_t count : counts) {
      tilePoints *= count;
    }
    emitTile();
    return;
  }
  unsigned d = plan.unrolled[index].dim;
  SmallVector<Segment> segments =
      segmentsOf(ranges[d], plan.unrolled[index].count);
  std::pair<int64_t, int64_t> interior = {0, ranges[d]};
  for (const Guard &g : guards) {
    if (g.parallel == d) {
      auto [begin, end] = g.interior(ranges[g.reduction]);
      interior = {std::max(interior.first, begin),
                  std::min(interior.second, end)};
    }
  }
  segments = withEdgesApart(segments, interior);
  emitSegments(d, segments, [&](const Segment &s) {
    counts[index] = s.tile;
    bool inside = s.begin >= interior.first && s.end <= interior.second;
    for (auto [i, g] : llvm::enumerate(guards)) {
      if (g.parallel == d) {
        taps[i] = inside ? Taps::kAll : Taps::kStatic;
        guardedBases[i] = s.begin;
      }
    }
    emitUnrolled(index + 1);
    for (auto [i, g] : llvm::enumerate(guards)) {
      if (g.parallel == d) {
        taps[i] = Taps::kAll;
      }
    }
  });
}

//===- operands -----------------------------------------------------------===//

int64_t RegisterTiler::offsetOf(int64_t point, unsigned dim) const {
  for (size_t i = plan.unrolled.size(); i-- > 0;) {
    if (plan.unrolled[i].dim == dim) {
      return point % counts[i];
    }
    point /= counts[i];
  }
  return 0;
}

bool RegisterTiler::isInside(int64_t point) const {
  for (auto [i, g] : llvm::enumerate(guards)) {
    if (taps[i] == Taps::kStatic &&
        !g.holds(guardedBases[i] + offsetOf(point, g.parallel),
                 fixedTaps.lookup(g.reduction))) {
      return false;
    }
  }
  return true;
}

SmallVector<Value> RegisterTiler::indices(AffineMap map, ArrayRef<Value> at,
                                          int64_t point, int64_t laneOffset) {
  SmallVector<OpFoldResult> dims(at.begin(), at.end());
  MLIRContext *ctx = op->getContext();
  SmallVector<AffineExpr> shifted;
  for (unsigned d = 0; d < map.getNumDims(); ++d) {
    int64_t offset =
        static_cast<int>(d) == plan.lanes ? laneOffset : offsetOf(point, d);
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

// The lanes of one vector, `offset` elements from the lanes' base.
Value RegisterTiler::loadLanes(const OperandView &view, ArrayRef<Value> at,
                               int64_t point, int64_t offset) {
  const auto &[base, map] = view;
  auto type = cast<VectorType>(vectorOf(getElementTypeOrSelf(base.getType())));
  unsigned lanes = static_cast<unsigned>(plan.lanes);
  if (hasLaneStride(map, base, lanes, 1)) {
    return vector::LoadOp::create(rw, loc, type, base,
                                  indices(map, at, point, offset));
  }
  if (tileWidth > 1 && hasLaneStride(map, base, lanes, 2)) {
    // Every second element of two overlapping loads; none past the last lane.
    SmallVector<Value> where = indices(map, at, point, offset);
    Value low = vector::LoadOp::create(rw, loc, type, base, where);
    where.back() = arith::AddIOp::create(rw, loc, where.back(),
                                         constantIndex(tileWidth - 1));
    Value high = vector::LoadOp::create(rw, loc, type, base, where);
    SmallVector<int64_t> pick;
    for (int64_t l = 0; l < tileWidth; ++l) {
      // Element 2l: in `low`, or in `high`, which starts tileWidth - 1 later.
      pick.push_back(2 * l < tileWidth ? 2 * l : 2 * l + 1);
    }
    return vector::ShuffleOp::create(rw, loc, low, high, pick);
  }
  SmallVector<Value> scalars;
  for (int64_t l = 0; l < tileWidth; ++l) {
    scalars.push_back(memref::LoadOp::create(
        rw, loc, base, indices(map, at, point, offset + l)));
  }
  return vector::FromElementsOp::create(rw, loc, type, scalars);
}

Value RegisterTiler::loadOperand(unsigned id, const OperandView &view,
                                 ArrayRef<Value> at, int64_t point, int64_t vec,
                                 LoadCache &cache) {
  if (!isa<MemRefType>(view.base.getType())) {
    return splat(view.base); // scalar operand
  }
  bool usesLanes = plan.lanes >= 0 && mapUsesDim(view.map, plan.lanes);
  std::vector<int64_t> key = {id, usesLanes ? vec : 0};
  for (const Unrolled &u : plan.unrolled) {
    key.push_back(mapUsesDim(view.map, u.dim) ? offsetOf(point, u.dim) : 0);
  }
  if (auto it = cache.find(key); it != cache.end()) {
    return it->second;
  }
  Value result;
  if (usesLanes) {
    result = loadLanes(view, at, point, vec * tileWidth);
  } else {
    result = splat(memref::LoadOp::create(rw, loc, view.base,
                                          indices(view.map, at, point, 0)));
  }
  cache[key] = result;
  return result;
}

//===- results ------------------------------------------------------------===//

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
  LoadCache cache;
  return loadOperand(0, views[init->getOperandNumber()], ivs, point, vec,
                     cache);
}

Value RegisterTiler::evaluate(Block &body, IRMapping &map) {
  for (Operation &inner : body.without_terminator()) {
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
  Value out = body.getTerminator()->getOperand(0);
  Value mapped = map.lookupOrNull(out);
  return mapped ? mapped : splat(out);
}

Value RegisterTiler::applyEpilogues(int64_t point, int64_t vec, Value value,
                                    LoadCache &cache) {
  unsigned id = op->getNumOperands();
  for (Epilogue &epilogue : epilogues) {
    IRMapping map;
    Block &body = *epilogue.op.getBody();
    for (auto [input, argument] :
         llvm::zip(epilogue.inputs, body.getArguments())) {
      ++id;
      if (!argument.use_empty()) {
        map.map(argument, input
                              ? loadOperand(id, *input, ivs, point, vec, cache)
                              : value);
      }
    }
    value = evaluate(body, map);
  }
  return value;
}

void RegisterTiler::storeResult(int64_t point, int64_t vec, Value value,
                                LoadCache &cache) {
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  value = applyEpilogues(point, vec, value, cache);
  Value target = epilogues.empty() ? op.getDpsInits()[0]
                                   : epilogues.back().op.getDpsInits()[0];
  vector::StoreOp::create(rw, loc, value, target,
                          indices(map, ivs, point, vec * tileWidth));
}

void RegisterTiler::storeFolded(int64_t point, Value value) {
  OpOperand *init = op.getDpsInitOperand(0);
  Operation *combiner =
      op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
  SmallVector<Value> where =
      indices(op.getMatchingIndexingMap(init), ivs, point, 0);
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

void RegisterTiler::storeAll(ValueRange results) {
  LoadCache cache;
  for (int64_t p = 0, i = 0; p < tilePoints; ++p) {
    for (int64_t v = 0; v < tileVectors; ++v, ++i) {
      if (plan.reduceLanes) {
        storeFolded(p, results[i]);
      } else {
        storeResult(p, v, results[i], cache);
      }
    }
  }
}

//===- tiles --------------------------------------------------------------===//

// One register tile: start values, reduction loops, stores.
void RegisterTiler::emitTile() {
  if (op.getNumReductionLoops() == 0) {
    storeAll(emitPoints(ivs, {}));
    return;
  }
  SmallVector<Value> accs;
  for (int64_t p = 0; p < tilePoints; ++p) {
    for (int64_t v = 0; v < tileVectors; ++v) {
      accs.push_back(initialAccumulator(p, v));
    }
  }
  if (plan.reduceLanes) {
    emitFoldedTile(std::move(accs));
  } else {
    storeAll(emitReduction(0, ivs, accs));
  }
}

// Whole vectors along the reduced lanes, then a short one, folded into what
// was stored.
void RegisterTiler::emitFoldedTile(SmallVector<Value> accs) {
  int64_t size = ranges[plan.lanes], width = plan.width;
  int64_t main = size / width * width;
  auto body = [&](Value iv, ValueRange in) {
    SmallVector<Value> at = ivs;
    at[plan.lanes] = iv;
    return emitReduction(0, at, in);
  };
  if (main == width) {
    storeAll(body(constantIndex(0), accs));
  } else {
    auto loop =
        scf::ForOp::create(rw, loc, constantIndex(0), constantIndex(main),
                           constantIndex(width), accs);
    {
      OpBuilder::InsertionGuard guard(rw);
      rw.setInsertionPointToStart(loop.getBody());
      SmallVector<Value> out =
          body(loop.getInductionVar(), loop.getRegionIterArgs());
      scf::YieldOp::create(rw, loc, out);
    }
    storeAll(loop.getResults());
  }
  if (main == size) {
    return;
  }
  linalg::FillOp savedFill = fill;
  fill = nullptr;
  tileWidth = size - main;
  SmallVector<Value> rest;
  for (int64_t p = 0; p < tilePoints; ++p) {
    rest.push_back(initialAccumulator(p, 0));
  }
  storeAll(body(constantIndex(main), rest));
  fill = savedFill;
  tileWidth = width;
}

// How many values of a reduction dimension one pass handles: all of the inner
// ones while the code stays short, some of the next, one of the others.
int64_t RegisterTiler::unrollOf(unsigned depth) const {
  int64_t budget =
      std::max<int64_t>(kUnrolledOps / (tilePoints * tileVectors), 1);
  for (auto [i, g] : llvm::enumerate(guards)) {
    if (taps[i] == Taps::kStatic) {
      budget = std::max<int64_t>(budget / ranges[g.reduction], 1);
    }
  }
  for (unsigned i = plan.reductionDims.size(); i-- > depth;) {
    int64_t size = ranges[plan.reductionDims[i]];
    if (i == depth) {
      int64_t part = std::min<int64_t>(budget, 4);
      return size <= budget ? size : size % part == 0 ? part : 1;
    }
    if (size > budget) {
      return 1;
    }
    budget /= size;
  }
  return 1;
}

// Loops over the reduction dimensions with the accumulators as iter_args.
SmallVector<Value> RegisterTiler::emitReduction(unsigned depth,
                                                SmallVector<Value> at,
                                                ValueRange accs) {
  if (depth == plan.reductionDims.size()) {
    return emitPoints(at, accs);
  }
  unsigned d = plan.reductionDims[depth];
  int64_t size = ranges[d], unroll = unrollOf(depth);
  for (auto [i, g] : llvm::enumerate(guards)) {
    if (g.reduction == d && taps[i] == Taps::kStatic) {
      unroll = size;
    }
    if (g.reduction == d && taps[i] == Taps::kClip) {
      return emitClipped(depth, at, accs);
    }
  }
  SmallVector<Value> current(accs.begin(), accs.end());
  if (size == unroll) {
    for (int64_t u = 0; u < unroll; ++u) {
      at[d] = constantIndex(u);
      fixedTaps[d] = u;
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

// The taps r with 0 <= scale * p + step * r - low < size.
SmallVector<Value> RegisterTiler::emitClipped(unsigned depth,
                                              SmallVector<Value> at,
                                              ValueRange accs) {
  unsigned d = plan.reductionDims[depth];
  const Guard &g = *llvm::find_if(
      guards, [&](const Guard &other) { return other.reduction == d; });
  AffineExpr p = rw.getAffineDimExpr(0);
  auto bound = [&](int64_t offset) {
    AffineExpr e = (-p * g.scale + offset).ceilDiv(g.step);
    return getValueOrCreateConstantIndexOp(
        rw, loc,
        affine::makeComposedFoldedAffineApply(rw, loc, AffineMap::get(1, 0, e),
                                              {OpFoldResult(at[g.parallel])}));
  };
  Value begin = arith::MaxSIOp::create(rw, loc, bound(g.low), constantIndex(0));
  Value end = arith::MinSIOp::create(rw, loc, bound(g.low + g.size),
                                     constantIndex(ranges[d]));
  auto loop = scf::ForOp::create(rw, loc, begin, end, constantIndex(1), accs);
  OpBuilder::InsertionGuard guard(rw);
  rw.setInsertionPointToStart(loop.getBody());
  at[d] = loop.getInductionVar();
  scf::YieldOp::create(rw, loc,
                       emitReduction(depth + 1, at, loop.getRegionIterArgs()));
  return {loop.getResults().begin(), loop.getResults().end()};
}

// The body at every point of the tile. Operands are loaded once per distinct
// point; broadcast operands outermost, so that few broadcasts are alive.
SmallVector<Value> RegisterTiler::emitPoints(ArrayRef<Value> at,
                                             ValueRange accs) {
  LoadCache cache;
  SmallVector<Value> results;
  for (int64_t p = 0, i = 0; p < tilePoints; ++p) {
    for (int64_t v = 0; v < tileVectors; ++v, ++i) {
      if (!accs.empty() && !isInside(p)) {
        results.push_back(accs[i]);
        continue;
      }
      IRMapping map;
      for (OpOperand &operand : op->getOpOperands()) {
        BlockArgument arg = op.getMatchingBlockArgument(&operand);
        if (arg.use_empty()) {
          continue;
        }
        unsigned id = operand.getOperandNumber();
        map.map(arg, op.isDpsInit(&operand) && !accs.empty()
                         ? accs[i]
                         : loadOperand(id, views[id], at, p, v, cache));
      }
      results.push_back(evaluate(*op.getBlock(), map));
    }
  }
  return results;
}

} // namespace

LogicalResult vectorizeRegisterTiles(func::FuncOp func,
                                     const CpuMachine &machine) {
  IRRewriter rewriter(func.getContext());
  // Reductions first: they take fills, padding copies and epilogues with them.
  for (bool reductions : {true, false}) {
    SmallVector<Operation *> ops;
    func.walk([&](linalg::LinalgOp op) {
      if (!reductions || op.getNumReductionLoops() > 0) {
        ops.push_back(op);
      }
    });
    for (Operation *op : ops) {
      (void)RegisterTiler(rewriter, cast<linalg::LinalgOp>(op), machine).run();
    }
  }
  return success();
}

} // namespace kiln::cpu
