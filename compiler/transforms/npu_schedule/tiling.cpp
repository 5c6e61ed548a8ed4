// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu_schedule/tiling.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu_schedule/vector_group.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/LoopInvariantCodeMotionUtils.h"

using namespace mlir;

namespace kiln::npu {

FrozenRewritePatternSet cleanupPatterns(MLIRContext *ctx) {
  RewritePatternSet patterns(ctx);
  scf::populateSCFForLoopCanonicalizationPatterns(patterns);
  tensor::populateMergeConsecutiveInsertExtractSlicePatterns(patterns);
  for (StringRef name : {"tensor", "affine", "scf", "arith", "linalg"}) {
    ctx->getLoadedDialect(name)->getCanonicalizationPatterns(patterns);
  }
  for (RegisteredOperationName op : ctx->getRegisteredOperations()) {
    StringRef ns = op.getDialectNamespace();
    // Those of linalg fold copies and fills, which are what moves a tile.
    if (ns == "tensor" || ns == "affine" || ns == "scf" || ns == "arith") {
      op.getCanonicalizationPatterns(patterns, ctx);
    }
  }
  return FrozenRewritePatternSet(std::move(patterns));
}

Value skipCasts(Value v) {
  while (auto cast = v.getDefiningOp<tensor::CastOp>()) {
    v = cast.getSource();
  }
  return v;
}

ScheduleTools::ScheduleTools(func::FuncOp func,
                             const FrozenRewritePatternSet &cleanup)
    : func_(func), rewriter_(func.getContext()), cleanup_(cleanup) {}

LogicalResult ScheduleTools::cleanup() {
  GreedyRewriteConfig config;
  config.enableFolding();
  if (failed(applyPatternsGreedily(func_, cleanup_, config))) {
    return func_.emitError("cleanup between tiling levels did not converge");
  }
  DominanceInfo dominance(func_);
  eliminateCommonSubExpressions(rewriter_, dominance, func_);
  return success();
}

Operation *ScheduleTools::root() {
  Operation *found = nullptr;
  func_.walk([&](Operation *op) {
    Attribute mark = op->getAttr(kRootAttr);
    auto number = dyn_cast_or_null<IntegerAttr>(mark);
    if (mark && (!number || number.getInt() == rootIndex_)) {
      found = op;
    }
  });
  return found;
}

int64_t ScheduleTools::rootCount() {
  int64_t count = 0;
  func_.walk([&](Operation *op) { count += op->hasAttr(kRootAttr); });
  return count;
}

LogicalResult ScheduleTools::tileAndFuse(Operation *op, ArrayRef<int64_t> sizes,
                                         LoopKind kind,
                                         ArrayRef<int64_t> interchange) {
  if (llvm::all_of(sizes, [](int64_t s) { return s == 0; })) {
    return success();
  }
  scf::SCFTilingOptions tiling;
  tiling.setTileSizes(getAsIndexOpFoldResult(op->getContext(), sizes));
  using LoopType = scf::SCFTilingOptions::LoopType;
  tiling.setLoopType(kind == LoopKind::kBlocks ? LoopType::ForallOp
                                               : LoopType::ForOp);
  if (!interchange.empty()) {
    tiling.setInterchange(interchange);
  }
  scf::SCFTileAndFuseOptions options;
  options.setTilingOptions(tiling).setFusionControlFn(
      [kind](tensor::ExtractSliceOp, OpResult producer, bool)
          -> std::optional<scf::SCFTileAndFuseOptions::ControlFnResult> {
        if (producer.getOwner()->hasAttr(kPlacedAttr) ||
            (kind == LoopKind::kPass && isReduction(producer.getOwner()))) {
          return std::nullopt;
        }
        return scf::SCFTileAndFuseOptions::ControlFnResult{};
      });
  rewriter_.setInsertionPoint(op);
  FailureOr<scf::SCFTileAndFuseResult> result =
      scf::tileConsumerAndFuseProducersUsingSCF(
          rewriter_, cast<TilingInterface>(op), options);
  if (failed(result)) {
    return op->emitError("cannot be tiled");
  }
  for (auto [from, to] : result->replacements) {
    rewriter_.replaceAllUsesWith(from, to);
  }
  if (op->use_empty()) {
    rewriter_.eraseOp(op);
  }
  return success();
}

LogicalResult
ScheduleTools::cutReduction(Operation *op, ArrayRef<int64_t> sizes,
                            llvm::function_ref<bool(Operation *)> goesInside) {
  scf::SCFTilingOptions options;
  options.setTileSizes(getAsIndexOpFoldResult(op->getContext(), sizes));
  rewriter_.setInsertionPoint(op);
  FailureOr<scf::SCFTilingResult> tiled =
      scf::tileUsingSCF(rewriter_, cast<TilingInterface>(op), options);
  if (failed(tiled)) {
    return op->emitError("cannot be cut into passes");
  }
  rewriter_.replaceOp(op, tiled->replacements);
  SmallVector<Operation *> slices(tiled->generatedSlices);
  while (!slices.empty()) {
    auto slice = dyn_cast<tensor::ExtractSliceOp>(slices.pop_back_val());
    Operation *producer =
        slice ? skipCasts(slice.getSource()).getDefiningOp() : nullptr;
    if (!producer || !goesInside(producer)) {
      continue;
    }
    std::optional<scf::SCFFuseProducerOfSliceResult> fused =
        scf::tileAndFuseProducerOfSlice(rewriter_, slice, tiled->loops);
    if (!fused) {
      return producer->emitError("cannot be computed in the passes");
    }
    rewriter_.replaceAllUsesWith(slice, fused->tiledAndFusedProducer);
    slices.append(fused->generatedSlices);
  }
  return cleanup();
}

void ScheduleTools::hoist() {
  func_.walk([](scf::ForOp loop) {
    // What computes stays with its tile: only slices, indices and the moves of
    // a contraction have a level of their own.
    moveLoopInvariantCode(
        {&loop.getRegion()},
        [&](Value v, Region *) { return loop.isDefinedOutsideOfLoop(v); },
        [&](Operation *op, Region *) {
          return isMemoryEffectFree(op) && isSpeculatable(op) &&
                 !llvm::isa<linalg::LinalgOp, PadOp, BlockOp, UnblockOp>(op);
        },
        [&](Operation *op, Region *) { loop.moveOutOfLoop(op); });
  });
}

Value ScheduleTools::place(Location loc, Value like, const TilePlace &place) {
  auto type = cast<RankedTensorType>(like.getType());
  Value tile = AllocTileOp::create(
      rewriter_, loc,
      RankedTensorType::get(place.capacity, type.getElementType()), place.name,
      static_cast<int64_t>(place.space), place.depth);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter_, loc, like);
  size_t rank = sizes.size();
  if (place.capacity.size() > rank) { // one 32-byte block per element
    sizes.push_back(rewriter_.getIndexAttr(1));
  }
  SmallVector<OpFoldResult> zeros(sizes.size(), rewriter_.getIndexAttr(0));
  SmallVector<OpFoldResult> ones(sizes.size(), rewriter_.getIndexAttr(1));
  auto sliceType =
      RankedTensorType::get(type.getShape(), type.getElementType());
  if (sliceType.getShape() == ArrayRef<int64_t>(place.capacity)) {
    return tile;
  }
  return tensor::ExtractSliceOp::create(rewriter_, loc, sliceType, tile, zeros,
                                        sizes, ones);
}

LogicalResult ScheduleTools::copyIn(OpOperand &user, const TilePlace &where) {
  Value source = user.get();
  Operation *def = source.getDefiningOp();
  if (def && llvm::isa<tensor::ExtractSliceOp>(def)) {
    rewriter_.setInsertionPointAfter(def);
  } else {
    Operation *at = user.getOwner();
    while (auto loop = dyn_cast<scf::ForOp>(at->getParentOp())) {
      if (def && loop->isAncestor(def)) {
        break;
      }
      at = loop;
    }
    rewriter_.setInsertionPoint(at);
  }
  Location loc = user.getOwner()->getLoc();
  Value tile = place(loc, source, where);
  auto copy = linalg::CopyOp::create(rewriter_, loc, source, tile);
  copy->setAttr(kPlacedAttr, rewriter_.getUnitAttr());
  rewriter_.modifyOpInPlace(user.getOwner(),
                            [&] { user.set(copy.getResult(0)); });
  return success();
}

} // namespace kiln::npu
