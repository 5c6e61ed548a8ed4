// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/cpu/tile_operands.h"

#include "mlir/Dialect/Affine/Analysis/AffineStructures.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;

namespace kiln::cpu {

bool mapUsesDim(AffineMap map, unsigned d) {
  return llvm::any_of(map.getResults(),
                      [&](AffineExpr e) { return e.isFunctionOfDim(d); });
}

static bool hasUnitInnerStride(Value memref) {
  SmallVector<int64_t> strides;
  int64_t offset;
  auto type = cast<MemRefType>(memref.getType());
  return succeeded(type.getStridesAndOffset(strides, offset)) &&
         (strides.empty() || strides.back() == 1);
}

/// B when `e` is `dim mod B` and vectors lie within blocks of B; else 0.
static int64_t blockOf(AffineExpr e, AffineExpr dim) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(e);
  if (!binary || binary.getKind() != AffineExprKind::Mod ||
      binary.getLHS() != dim) {
    return 0;
  }
  auto size = dyn_cast<AffineConstantExpr>(binary.getRHS());
  return size && size.getValue() % kLaneBlock == 0 ? size.getValue() : 0;
}

bool hasLaneStride(AffineMap map, Value memref, unsigned d, int64_t stride) {
  if (map.getNumResults() == 0 || !hasUnitInnerStride(memref)) {
    return false;
  }
  AffineExpr last = map.getResults().back();
  AffineExpr dim = getAffineDimExpr(d, map.getContext());
  int64_t block = blockOf(last, dim);
  for (AffineExpr e : map.getResults().drop_back()) {
    bool chooses = block != 0 && e == dim.floorDiv(block);
    if (e.isFunctionOfDim(d) && !chooses) {
      return false;
    }
  }
  if (block != 0) {
    return stride == 1;
  }
  AffineExpr rest =
      simplifyAffineExpr(last - dim * stride, map.getNumDims(), 0);
  return last.isFunctionOfDim(d) && !rest.isFunctionOfDim(d);
}

bool isVectorizableBody(Block &body) {
  return llvm::all_of(body, [](Operation &op) {
    return isa<linalg::YieldOp, arith::ConstantOp>(op) ||
           (OpTrait::hasElementwiseMappableTraits(&op) &&
            op.getNumResults() == 1);
  });
}

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

//===- padding ------------------------------------------------------------===//

std::pair<int64_t, int64_t> Guard::interior(int64_t count) const {
  int64_t begin = std::max<int64_t>(0, llvm::divideCeil(low, scale));
  // Greatest p with scale * p + step * (count - 1) - low <= size - 1.
  int64_t reach = size - 1 + low - step * (count - 1);
  int64_t end = reach < 0 ? 0 : reach / scale + 1;
  return {begin, std::max(begin, end)};
}

namespace {

/// The constant that an operation writes into all of its output, and the
/// buffer.
std::optional<std::pair<Attribute, Value>> constantWriter(Operation *op) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || linalgOp.getNumDpsInits() != 1 ||
      linalgOp.getNumReductionLoops() > 0) {
    return std::nullopt;
  }
  Value value = linalgOp.getBlock()->getTerminator()->getOperand(0);
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (argument.getOwner() != linalgOp.getBlock() ||
        argument.getArgNumber() >= linalgOp.getNumDpsInputs()) {
      return std::nullopt;
    }
    value = linalgOp.getDpsInputs()[argument.getArgNumber()];
  }
  Attribute constant;
  if (!matchPattern(value, m_Constant(&constant))) {
    return std::nullopt;
  }
  return std::pair(constant, linalgOp.getDpsInits()[0]);
}

/// The block argument that a value is, seen through widening.
BlockArgument argumentBehind(Value value) {
  while (auto cast = value.getDefiningOp<arith::ExtFOp>()) {
    value = cast.getIn();
  }
  return dyn_cast<BlockArgument>(value);
}

/// acc + filler * y, acc + filler with filler 0; max(acc, filler) with the
/// least value.
bool ignoresFiller(linalg::LinalgOp op, OpOperand &operand, Attribute filler) {
  auto value = dyn_cast<FloatAttr>(filler);
  Operation *combiner =
      op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
  if (!value || !combiner || combiner->getNumOperands() != 2) {
    return false;
  }
  BlockArgument accumulator = op.getRegionOutputArgs()[0];
  Value term = combiner->getOperand(0) == accumulator ? combiner->getOperand(1)
                                                      : combiner->getOperand(0);
  if (!llvm::is_contained(combiner->getOperands(), accumulator)) {
    return false;
  }
  BlockArgument argument = op.getMatchingBlockArgument(&operand);
  if (isa<arith::MaximumFOp>(combiner)) {
    return value.getValue().isInfinity() && value.getValue().isNegative() &&
           argumentBehind(term) == argument;
  }
  if (!isa<arith::AddFOp>(combiner) || !value.getValue().isZero()) {
    return false;
  }
  if (auto product = term.getDefiningOp<arith::MulFOp>()) {
    return argumentBehind(product.getLhs()) == argument ||
           argumentBehind(product.getRhs()) == argument;
  }
  return argumentBehind(term) == argument;
}

/// The guard of one index expression; nullopt when it has another form.
std::optional<Guard> guardOf(linalg::LinalgOp op, AffineExpr index) {
  SmallVector<int64_t> flat;
  if (failed(getFlattenedAffineExpr(index, op.getNumLoops(), 0, &flat)) ||
      flat.size() != op.getNumLoops() + 1 || flat.back() != 0) {
    return std::nullopt;
  }
  Guard guard;
  unsigned parallels = 0, reductions = 0;
  for (unsigned d = 0; d < op.getNumLoops(); ++d) {
    if (flat[d] == 0) {
      continue;
    }
    if (flat[d] < 0) {
      return std::nullopt;
    }
    bool reduction =
        op.getIteratorTypesArray()[d] == utils::IteratorType::reduction;
    (reduction ? guard.reduction : guard.parallel) = d;
    (reduction ? guard.step : guard.scale) = flat[d];
    ++(reduction ? reductions : parallels);
  }
  return parallels == 1 && reductions == 1 ? std::optional(guard)
                                           : std::nullopt;
}

} // namespace

