// SPDX-License-Identifier: Apache-2.0
//
// What both kernel families share when a Schedule is applied: one frozen
// pattern set that cleans up between the levels, tile-and-fuse with the fusion
// rule "never through a placed value", and placement of a tile in local memory.
//
//   ScheduleTools tools(func, patterns);
//   tools.tileAndFuse(root, sizes, LoopKind::kBlocks, {});
//   tools.cleanup();
#pragma once

#include "isa/codec/machine_types.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

#include <string>

namespace kiln::npu {

/// Discardable attribute of the operation that tiling starts from: the last one
/// of a dispatch, whose result goes to GM. A dispatch that copies several boxes
/// has several roots, numbered 0, 1, .. by an i64; otherwise a unit attribute.
constexpr llvm::StringLiteral kRootAttr = "npu.root";
/// Unit attribute of the generic that moves the accumulator out when V goes on
/// with it; without it the root itself is what FIX does.
constexpr llvm::StringLiteral kFixAttr = "npu.fix";
/// Marks a value that already lives in local memory; tiling stops there.
constexpr llvm::StringLiteral kPlacedAttr = "npu.placed";

/// kPass: a loop after reductions, which are not pulled into it.
enum class LoopKind { kBlocks, kLoop, kPass };

/// Static capacity, name, space and depth of a tile's place.
struct TilePlace {
  std::string name;
  isa::Space space;
  int64_t depth = 1;
  llvm::SmallVector<int64_t> capacity;
};

class ScheduleTools {
public:
  ScheduleTools(mlir::func::FuncOp func,
                const mlir::FrozenRewritePatternSet &cleanup);

  /// Canonical form between levels; erases untiled producers.
  mlir::LogicalResult cleanup();

  /// The operation with kRootAttr (of the current number); null: there is none.
  mlir::Operation *root();
  /// Number of roots, and which of them root() means.
  int64_t rootCount();
  void selectRoot(int64_t index) { rootIndex_ = index; }

  /// Cuts `op` and pulls its producers into the loops. Sizes of 0 do not cut.
  mlir::LogicalResult tileAndFuse(mlir::Operation *op,
                                  llvm::ArrayRef<int64_t> sizes, LoopKind kind,
                                  llvm::ArrayRef<int64_t> interchange = {});

  /// Cuts a reduction, whose result and fill stay before the loops; the
  /// producers of its inputs that `goesInside` accepts move into them.
  mlir::LogicalResult
  cutReduction(mlir::Operation *op, llvm::ArrayRef<int64_t> sizes,
               llvm::function_ref<bool(mlir::Operation *)> goesInside);

  /// Moves loop-invariant operations out of scf.for (never out of scf.forall):
  /// a slice moves to the level of its copy.
  void hoist();

  /// A slice [0..][sizes of `like`] of a new tile; `like` is a tensor value.
  mlir::Value place(mlir::Location loc, mlir::Value like,
                    const TilePlace &place);

  /// Copies `source` (a tile in GM) to a new tile right after its definition
  /// (or, defined outside, before the outermost loop around `user` in the
  /// block body) and lets `user` read the copy.
  mlir::LogicalResult copyIn(mlir::OpOperand &user, const TilePlace &place);

  mlir::IRRewriter &rewriter() { return rewriter_; }

private:
  mlir::func::FuncOp func_;
  mlir::IRRewriter rewriter_;
  const mlir::FrozenRewritePatternSet &cleanup_;
  int64_t rootIndex_ = 0;
};

/// The patterns of cleanup(): a pass builds them once for all its functions.
mlir::FrozenRewritePatternSet cleanupPatterns(mlir::MLIRContext *ctx);

/// `v` without the tensor.cast operations around it.
mlir::Value skipCasts(mlir::Value v);

} // namespace kiln::npu
