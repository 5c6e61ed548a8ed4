// SPDX-License-Identifier: Apache-2.0
#include "compiler/conversion/linalg_to_npu/linalg_to_npu.h"

#include "compiler/conversion/linalg_to_npu/emit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/LoopInvariantCodeMotionUtils.h"

using namespace mlir;

namespace kiln::npu {

namespace {

isa::Space spaceOfValue(Value v) {
  return spaceOf(v.getType()).value_or(isa::Space::GM);
}

bool inL0C(Value v) { return spaceOfValue(v) == isa::Space::L0C; }

LogicalResult emitLinalg(IndexMath &m, linalg::LinalgOp op) {
  Value out = op.getDpsInits()[0];
  if (auto copy = dyn_cast<linalg::CopyOp>(op.getOperation())) {
    bool gm = spaceOfValue(copy.getInputs()[0]) == isa::Space::GM ||
              spaceOfValue(out) == isa::Space::GM;
    if (gm) {
      return emitCopy(m, copy);
    }
  }
  if (auto matmul = dyn_cast<linalg::MatmulOp>(op.getOperation())) {
    return emitMatmul(m, matmul);
  }
  if (inL0C(out)) {
    return success(); // the mode of the first mmad
  }
  if (auto generic = dyn_cast<linalg::GenericOp>(op.getOperation())) {
    if (inL0C(generic.getInputs().empty() ? out : generic.getInputs()[0])) {
      return emitFix(m, generic);
    }
  }
  return emitVector(m, op);
}

LogicalResult emit(IndexMath &m, Operation *op) {
  if (auto im2col = dyn_cast<Im2colOp>(op)) {
    return emitIm2col(m, im2col);
  }
  if (auto unpack = dyn_cast<UnpackOp>(op)) {
    return emitUnpack(m, unpack);
  }
  if (auto pack = dyn_cast<PackOp>(op)) {
    return emitPack(m, pack);
  }
  if (auto pad = dyn_cast<PadOp>(op)) {
    return emitPad(m, pad);
  }
  if (auto block = dyn_cast<BlockOp>(op)) {
    return emitBlock(m, block);
  }
  if (auto unblock = dyn_cast<UnblockOp>(op)) {
    return emitUnblock(m, unblock);
  }
  return emitLinalg(m, cast<linalg::LinalgOp>(op));
}

bool becomesCommands(Operation *op) {
  return llvm::isa<linalg::LinalgOp, Im2colOp, UnpackOp, PackOp, PadOp, BlockOp,
                   UnblockOp>(op);
}

class LinalgToNpu
    : public PassWrapper<LinalgToNpu, OperationPass<func::FuncOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LinalgToNpu)
  StringRef getArgument() const final { return "linalg-to-npu"; }
  StringRef getDescription() const final {
    return "Turns placed memref operations into commands of the pipes.";
  }
  void getDependentDialects(DialectRegistry &registry) const final {
    registry.insert<NPUDialect, affine::AffineDialect, arith::ArithDialect,
                    scf::SCFDialect, memref::MemRefDialect>();
  }
  LogicalResult initialize(MLIRContext *context) final {
    RewritePatternSet patterns(context);
    for (StringRef name : {"affine", "arith", "memref", "scf"}) {
      if (Dialect *dialect = context->getLoadedDialect(name)) {
        dialect->getCanonicalizationPatterns(patterns);
      }
      for (RegisteredOperationName op : context->getRegisteredOperations()) {
        if (op.getDialectNamespace() == name) {
          op.getCanonicalizationPatterns(patterns, context);
        }
      }
    }
    patterns_ = std::make_shared<FrozenRewritePatternSet>(std::move(patterns));
    return success();
  }

  void runOnOperation() final {
    func::FuncOp func = getOperation();
    if (!func->hasAttr(kKernelAttr)) {
      return;
    }
    SmallVector<Operation *> ops;
    func.walk([&](Operation *op) {
      if (becomesCommands(op)) {
        ops.push_back(op);
      }
    });
    for (Operation *op : ops) {
      OpBuilder b(op);
      IndexMath m{b, op->getLoc()};
      if (failed(emit(m, op))) {
        return signalPassFailure();
      }
    }
    for (Operation *op : ops) {
      op->erase();
    }
    eraseUnusedBuffers(func);
    if (failed(simplify(func))) {
      return signalPassFailure();
    }
  }

private:
  static void eraseUnusedBuffers(func::FuncOp func) {
    for (bool changed = true; changed;) {
      changed = false;
      func.walk([&](Operation *op) {
        if (llvm::isa<AllocOp, memref::SubViewOp, memref::CastOp,
                      memref::ExpandShapeOp, memref::CollapseShapeOp,
                      memref::DimOp>(op) &&
            op->use_empty()) {
          op->erase();
          changed = true;
        }
      });
    }
  }

  LogicalResult simplify(func::FuncOp func) {
    IRRewriter rewriter(func.getContext());
    if (failed(applyPatternsGreedily(func, *patterns_))) {
      return failure();
    }
    func.walk([](LoopLikeOpInterface loop) { moveLoopInvariantCode(loop); });
    DominanceInfo dominance(func);
    eliminateCommonSubExpressions(rewriter, dominance, func);
    return applyPatternsGreedily(func, *patterns_);
  }

  std::shared_ptr<FrozenRewritePatternSet> patterns_;
};

} // namespace

std::unique_ptr<Pass> createLinalgToNpuPass() {
  return std::make_unique<LinalgToNpu>();
}

} // namespace kiln::npu
