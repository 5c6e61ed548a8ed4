// SPDX-License-Identifier: Apache-2.0
#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu_schedule/passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/LoopInvariantCodeMotionUtils.h"

using namespace mlir;

namespace kiln::npu {

namespace {

FrozenRewritePatternSet allCanonicalizations(MLIRContext *context) {
  RewritePatternSet patterns(context);
  for (Dialect *dialect : context->getLoadedDialects()) {
    dialect->getCanonicalizationPatterns(patterns);
  }
  for (RegisteredOperationName op : context->getRegisteredOperations()) {
    if (op.getDialectNamespace() != "linalg") { // copies of tiles stay
      op.getCanonicalizationPatterns(patterns, context);
    }
  }
  return FrozenRewritePatternSet(std::move(patterns));
}

class Bufferize : public PassWrapper<Bufferize, OperationPass<func::FuncOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Bufferize)
  StringRef getArgument() const final { return "npu-bufferize"; }
  StringRef getDescription() const final {
    return "Bufferises a scheduled kernel without copies.";
  }
  void getDependentDialects(DialectRegistry &registry) const final {
    registry.insert<NPUDialect, bufferization::BufferizationDialect,
                    memref::MemRefDialect>();
  }
  LogicalResult initialize(MLIRContext *context) final {
    patterns_ = std::make_shared<FrozenRewritePatternSet>(
        allCanonicalizations(context));
    return success();
  }

  void runOnOperation() final {
    func::FuncOp func = getOperation();
    if (func->hasAttr(kKernelAttr) && failed(run(func))) {
      signalPassFailure();
    }
  }

private:
  LogicalResult simplify(func::FuncOp func) {
    return applyPatternsGreedily(func, *patterns_);
  }
  void eliminateCommon(func::FuncOp func) {
    IRRewriter rewriter(func.getContext());
    DominanceInfo dominance(func);
    eliminateCommonSubExpressions(rewriter, dominance, func);
  }

  LogicalResult run(func::FuncOp func) {
    IRRewriter rewriter(func.getContext());
    if (failed(simplify(func))) {
      return failure();
    }
    eliminateCommon(func);
    if (failed(bufferization::eliminateEmptyTensors(rewriter, func))) {
      return failure();
    }
    bufferization::OneShotBufferizationOptions options;
    bufferization::BufferizationState state;
    if (failed(bufferization::runOneShotBufferize(func, options, state)) ||
        failed(simplify(func))) {
      return failure();
    }
    // Copies of a buffer to itself fold only after the second round.
    eliminateCommon(func);
    if (failed(simplify(func))) {
      return failure();
    }
    func.walk([](LoopLikeOpInterface loop) { moveLoopInvariantCode(loop); });
    eliminateCommon(func);
    return simplify(func);
  }

  std::shared_ptr<FrozenRewritePatternSet> patterns_;
};

class VerifyPlaced
    : public PassWrapper<VerifyPlaced, OperationPass<func::FuncOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(VerifyPlaced)
  StringRef getArgument() const final { return "npu-verify-placed"; }
  StringRef getDescription() const final {
    return "Every buffer of a kernel has a place, every copy was meant.";
  }

  void runOnOperation() final {
    func::FuncOp func = getOperation();
    if (!func->hasAttr(kKernelAttr)) {
      return;
    }
    WalkResult result = func.walk([](Operation *op) -> WalkResult {
      if (llvm::isa<memref::CopyOp>(op)) {
        return op->emitError("a copy that no schedule asked for: two values "
                             "share a buffer or an init was not placed");
      }
      if (llvm::isa<memref::AllocOp>(op)) {
        return op->emitError("a buffer without a memory space: an init was "
                             "not placed");
      }
      for (Type type : op->getResultTypes()) {
        if (llvm::isa<TensorType>(type)) {
          return op->emitError("a tensor is left after bufferisation");
        }
      }
      return WalkResult::advance();
    });
    if (result.wasInterrupted()) {
      signalPassFailure();
    }
  }
};

class Blocks : public PassWrapper<Blocks, OperationPass<func::FuncOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Blocks)
  StringRef getArgument() const final { return "npu-blocks"; }
  StringRef getDescription() const final {
    return "One block of the launch per iteration of scf.forall.";
  }
  void getDependentDialects(DialectRegistry &registry) const final {
    registry.insert<NPUDialect, affine::AffineDialect, arith::ArithDialect>();
  }

  void runOnOperation() final {
    func::FuncOp func = getOperation();
    if (!func->hasAttr(kKernelAttr)) {
      return;
    }
    SmallVector<scf::ForallOp> loops;
    func.walk([&](scf::ForallOp op) { loops.push_back(op); });
    SmallVector<int64_t> counts;
    for (scf::ForallOp loop : loops) {
      counts.push_back(tripCount(loop));
      if (counts.back() < 0) {
        loop.emitError("block loops of a kernel need static extents");
        return signalPassFailure();
      }
    }
    int64_t blocks = 1;
    for (int64_t count : counts) {
      blocks = std::max(blocks, count);
    }
    for (auto [loop, count] : llvm::zip_equal(loops, counts)) {
      lower(loop, count < blocks ? count : 0);
    }
    func->setAttr(kBlockDimAttr,
                  Builder(func.getContext()).getI64IntegerAttr(blocks));
  }

