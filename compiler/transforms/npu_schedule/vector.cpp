// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu_schedule/vector.h"

#include "compiler/transforms/npu_schedule/vector_group.h"

using namespace mlir;

namespace kiln::npu {

namespace {

/// Loops of a reduction that are cut: their sizes, 0 for the others. On the
/// operation until its passes are made.
constexpr llvm::StringLiteral kPassesAttr = "npu.passes";

/// Cuts reductions into passes over parts of their inputs (see vector.h).
class PassCutter {
public:
  PassCutter(ScheduleTools &tools, func::FuncOp func)
      : tools_(tools), rewriter_(tools.rewriter()), func_(func) {}

  LogicalResult cutReductions() {
    while (Operation *op = next()) {
      SmallVector<int64_t> sizes(
          op->getAttrOfType<DenseI64ArrayAttr>(kPassesAttr).asArrayRef());
      op->removeAttr(kPassesAttr);
      if ((op->hasAttr(kRootAttr) && failed(storeBehind(op))) ||
          failed(cut(op, sizes))) {
        return failure();
      }
    }
    return success();
  }

private:
  Operation *next() {
    Operation *found = nullptr;
    func_.walk([&](Operation *op) {
      bool marked = op->hasAttr(kPassesAttr);
      found = marked ? op : found;
      return marked ? WalkResult::interrupt() : WalkResult::advance();
    });
    return found;
  }

  /// The root accumulates in a tile of its own; a copy after the passes brings
  /// the result to its place and is the root from now on.
  LogicalResult storeBehind(Operation *op) {
    auto dps = cast<DestinationStyleOpInterface>(op);
    auto fill = skipCasts(dps.getDpsInits()[0]).getDefiningOp<linalg::FillOp>();
    if (!fill) {
      return op->emitError("a reduction in several passes starts from a fill");
    }
    Value destination = fill.getOutputs()[0];
    rewriter_.setInsertionPoint(fill);
    Value tile = tensor::EmptyOp::create(
        rewriter_, op->getLoc(),
        tensor::getMixedSizes(rewriter_, op->getLoc(), destination),
        cast<ShapedType>(destination.getType()).getElementType());
    if (tile.getType() != destination.getType()) {
      tile = tensor::CastOp::create(rewriter_, op->getLoc(),
                                    destination.getType(), tile);
    }
    rewriter_.modifyOpInPlace(fill,
                              [&] { fill.getOutputsMutable().assign(tile); });
    rewriter_.setInsertionPointAfter(op);
    auto store = linalg::CopyOp::create(rewriter_, op->getLoc(),
                                        op->getResult(0), destination);
    rewriter_.replaceAllUsesExcept(op->getResult(0), store.getResult(0), store);
    store->setAttr(kRootAttr, op->getAttr(kRootAttr));
    store->setAttr(kPlacedAttr, rewriter_.getUnitAttr());
    op->removeAttr(kRootAttr);
    return success();
  }

  /// What makes its inputs moves inside; other reductions stay before it.
  LogicalResult cut(Operation *op, ArrayRef<int64_t> sizes) {
    return tools_.cutReduction(op, sizes, [](Operation *producer) {
      return isVectorOp(producer) && !isReduction(producer) &&
             !llvm::isa<linalg::FillOp>(producer);
    });
  }

  ScheduleTools &tools_;
  IRRewriter &rewriter_;
  func::FuncOp func_;
};

/// Tells every reduction the sizes of its passes.
void markPasses(const VectorKernel &kernel, const schedule::Level &passes) {
  llvm::MapVector<Operation *, SmallVector<int64_t>> sizes;
  for (const PassLoop &p : kernel.passes) {
    auto &list = sizes[p.op];
    list.resize(cast<linalg::LinalgOp>(p.op).getNumLoops(), 0);
    list[p.loop] = passes.tile[p.shapeLoop];
  }
  for (auto &[op, list] : sizes) {
    if (llvm::any_of(list, [](int64_t size) { return size != 0; })) {
      op->setAttr(kPassesAttr, DenseI64ArrayAttr::get(op->getContext(), list));
    }
  }
}

/// The reductions first, then the loops of the root that waited for them.
LogicalResult cutPasses(const VectorKernel &kernel,
                        const schedule::Level &passes, ScheduleTools &tools) {
  if (failed(PassCutter(tools, kernel.func).cutReductions())) {
    return failure();
  }
  std::vector<int64_t> late(passes.tile.begin(),
                            passes.tile.begin() +
                                static_cast<int64_t>(kernel.shape.rootLoops));
  if (failed(tools.tileAndFuse(tools.root(), late, LoopKind::kPass)) ||
      failed(tools.cleanup())) {
    return failure();
  }
  tools.hoist();
  return success();
}

} // namespace

LogicalResult applyVector(const VectorKernel &kernel,
                          const schedule::Schedule &schedule,
                          ScheduleTools &tools) {
  const schedule::Level *cores = schedule.level("cores");
  const schedule::Level *ub = schedule.level("ub");
  const schedule::Level *passes = schedule.level("passes");
  if (!cores || !ub ||
      (passes && passes->tile.size() != kernel.shape.loops.size())) {
    return kernel.func->emitError(
        "the schedule of a vector kernel needs the levels cores and ub, and "
        "one size per loop in passes");
  }
  if (passes) {
    markPasses(kernel, *passes);
  }
  if (failed(tools.tileAndFuse(tools.root(), cores->tile, LoopKind::kBlocks)) ||
      failed(tools.cleanup()) ||
      failed(tools.tileAndFuse(tools.root(), ub->tile, LoopKind::kLoop)) ||
      failed(tools.cleanup())) {
    return failure();
  }
  tools.hoist();
  if (passes && failed(cutPasses(kernel, *passes, tools))) {
    return failure();
  }
  return success(succeeded(placeVectorOperands(tools, tools.root())) &&
                 succeeded(tools.cleanup()));
}

} // namespace kiln::npu
