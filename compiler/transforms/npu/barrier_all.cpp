// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu/barrier_all.h"

#include "compiler/dialect/npu/NpuOps.h"

using namespace mlir;

namespace kiln::npu {

namespace {

class BarrierAllPass
    : public PassWrapper<BarrierAllPass, OperationPass<func::FuncOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(BarrierAllPass)
  StringRef getArgument() const override { return "npu-barrier-all"; }
  StringRef getDescription() const override {
    return "a barrier after every command";
  }
  void runOnOperation() override { insertBarriers(getOperation()); }
};

} // namespace

void insertBarriers(func::FuncOp kernel) {
  SmallVector<PipeOpInterface> commands;
  kernel.walk([&](PipeOpInterface op) { commands.push_back(op); });
  OpBuilder builder(kernel.getContext());
  for (PipeOpInterface op : commands) {
    builder.setInsertionPointAfter(op);
    BarrierOp::create(builder, op.getLoc());
  }
}

std::unique_ptr<Pass> createBarrierAllPass() {
  return std::make_unique<BarrierAllPass>();
}

} // namespace kiln::npu