private:
  static SmallVector<int64_t> counts(scf::ForallOp loop) {
    SmallVector<int64_t> counts;
    for (auto [low, high, step] :
         llvm::zip_equal(loop.getMixedLowerBound(), loop.getMixedUpperBound(),
                         loop.getMixedStep())) {
      auto l = getConstantIntValue(low), h = getConstantIntValue(high),
           s = getConstantIntValue(step);
      counts.push_back(l && h && s ? (*h - *l + *s - 1) / *s : -1);
    }
    return counts;
  }

  /// Number of iterations; -1 when it is not known.
  static int64_t tripCount(scf::ForallOp loop) {
    int64_t total = 1;
    for (int64_t count : counts(loop)) {
      total = count < 0 || total < 0 ? -1 : total * count;
    }
    return total;
  }

  /// Replaces the loop by its body for the launch's block; blocks from `limit`
  /// on (0: none) have nothing to do.
  static void lower(scf::ForallOp loop, int64_t limit) {
    IRRewriter rewriter(loop);
    Location loc = loop.getLoc();
    Value block = BlockIndexOp::create(rewriter, loc);
    SmallVector<int64_t> sizes = counts(loop);
    int64_t total = 1;
    SmallVector<Value> ivs(sizes.size());
    AffineExpr d = rewriter.getAffineDimExpr(0);
    for (size_t i = sizes.size(); i-- > 0;) {
      int64_t low = *getConstantIntValue(loop.getMixedLowerBound()[i]);
      int64_t step = *getConstantIntValue(loop.getMixedStep()[i]);
      AffineExpr index = d.floorDiv(total);
      if (i != 0) {
        index = index % sizes[i];
      }
      ivs[i] = affine::AffineApplyOp::create(
          rewriter, loc, AffineMap::get(1, 0, index * step + low), block);
      total *= sizes[i];
    }
    rewriter.eraseOp(loop.getTerminator());
    Operation *before = loop;
    if (limit != 0) {
      Value bound = arith::ConstantIndexOp::create(rewriter, loc, limit);
      Value has = arith::CmpIOp::create(
          rewriter, loc, arith::CmpIPredicate::ult, block, bound);
      auto guard =
          scf::IfOp::create(rewriter, loc, has, /*withElseRegion=*/false);
      before = guard.thenBlock()->getTerminator();
    }
    rewriter.inlineBlockBefore(loop.getBody(), before, ivs);
    rewriter.eraseOp(loop);
  }
};

} // namespace

std::unique_ptr<Pass> createBufferizePass() {
  return std::make_unique<Bufferize>();
}
std::unique_ptr<Pass> createVerifyPlacedPass() {
  return std::make_unique<VerifyPlaced>();
}
std::unique_ptr<Pass> createBlocksPass() { return std::make_unique<Blocks>(); }

/// Writes `result` to the memref `out`; a chain of boxes goes box by box, each
/// straight to its place.
static void materialize(OpBuilder &b, Value result, Value out) {
  Location loc = result.getLoc();
  if (auto insert = result.getDefiningOp<tensor::InsertSliceOp>()) {
    materialize(b, insert.getDest(), out);
    Value box = memref::SubViewOp::create(b, loc, out, insert.getMixedOffsets(),
                                          insert.getMixedSizes(),
                                          insert.getMixedStrides());
    materialize(b, insert.getSource(), box);
    return;
  }
  if (result.getDefiningOp<tensor::EmptyOp>()) {
    return;
  }
  bufferization::MaterializeInDestinationOp::create(
      b, loc, Type(), result, out, /*restrict=*/true, /*writable=*/true);
}

LogicalResult toKernelForm(func::FuncOp func) {
  OpBuilder b(func.getBody());
  Location loc = func.getLoc();
  Block &entry = func.getBody().front();
  auto bufferType = [](Type type) -> Type {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor ? MemRefType::get(tensor.getShape(), tensor.getElementType())
                  : type;
  };
  SmallVector<Type> inputs;
  for (BlockArgument arg : entry.getArguments()) {
    Type type = arg.getType();
    inputs.push_back(bufferType(type));
    if (inputs.back() == type) {
      continue;
    }
    arg.setType(inputs.back());
    auto tensor = bufferization::ToTensorOp::create(b, loc, type, arg,
                                                    /*restrict=*/true);
    arg.replaceAllUsesExcept(tensor, tensor);
  }
  auto ret = cast<func::ReturnOp>(entry.getTerminator());
  b.setInsertionPoint(ret);
  for (Value result : ret.getOperands()) {
    inputs.push_back(bufferType(result.getType()));
    Value out = entry.addArgument(inputs.back(), loc);
    // A reshape between the tiles and their destination would cost a copy:
    // reshape the destination instead.
    while (auto expand = result.getDefiningOp<tensor::ExpandShapeOp>()) {
      out = memref::CollapseShapeOp::create(b, loc, out,
                                            expand.getReassociationIndices());
      result = expand.getSrc();
    }
    materialize(b, result, out);
  }
  ret->setOperands({});
  func.setFunctionType(b.getFunctionType(inputs, {}));
  func.removeArgAttrsAttr();
  func.setAllResultAttrs(ArrayRef<Attribute>());
  func->setAttr(kKernelAttr, b.getUnitAttr());
  return success();
}

} // namespace kiln::npu
