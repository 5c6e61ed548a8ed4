// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu_schedule/vector_group.h"

#include "compiler/dialect/npu/NpuOps.h"
#include "compiler/transforms/npu_schedule/tiling.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

using namespace mlir;

namespace kiln::npu {

int64_t elementBytes(Value v) {
  return cast<ShapedType>(v.getType()).getElementTypeBitWidth() / 8;
}

bool isVectorOp(Operation *op) {
  return llvm::isa<linalg::LinalgOp, PadOp, BlockOp, UnblockOp>(op) &&
         !op->hasAttr(kPlacedAttr) && !llvm::isa<linalg::MatmulOp>(op);
}

int64_t tileDepth(Operation *op, bool isRoot) {
  return isRoot || op->hasAttr(kFixAttr) || llvm::isa<PadOp>(op) ? 2 : 1;
}

bool isReduction(Operation *op) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  return linalgOp && linalgOp.getNumReductionLoops() != 0;
}

bool comesFromGm(Value v) {
  while (Operation *def = v.getDefiningOp()) {
    if (llvm::isa<bufferization::ToTensorOp>(def)) {
      return true;
    }
    if (!llvm::isa<tensor::ExtractSliceOp, tensor::ExpandShapeOp,
                   tensor::CollapseShapeOp, tensor::CastOp>(def)) {
      return false;
    }
    v = def->getOperand(0);
  }
  return false;
}

/// What `v` may hold besides what an operation computes: the values it passes
/// through on its way.
static SmallVector<Value> sourcesOf(Value v) {
  if (auto arg = dyn_cast<BlockArgument>(v)) {
    auto loop = dyn_cast<scf::ForOp>(arg.getOwner()->getParentOp());
    OpOperand *init = loop ? loop.getTiedLoopInit(arg) : nullptr;
    return init ? SmallVector<Value>{init->get()} : SmallVector<Value>{};
  }
  Operation *def = v.getDefiningOp();
  if (auto loop = dyn_cast<scf::ForOp>(def)) {
    unsigned i = cast<OpResult>(v).getResultNumber();
    return {loop.getInitArgs()[i], loop.getYieldedValues()[i]};
  }
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(def)) {
    return {insert.getSource(), insert.getDest()};
  }
  if (llvm::isa<tensor::ExtractSliceOp, tensor::CastOp>(def)) {
    return {def->getOperand(0)};
  }
  return {};
}

SmallVector<Operation *> producersOf(Operation *root) {
  llvm::SetVector<Value> seen;
  llvm::DenseSet<Operation *> needed{root};
  seen.insert(root->operand_begin(), root->operand_end());
  for (size_t i = 0; i < seen.size(); ++i) {
    Value v = seen[i];
    Operation *def = v.getDefiningOp();
    if (def && isVectorOp(def)) {
      if (!def->hasAttr(kRootAttr) && needed.insert(def).second) {
        seen.insert(def->operand_begin(), def->operand_end());
      }
      continue;
    }
    for (Value source : sourcesOf(v)) {
      seen.insert(source);
    }
  }
  SmallVector<Operation *> ops;
  root->getParentOfType<func::FuncOp>().walk([&](Operation *op) {
    if (op != root && needed.contains(op)) {
      ops.push_back(op);
    }
  });
  if (isVectorOp(root)) {
    ops.push_back(root);
  }
  return ops;
}

Value tileOf(Value v) {
  while (true) {
    if (auto dps = v.getDefiningOp<DestinationStyleOpInterface>()) {
      auto result = cast<OpResult>(v);
      if (!isVectorOp(dps) && !dps->hasAttr(kPlacedAttr)) {
        return v;
      }
      Value init = tileOf(dps.getTiedOpOperand(result)->get());
      return init.getDefiningOp<linalg::FillOp>() ? init : v;
    }
    if (auto loop = v.getDefiningOp<scf::ForOp>()) {
      v = loop.getInitArgs()[cast<OpResult>(v).getResultNumber()];
      continue;
    }
    if (auto slice = v.getDefiningOp<tensor::ExtractSliceOp>()) {
      Value whole = tileOf(slice.getSource());
      Operation *def = whole.getDefiningOp();
      bool local = def && llvm::isa<DestinationStyleOpInterface>(def);
      return local ? whole : v;
    }
    SmallVector<Value> sources = sourcesOf(v);
    if (sources.size() != 1) {
      return v;
    }
    v = sources.front();
  }
}

} // namespace kiln::npu
