// SPDX-License-Identifier: Apache-2.0
//
// Gives the values of a vector group their tiles in UB.
#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu_schedule/vector.h"
#include "compiler/transforms/npu_schedule/vector_forms.h"
#include "compiler/transforms/npu_schedule/vector_group.h"

#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;

namespace kiln::npu {

using isa::Space;

namespace {

/// The static capacity of a tile, padded for its form.
FailureOr<SmallVector<int64_t>> capacityOf(Value v, bool elementForm) {
  auto type = cast<RankedTensorType>(v.getType());
  SmallVector<int64_t> shape;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    if (!type.isDynamicDim(i)) {
      shape.push_back(type.getDimSize(i));
      continue;
    }
    FailureOr<int64_t> bound = ValueBoundsConstraintSet::computeConstantBound(
        presburger::BoundType::UB, {v, i}, nullptr, /*closedUB=*/true);
    if (failed(bound)) {
      return failure();
    }
    shape.push_back(*bound);
  }
  int64_t block = isa::kBlockBytes / elementBytes(v);
  if (elementForm) {
    shape.push_back(block);
  } else if (!shape.empty()) {
    shape.back() = (shape.back() + block - 1) / block * block;
  }
  return shape;
}

class Placer {
public:
  Placer(ScheduleTools &tools, Operation *root)
      : tools_(tools), rewriter_(tools.rewriter()), root_(root),
        ops_(producersOf(root)), forms_(ops_) {}

  LogicalResult run() {
    for (Operation *op : ops_) {
      if (failed(placeInputs(op)) || failed(placeInit(op))) {
        return failure();
      }
    }
    for (Operation *op : ops_) {
      op->setAttr(kPlacedAttr, rewriter_.getUnitAttr());
    }
    return success();
  }

private:
  FailureOr<TilePlace> placeOf(OpOperand &operand, StringRef name,
                               int64_t depth) {
    FailureOr<SmallVector<int64_t>> capacity =
        capacityOf(operand.get(), forms_.isElementForm(operand));
    if (failed(capacity)) {
      return operand.getOwner()->emitError("tile without a static bound");
    }
    return TilePlace{name.str(), Space::UB, depth, *capacity};
  }

  /// (A part of) an empty tensor.
  static bool isShapeOnly(Value v) {
    v = skipCasts(v);
    while (auto slice = v.getDefiningOp<tensor::ExtractSliceOp>()) {
      v = skipCasts(slice.getSource());
    }
    return v.getDefiningOp<tensor::EmptyOp>() != nullptr;
  }

  LogicalResult placeInputs(Operation *op) {
    auto dps = cast<DestinationStyleOpInterface>(op);
    if (llvm::isa<PadOp>(op)) {
      return success(); // reads GM itself
    }
    for (OpOperand *input : dps.getDpsInputOperands()) {
      if (!llvm::isa<RankedTensorType>(input->get().getType())) {
        continue;
      }
      if (isShapeOnly(input->get())) {
        FailureOr<TilePlace> window = placeOf(*input, "window", 1);
        if (failed(window)) {
          return failure();
        }
        placeWindow(*input, *window);
        continue;
      }
      if (comesFromGm(input->get()) && failed(placeInput(*input))) {
        return failure();
      }
    }
    return success();
  }

  /// One copy serves all readers of a slice.
  LogicalResult placeInput(OpOperand &input) {
    auto key = std::pair(input.get(), int{forms_.isElementForm(input)});
    auto known = copies_.find(key);
    if (known != copies_.end() &&
        known->second.getParentBlock()->findAncestorOpInBlock(
            *input.getOwner())) {
      rewriter_.modifyOpInPlace(input.getOwner(),
                                [&] { input.set(known->second); });
      return success();
    }
    FailureOr<TilePlace> place = placeOf(input, "in", 2);
    if (failed(place) || failed(tools_.copyIn(input, *place))) {
      return failure();
    }
    copies_[key] = input.get();
    return success();
  }

  /// Names the window's shape, is never read.
  void placeWindow(OpOperand &input, const TilePlace &place) {
    rewriter_.setInsertionPoint(input.getOwner());
    Value window = tools_.place(input.getOwner()->getLoc(), input.get(), place);
    rewriter_.modifyOpInPlace(input.getOwner(), [&] { input.set(window); });
  }

  LogicalResult placeInit(Operation *op) {
    auto dps = cast<DestinationStyleOpInterface>(op);
    OpOperand &init = *dps.getDpsInitOperand(0);
    Value destination = init.get();
    if (llvm::isa<linalg::FillOp>(op)) {
      fillDestination_[op] = destination;
    }
    bool shares = !llvm::isa<linalg::FillOp>(op) &&
                  tileOf(dps.getTiedOpResult(&init)) != op->getResult(0);
    if (!shares) {
      FailureOr<TilePlace> place = placeOf(init, op == root_ ? "out" : "tmp",
                                           tileDepth(op, op == root_));
      if (failed(place)) {
        return failure();
      }
      rewriter_.setInsertionPoint(op);
      Value tile = tools_.place(op->getLoc(), destination, *place);
      rewriter_.modifyOpInPlace(op, [&] { init.set(tile); });
      if (tile.getType() != op->getResult(0).getType()) {
        rewriter_.modifyOpInPlace(
            op, [&] { op->getResult(0).setType(tile.getType()); });
      }
    }
    if (op == root_) {
      storeResult(destination);
    }
    return success();
  }

  /// GM gets the result by one copy at the end.
  void storeResult(Value destination) {
    // A filled root accumulates in the fill's tile; the slice is its init.
    if (auto fill = skipCasts(destination).getDefiningOp<linalg::FillOp>()) {
      destination = fillDestination_.lookup(fill);
    }
    rewriter_.setInsertionPointAfter(root_);
    auto copy = linalg::CopyOp::create(rewriter_, root_->getLoc(),
                                       root_->getResult(0), destination);
    copy->setAttr(kPlacedAttr, rewriter_.getUnitAttr());
    rewriter_.replaceAllUsesExcept(root_->getResult(0), copy.getResult(0),
                                   copy);
  }

  ScheduleTools &tools_;
  IRRewriter &rewriter_;
  Operation *root_;
  SmallVector<Operation *> ops_;
  VectorForms forms_;
  llvm::DenseMap<Operation *, Value> fillDestination_;
  llvm::DenseMap<std::pair<Value, int>, Value> copies_;
};

} // namespace

LogicalResult placeVectorOperands(ScheduleTools &tools, Operation *root) {
  return Placer(tools, root).run();
}

} // namespace kiln::npu
