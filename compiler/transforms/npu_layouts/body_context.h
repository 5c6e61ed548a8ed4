// SPDX-License-Identifier: Apache-2.0
//
// What the body builders of the dispatch kinds share. Internal to this folder.
#pragma once

#include "compiler/transforms/npu_layouts/body_builder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

namespace kiln::npu {

/// Part of a row of the result: columns [start, start + count) of `row`.
struct RowPart {
  mlir::Value row;
  mlir::OpFoldResult start;
  int64_t count;
};

struct BodyContext {
  BodyContext(mlir::func::FuncOp logical, mlir::func::FuncOp physical,
              mlir::Operation *root)
      : logical(logical), physical(physical), root(root),
        b(mlir::OpBuilder::atBlockEnd(&physical.getBody().front())),
        loc(root ? root->getLoc() : logical.getLoc()) {}

  /// The physical argument for a logical argument (or the pad of one).
  mlir::Value arg(mlir::Value v) const {
    if (auto pad = v.getDefiningOp<mlir::tensor::PadOp>()) {
      v = pad.getSource();
    }
    return mlir::func::FuncOp(physical).getArgument(
        mlir::cast<mlir::BlockArgument>(v).getArgNumber());
  }
  mlir::Value empty(llvm::ArrayRef<int64_t> shape, mlir::Type element) {
    return mlir::tensor::EmptyOp::create(b, loc, shape, element);
  }
  mlir::Value filled(llvm::ArrayRef<int64_t> shape, mlir::Type element,
                     double value);
  mlir::Value index(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(b, loc, value);
  }
  void finish(mlir::Value result) {
    mlir::func::ReturnOp::create(b, loc, result);
  }

  /// [C1, H, W, C0] of image `n` of [C1, N, H, W, C0]; `n` null when N is 1.
  mlir::Value imageOf(mlir::Value x, mlir::Value n);
  /// [C1, H*W, C0] of an image, or [C1, count, C0] of its `part`.
  mlir::Value pixelsOf(mlir::Value x, mlir::Value n);
  /// [H*W] of a plane [H, W], or [count] of its `part`.
  mlir::Value planeOf(mlir::Value x);
  /// Calls `tile` for every image of the result of type `out` ([C1, N, H, W,
  /// C0]); it returns [C1, pixels.., C0] with 0 (one pixel), 1 (H*W) or 2 (H,
  /// W) pixel dimensions.
  mlir::Value forEachImage(mlir::RankedTensorType out, unsigned pixelDims,
                           llvm::function_ref<mlir::Value(mlir::Value n)> tile);

  mlir::func::FuncOp logical, physical;
  mlir::Operation *root;
  mlir::OpBuilder b;
  mlir::Location loc;
  int64_t strip = 0;           // width of the parts of a row; 0: whole rows
  std::optional<RowPart> part; // the one that is built
};

/// An input of the root generic that is built: the value and its map.
struct MappedInput {
  mlir::Value value;
  mlir::AffineMap map;
};

/// A generic marked as the root of the kernel, with the body of `old`. `input`
/// gives the physical input for an operand of `old`, a null value to drop it.
/// Body arguments of narrower inputs are extended. `e.biasAdd` is left out.
mlir::Value
rootGeneric(BodyContext &c, const Epilogue &e, mlir::Value init,
            mlir::AffineMap initMap,
            llvm::function_ref<MappedInput(mlir::OpOperand &)> input);

/// The same with an empty body: the input, rounded to the type of `init`.
mlir::Value convertGeneric(BodyContext &c, MappedInput input, mlir::Value init,
                           mlir::AffineMap initMap, bool isRoot);

/// The root on blocks: loops (n1, pixels.., c0), like its result.
mlir::Value blockedRoot(BodyContext &c, const Epilogue &e, mlir::Value value,
                        mlir::RankedTensorType out, mlir::Value n,
                        unsigned pixelDims);

/// Reassociation groups from lists.
llvm::SmallVector<mlir::ReassociationIndices>
groupsOf(std::initializer_list<std::initializer_list<int64_t>> lists);

mlir::LogicalResult buildConv(BodyContext &c);
mlir::LogicalResult buildWindow(BodyContext &c);
mlir::LogicalResult buildMatmul(BodyContext &c);
mlir::LogicalResult buildBlockedElementwise(BodyContext &c);
mlir::LogicalResult buildPlain(BodyContext &c);

/// [N, C, H, W] -> [C1, N, H, W, C0], or [.., K, N] -> [.., K1, N, C0].
mlir::LogicalResult buildBlockBody(mlir::func::FuncOp f);
/// [C1, N, H, W, C0] -> [N, C, H, W].
mlir::LogicalResult buildUnblockBody(mlir::func::FuncOp f);

} // namespace kiln::npu
