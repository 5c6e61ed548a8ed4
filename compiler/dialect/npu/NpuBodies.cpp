// SPDX-License-Identifier: Apache-2.0
#include "compiler/dialect/npu/NpuBodies.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace kiln::npu {

/// The operation after `op` that is computed.
static Operation *nextComputed(Operation &op) {
  Operation *next = op.getNextNode();
  while (next && llvm::isa<arith::ConstantOp>(next)) {
    next = next->getNextNode();
  }
  return next;
}

bool computesInResult(Operation &inner) {
  Block *body = inner.getBlock();
  Value yielded = body->getTerminator()->getOperand(0);
  bool accumulates = !body->getArguments().back().use_empty();
  return !accumulates && inner.hasOneUse() &&
         inner.getResult(0).getType() == yielded.getType() &&
         *inner.getUsers().begin() == nextComputed(inner) &&
         nextComputed(inner) != body->getTerminator();
}

int64_t temporaryBytes(Block &body) {
  Operation *last = body.getTerminator()->getOperand(0).getDefiningOp();
  int64_t bytes = 0;
  for (Operation &op : body.without_terminator()) {
    int64_t size = op.getResult(0).getType().getIntOrFloatBitWidth() / 8;
    if (llvm::isa<math::AbsFOp>(op)) {
      bytes += size; // its negative
    }
    bool scalar = llvm::isa<arith::ConstantOp>(op) &&
                  llvm::none_of(op.getUsers(), [](Operation *user) {
                    return llvm::isa<arith::SubFOp, arith::DivFOp>(user);
                  });
    if (&op != last && !scalar && !computesInResult(op)) {
      bytes += size;
    }
  }
  return bytes;
}

} // namespace kiln::npu