std::optional<PaddedOperand> findPaddedOperand(linalg::LinalgOp op,
                                               OpOperand &operand) {
  auto alloc = operand.get().getDefiningOp<memref::AllocOp>();
  if (!alloc) {
    return std::nullopt;
  }
  PaddedOperand found;
  Operation *writer = nullptr;
  memref::SubViewOp middle;
  for (Operation *user : alloc->getUsers()) {
    if (user == op.getOperation()) {
      continue;
    }
    if (auto view = dyn_cast<memref::SubViewOp>(user); view && !middle) {
      middle = view;
    } else if (!writer && constantWriter(user)) {
      writer = user;
    } else {
      return std::nullopt;
    }
  }
  if (!writer || !middle || !middle->hasOneUse() || !middle.hasUnitStride() ||
      writer->getBlock() != op->getBlock() ||
      middle->getBlock() != op->getBlock() ||
      llvm::count(op->getOperands(), operand.get()) != 1) {
    return std::nullopt;
  }
  auto copy = dyn_cast<linalg::CopyOp>(*middle->getUsers().begin());
  auto [filler, buffer] = *constantWriter(writer);
  if (!copy || copy.getOutputs()[0] != middle.getResult() ||
      buffer != alloc.getResult() || !writer->isBeforeInBlock(copy) ||
      !copy->isBeforeInBlock(op) || middle.getDroppedDims().any() ||
      !ignoresFiller(op, operand, filler)) {
    return std::nullopt;
  }
  AffineMap map = op.getMatchingIndexingMap(&operand);
  Value source = copy.getInputs()[0];
  ArrayRef<int64_t> shape = cast<MemRefType>(source.getType()).getShape();
  SmallVector<AffineExpr> indices;
  for (unsigned i = 0; i < map.getNumResults(); ++i) {
    int64_t low = middle.getStaticOffsets()[i];
    AffineExpr index = map.getResult(i);
    indices.push_back(index - low);
    if (ShapedType::isDynamic(low)) {
      return std::nullopt;
    }
    if (alloc.getType().getDimSize(i) == shape[i]) {
      continue;
    }
    std::optional<Guard> guard = guardOf(op, index);
    if (!guard) {
      return std::nullopt;
    }
    guard->low = low;
    guard->size = shape[i];
    found.guards.push_back(*guard);
  }
  found.view = {source,
                AffineMap::get(map.getNumDims(), 0, indices, op->getContext())};
  found.copies = {copy, middle, writer};
  return found;
}

//===- epilogues ----------------------------------------------------------===//

namespace {

Value viewRoot(Value v) {
  while (auto view = v.getDefiningOp<ViewLikeOpInterface>()) {
    v = view.getViewSource();
  }
  return v;
}

/// The next operation that touches memory.
Operation *nextWriter(Operation *op) {
  do {
    op = op->getNextNode();
  } while (op && (isPure(op) || isa<memref::AllocOp>(op)));
  return op;
}

/// Everyone who touches `buffer` is `from`, `to` or fills it.
bool isBetween(Value buffer, Operation *from, Operation *to) {
  return buffer.getDefiningOp<memref::AllocOp>() &&
         llvm::all_of(buffer.getUsers(), [&](Operation *user) {
           return user == from || user == to ||
                  (isa<linalg::FillOp>(user) &&
                   user->getBlock() == from->getBlock() &&
                   user->isBeforeInBlock(from));
         });
}

} // namespace

SmallVector<Epilogue> findEpilogues(linalg::LinalgOp op) {
  SmallVector<Epilogue> found;
  AffineMap outMap = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  Operation *last = op;
  Value buffer = op.getDpsInits()[0];
  while (auto next = dyn_cast_or_null<linalg::GenericOp>(nextWriter(last))) {
    if (next.getNumReductionLoops() > 0 || next.getNumDpsInits() != 1 ||
        !isVectorizableBody(*next.getBody()) ||
        !next.getIndexingMapsArray().back().isIdentity() ||
        next.getNumLoops() != outMap.getNumResults()) {
      break;
    }
    Value out = next.getDpsInits()[0];
    bool inPlace = out == buffer;
    bool reads = false, legal = inPlace || isBetween(buffer, last, next);
    Epilogue epilogue{next, {}};
    for (OpOperand *operand : next.getDpsInputOperands()) {
      AffineMap map = next.getMatchingIndexingMap(operand);
      if (operand->get() == buffer) {
        legal &= map.isIdentity();
        reads = true;
        epilogue.inputs.push_back(std::nullopt);
        continue;
      }
      // Other views of what this point's neighbours write.
      Value root = viewRoot(operand->get());
      legal &= root != viewRoot(buffer) &&
               (root != viewRoot(out) ||
                (operand->get() == out && map.isIdentity()));
      epilogue.inputs.push_back(
          OperandView{operand->get(), map.compose(outMap)});
    }
    // What is stored now must not be read by points still to come.
    for (Value input : op.getDpsInputs()) {
      legal &= viewRoot(input) != viewRoot(out);
    }
    if (!legal || !reads ||
        !next.getMatchingBlockArgument(next.getDpsInitOperand(0)).use_empty()) {
      break;
    }
    found.push_back(std::move(epilogue));
    last = next;
    buffer = out;
  }
  return found;
}

} // namespace kiln::cpu
