// SPDX-License-Identifier: Apache-2.0
//
// Cache tiling on tensors: the last computation of a dispatch (its root) is
// tiled and its producers are fused into the tile, so that an epilogue works on
// a tile that the contraction has just left in L1.
#include "compiler/transforms/cpu/cpu_passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/SCF/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace kiln::cpu {
namespace {

/// The largest divisor of `size` in (limit/2, limit], else min(size, limit).
int64_t divisorNear(int64_t size, int64_t limit) {
  if (size <= limit) {
    return size;
  }
  for (int64_t t = limit; t * 2 > limit; --t) {
    if (size % t == 0) {
      return t;
    }
  }
  return limit;
}

/// The op that computes the (only) result, seen through reshapes.
linalg::LinalgOp findRoot(func::FuncOp func) {
  linalg::LinalgOp root;
  func.walk([&](linalg::LinalgOp op) {
    if (!op.getNumLoops()) {
      return;
    }
    root = op; // the last in program order
  });
  return root;
}

/// The only reduction `root` depends on, with an output of root's shape; null
/// when there is none or more than one (softmax would be recomputed).
linalg::LinalgOp findContraction(linalg::LinalgOp root) {
  linalg::LinalgOp found;
  llvm::SmallPtrSet<Operation *, 8> seen;
  SmallVector<Operation *> work = {root};
  while (!work.empty()) {
    Operation *op = work.pop_back_val();
    if (!op || !seen.insert(op).second) {
      continue;
    }
    auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
    if (linalgOp && linalgOp.getNumReductionLoops() > 0) {
      if (found) {
        return {};
      }
      found = linalgOp;
    }
    for (Value v : op->getOperands()) {
      work.push_back(v.getDefiningOp());
    }
  }
  if (!found || found == root ||
      cast<ShapedType>(found->getResult(0).getType()).getShape() !=
          cast<ShapedType>(root->getResult(0).getType()).getShape()) {
    return {};
  }
  return found;
}

/// Tile sizes by position in the output: a few vectors of lanes, a register
/// tile's worth of the unrolled dimension, then whole dimensions from the last
/// on while the tile stays below a third of L1.
SmallVector<int64_t> tileSizes(linalg::LinalgOp contraction,
                               const CpuMachine &machine) {
  AffineMap out =
      contraction.getMatchingIndexingMap(contraction.getDpsInitOperand(0));
  ArrayRef<int64_t> shape =
      cast<ShapedType>(contraction->getResult(0).getType()).getShape();
  SmallVector<int64_t> sizes(shape.size(), 1);
  if (shape.empty()) {
    return sizes;
  }
  int lanesDim = out.getDimPosition(out.getNumResults() - 1);
  int unrollDim = chooseUnrollDim(contraction, lanesDim);
  sizes.back() = std::min<int64_t>(shape.back(), 4 * machine.lanes(4));
  int64_t used = sizes.back();
  int unroll = -1;
  for (unsigned i = 0; i + 1 < shape.size(); ++i) {
    if (static_cast<int>(out.getDimPosition(i)) == unrollDim) {
      unroll = i;
      sizes[i] = divisorNear(shape[i], 16);
      used *= sizes[i];
    }
  }
  int64_t budget = machine.l1DataBytes / 3 / 4;
  for (int i = static_cast<int>(shape.size()) - 1; i >= 0; --i) {
    int64_t rest = std::max<int64_t>(budget / used, 1);
    int64_t limit = std::min(shape[i], rest * sizes[i]);
    int64_t grown = divisorNear(shape[i], limit);
    if (i == static_cast<int>(shape.size()) - 1 && grown != shape[i]) {
      continue; // lanes: whole or whole vectors
    }
    if (grown > sizes[i]) {
      used = used / sizes[i] * grown;
      sizes[i] = grown;
    }
    if (sizes[i] < shape[i] && i != unroll &&
        i != static_cast<int>(shape.size()) - 1) {
      break;
    }
  }
  return sizes;
}

void cleanUp(IRRewriter &rw, func::FuncOp func) {
  RewritePatternSet patterns =
      linalg::getLinalgTilingCanonicalizationPatterns(func.getContext());
  scf::populateSCFForLoopCanonicalizationPatterns(patterns);
  tensor::populateMergeConsecutiveInsertExtractSlicePatterns(patterns);
  (void)applyPatternsGreedily(func, std::move(patterns));
  DominanceInfo dom(func);
  eliminateCommonSubExpressions(rw, dom, func);
}

} // namespace

LogicalResult tileForCache(func::FuncOp func, const CpuMachine &machine) {
  linalg::LinalgOp root = findRoot(func);
  // Without a reduction to fuse there is nothing to keep in the cache.
  linalg::LinalgOp contraction;
  if (!root || root.getNumReductionLoops() > 0 || root.getNumDpsInits() != 1 ||
      !(contraction = findContraction(root))) {
    return success();
  }
  AffineMap out = root.getMatchingIndexingMap(root.getDpsInitOperand(0));
  if (!out.isPermutation() ||
      llvm::any_of(root.getStaticLoopRanges(), ShapedType::isDynamic)) {
    return success();
  }
  IRRewriter rw(func.getContext());
  rw.setInsertionPoint(root);
  scf::SCFTilingOptions tiling;
  SmallVector<int64_t> byPosition = tileSizes(contraction, machine);
  SmallVector<int64_t> ranges = root.getStaticLoopRanges();
  SmallVector<int64_t> sizes(ranges.size(), 0);
  for (auto [i, size] : llvm::enumerate(byPosition)) {
    unsigned d = out.getDimPosition(i);
    sizes[d] = size == ranges[d] ? 0 : size; // 0: not tiled
  }
  tiling.setTileSizes(getAsIndexOpFoldResult(func.getContext(), sizes));
  scf::SCFTileAndFuseOptions options;
  options.setTilingOptions(tiling);
  options.setFusionControlFn(
      [](tensor::ExtractSliceOp, OpResult producer,
         bool) -> std::optional<scf::SCFTileAndFuseOptions::ControlFnResult> {
        // A pad is made once, not per tile.
        if (isa<tensor::PadOp>(producer.getOwner())) {
          return std::nullopt;
        }
        return scf::SCFTileAndFuseOptions::ControlFnResult{};
      });
  FailureOr<scf::SCFTileAndFuseResult> tiled =
      scf::tileConsumerAndFuseProducersUsingSCF(
          rw, cast<TilingInterface>(root.getOperation()), options);
  if (failed(tiled)) {
    return success(); // untiled is slower, never wrong
  }
  for (auto [from, to] : tiled->replacements) {
    rw.replaceAllUsesWith(from, to);
  }
  for (LoopLikeOpInterface loop : llvm::reverse(tiled->loops)) {
    if (auto forOp = dyn_cast<scf::ForOp>(loop.getOperation())) {
      scf::ForOp rest;
      (void)scf::peelForLoopAndSimplifyBounds(rw, forOp, rest);
    }
  }
  cleanUp(rw, func);
  return success();
}

} // namespace kiln::cpu
