// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu/loop_turns.h"

#include "compiler/dialect/npu/NpuOps.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include <numeric>

using namespace mlir;

namespace kiln::npu {

namespace {

/// What the value is computed from, one step back.
SmallVector<Value> sourcesOf(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
    if (!loop) {
      return {};
    }
    if (value == loop.getInductionVar()) {
      return {loop.getLowerBound(), loop.getStep()};
    }
    const unsigned number =
        argument.getArgNumber() - loop.getNumInductionVars();
    return {loop.getInitArgs()[number], loop.getYieldedValues()[number]};
  }
  Operation *op = value.getDefiningOp();
  const unsigned number = cast<OpResult>(value).getResultNumber();
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    return {loop.getInitArgs()[number], loop.getYieldedValues()[number]};
  }
  SmallVector<Value> sources(op->getOperands());
  for (Region &region : op->getRegions()) { // of an if
    for (Block &block : region) {
      sources.append(llvm::to_vector(block.getTerminator()->getOperands()));
    }
  }
  return sources;
}

} // namespace

void LoopTurns::follow(Value value, DenseSet<Value> &found) {
  SmallVector<Value> open = {value};
  while (!open.empty()) {
    Value next = open.pop_back_val();
    if (found.insert(next).second) {
      open.append(sourcesOf(next));
    }
  }
}

LoopTurns::LoopTurns(func::FuncOp kernel) {
  kernel.walk([&](Operation *op) {
    if (auto alloc = dyn_cast<AllocOp>(op)) {
      longest_ = std::lcm(longest_, static_cast<int64_t>(alloc.getDepth()));
      if (alloc.getSlot()) {
        follow(alloc.getSlot(), choosing_);
      }
    } else if (auto set = dyn_cast<SetFlagOp>(op)) {
      follow(set.getId(), choosing_);
    } else if (auto wait = dyn_cast<WaitFlagOp>(op)) {
      follow(wait.getId(), choosing_);
    }
    if (auto branch = dyn_cast<scf::IfOp>(op)) {
      follow(branch.getCondition(), deciding_);
    } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
      for (Value bound :
           {loop.getLowerBound(), loop.getUpperBound(), loop.getStep()}) {
        follow(bound, deciding_);
      }
    }
    if (auto ids = op->getAttrOfType<IntegerAttr>(kManualIdsAttr)) {
      longest_ = std::lcm(longest_, ids.getInt());
    }
  });
}

} // namespace kiln::npu
