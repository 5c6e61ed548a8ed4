// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/cpu/pack_weights.h"

#include "compiler/dialect/plan/plan_dialect.h"
#include "compiler/transforms/cpu/tile_operands.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;

namespace kiln::cpu {

namespace {

/// The block for `lanes` columns; 0: they are not cut into blocks. Columns that
/// divide into none are padded when that adds little.
int64_t blockOf(int64_t lanes) {
  for (int64_t block : {2 * kLaneBlock, kLaneBlock}) {
    if (lanes > block && lanes % block == 0) {
      return block;
    }
  }
  int64_t padding = kLaneBlock - lanes % kLaneBlock;
  return padding * 8 <= lanes ? kLaneBlock : 0;
}

/// A contraction and its operand of weights, an argument of the function.
struct Weights {
  linalg::LinalgOp op;
  unsigned operand = 0;
  unsigned argument = 0;
};

/// True when the operand's last dimension is the output's, and several points
/// share the rest of it: one pass over weights gains nothing from blocks.
bool isShared(linalg::LinalgOp op, OpOperand *operand) {
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  AffineMap map = op.getMatchingIndexingMap(operand);
  auto lanes = dyn_cast<AffineDimExpr>(out.getResults().back());
  if (!lanes || map.getNumResults() < 2 || map.getResults().back() != lanes) {
    return false;
  }
  bool shared = false;
  for (auto [d, size] : llvm::enumerate(op.getStaticLoopRanges())) {
    bool parallel =
        op.getIteratorTypesArray()[d] == utils::IteratorType::parallel;
    if (!parallel || size == 1 || d == lanes.getPosition()) {
      continue;
    }
    if (mapUsesDim(map, d)) {
      return false;
    }
    shared = true;
  }
  return shared;
}

std::optional<Weights> findWeights(plan::DispatchOp dispatch,
                                   func::FuncOp body) {
  for (auto op : body.getOps<linalg::LinalgOp>()) {
    if (op.getNumReductionLoops() == 0 || op.getNumDpsInits() != 1) {
      continue;
    }
    for (OpOperand *operand : op.getDpsInputOperands()) {
      auto argument = dyn_cast<BlockArgument>(operand->get());
      if (!argument || !argument.hasOneUse() ||
          !dispatch.getOperand(argument.getArgNumber())
               .getDefiningOp<plan::ConstOp>() ||
          blockOf(cast<ShapedType>(argument.getType()).getShape().back()) ==
              0 ||
          !isShared(op, operand)) {
        continue;
      }
      return Weights{op, operand->getOperandNumber(), argument.getArgNumber()};
    }
  }
  return std::nullopt;
}

/// [K.., F] -> [K.., F/B, B] -> [F/B, K.., B], as steps of the recipe.
Value packedConstant(plan::ConstOp constant, int64_t block) {
  OpBuilder b(constant);
  b.setInsertionPointAfter(constant);
  auto copy = cast<plan::ConstOp>(b.clone(*constant));
  auto type = cast<RankedTensorType>(copy.getResult().getType());
  SmallVector<int64_t> split(type.getShape());
  split.back() = llvm::alignTo(split.back(), block);
  if (split != type.getShape()) {
    SmallVector<int64_t> low(split.size(), 0), high(low);
    high.back() = split.back() - type.getShape().back();
    copy.appendStep("pad", RankedTensorType::get(split, type.getElementType()),
                    {b.getNamedAttr("low", b.getDenseI64ArrayAttr(low)),
                     b.getNamedAttr("high", b.getDenseI64ArrayAttr(high))});
  }
  split.back() /= block;
  split.push_back(block);
  copy.appendStep("reshape",
                  RankedTensorType::get(split, type.getElementType()));
  int64_t blocks = type.getRank() - 1;
  SmallVector<int64_t> order = {blocks}, shape = {split[blocks]};
  for (int64_t i = 0; i < type.getRank() + 1; ++i) {
    if (i != blocks) {
      order.push_back(i);
      shape.push_back(split[i]);
    }
  }
  copy.appendStep(
      "transpose", RankedTensorType::get(shape, type.getElementType()),
      {b.getNamedAttr("permutation", b.getDenseI64ArrayAttr(order))});
  return copy.getResult();
}

/// Reads the packed argument: column f is element f mod B of block f div B.
LogicalResult readPacked(func::FuncOp body, Weights weights, Type type,
                         int64_t block) {
  IRRewriter rw(body.getContext());
  rw.setInsertionPoint(weights.op);
  auto generic = dyn_cast<linalg::GenericOp>(weights.op.getOperation());
  if (!generic) {
    FailureOr<linalg::GenericOp> made =
        linalg::generalizeNamedOp(rw, weights.op);
    if (failed(made)) {
      return failure();
    }
    generic = *made;
  }
  SmallVector<AffineMap> maps = generic.getIndexingMapsArray();
  AffineMap &map = maps[weights.operand];
  AffineExpr lanes = map.getResults().back();
  SmallVector<AffineExpr> indices = {lanes.floorDiv(block)};
  llvm::append_range(indices, map.getResults().drop_back());
  indices.push_back(lanes % block);
  map = AffineMap::get(map.getNumDims(), 0, indices, body.getContext());
  generic.setIndexingMapsAttr(rw.getAffineMapArrayAttr(maps));
  body.getArgument(weights.argument).setType(type);
  body.setType(FunctionType::get(body.getContext(),
                                 body.getBody().front().getArgumentTypes(),
                                 body.getResultTypes()));
  return success();
}

} // namespace

LogicalResult packWeights(ModuleOp module) {
  SymbolTable symbols(module);
  for (auto func : module.getOps<plan::FuncOp>()) {
    SmallVector<plan::DispatchOp> dispatches(func.getOps<plan::DispatchOp>());
    for (plan::DispatchOp dispatch : dispatches) {
      auto body = symbols.lookup<func::FuncOp>(dispatch.getCallee());
      std::optional<Weights> weights = findWeights(dispatch, body);
      if (!weights ||
          !llvm::hasSingleElement(*SymbolTable::getSymbolUses(body, module))) {
        continue;
      }
      auto constant =
          dispatch.getOperand(weights->argument).getDefiningOp<plan::ConstOp>();
      int64_t block = blockOf(
          cast<ShapedType>(constant.getResult().getType()).getShape().back());
      Value packed = packedConstant(constant, block);
      if (failed(readPacked(body, *weights, packed.getType(), block))) {
        return failure();
      }
      dispatch->setOperand(weights->argument, packed);
      if (constant->use_empty()) {
        constant->erase();
      }
    }
  }
  return success();
}

} // namespace kiln::cpu
