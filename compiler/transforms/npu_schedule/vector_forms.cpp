// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu_schedule/vector_forms.h"

#include "compiler/transforms/npu_schedule/tiling.h"
#include "compiler/transforms/npu_schedule/vector_group.h"

using namespace mlir;

namespace kiln::npu {

/// The loop is the innermost dimension of the map, alone, or not in it.
static bool runsAlong(AffineMap map, unsigned loop) {
  for (unsigned i = 0; i < map.getNumResults(); ++i) {
    AffineExpr expr = map.getResult(i);
    if (!expr.isFunctionOfDim(loop)) {
      continue;
    }
    if (i + 1 != map.getNumResults() || !llvm::isa<AffineDimExpr>(expr)) {
      return false;
    }
  }
  return true;
}

int64_t columnLoop(linalg::LinalgOp op) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  for (int64_t loop = op.getNumLoops() - 1; loop >= 0; --loop) {
    bool used = llvm::any_of(
        maps, [&](AffineMap m) { return m.isFunctionOfDim(loop); });
    bool inAll =
        llvm::all_of(maps, [&](AffineMap m) { return runsAlong(m, loop); });
    if (used && inAll) {
      // A reduction over columns and columns of the result exclude each other;
      // a parallel loop that the result lacks cannot exist.
      return loop;
    }
  }
  return -1;
}

static bool lacksColumns(AffineMap map, int64_t loop, ShapedType type) {
  if (map.isFunctionOfDim(loop)) {
    return false;
  }
  // A trailing dimension of one element is its own block when packed.
  return type.getRank() != 0 && type.getShape().back() != 1;
}

/// A slice in GM that skips elements of its innermost dimension: DMA brings
/// such elements one block each.
static bool skipsElements(Value v) {
  while (Operation *def = v.getDefiningOp()) {
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(def)) {
      ArrayRef<int64_t> strides = slice.getStaticStrides();
      if (!strides.empty() && strides.back() != 1) {
        return true;
      }
    } else if (!llvm::isa<tensor::CastOp, tensor::CollapseShapeOp,
                          tensor::ExpandShapeOp>(def)) {
      return false;
    }
    v = def->getOperand(0);
  }
  return false;
}

/// The tile behind an operand; of an init that of the result, because the
/// init itself may be an empty tensor that others share.
static Value tileOfOperand(OpOperand &operand) {
  auto dps = dyn_cast<DestinationStyleOpInterface>(operand.getOwner());
  bool isInit = dps && dps.isDpsInit(&operand);
  return tileOf(isInit ? Value(dps.getTiedOpResult(&operand)) : operand.get());
}

VectorForms::VectorForms(ArrayRef<Operation *> ops) {
  for (Operation *op : ops) {
    auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
    bool fix = op->hasAttr(kFixAttr); // FIX writes any strides, reads L0C
    int64_t columns = linalgOp && !fix ? columnLoop(linalgOp) : 0;
    if (columns < 0) {
      allElements_ = true;
      return;
    }
    for (OpOperand &operand : op->getOpOperands()) {
      auto type = dyn_cast<ShapedType>(operand.get().getType());
      if (!type) {
        continue;
      }
      if (skipsElements(operand.get())) {
        allElements_ = true;
        return;
      }
      bool element = linalgOp && !fix &&
                     lacksColumns(linalgOp.getMatchingIndexingMap(&operand),
                                  columns, type);
      if (llvm::isa<linalg::FillOp>(op)) {
        continue; // follows the readers of its result
      }
      auto [at, inserted] =
          elementForm_.try_emplace(tileOfOperand(operand), element);
      if (!inserted && at->second != element) {
        allElements_ = true;
        return;
      }
    }
  }
}

bool VectorForms::isElementForm(OpOperand &operand) const {
  if (allElements_) {
    return true;
  }
  auto at = elementForm_.find(tileOfOperand(operand));
  return at != elementForm_.end() && at->second;
}

} // namespace kiln::npu
