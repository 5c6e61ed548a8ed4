// SPDX-License-Identifier: Apache-2.0
#include "compiler/dialect/npu/NpuMoveOps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace kiln::npu {

void moveEffects(
    OpOperand &source, OpOperand &init,
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  if (llvm::isa<MemRefType>(source.get().getType())) {
    effects.emplace_back(MemoryEffects::Read::get(), &source);
  }
  if (llvm::isa<MemRefType>(init.get().getType())) {
    effects.emplace_back(MemoryEffects::Write::get(), &init);
  }
}

Speculation::Speculatability moveSpeculatability(Operation *op) {
  return op->getNumResults() != 0 ? Speculation::Speculatable
                                  : Speculation::NotSpeculatable;
}

static SmallVector<OpFoldResult> sizesOf(OpBuilder &b, Location loc, Value v) {
  return llvm::isa<MemRefType>(v.getType()) ? memref::getMixedSizes(b, loc, v)
                                      : tensor::getMixedSizes(b, loc, v);
}

LogicalResult moveShapes(OpBuilder &b, Location loc, Value init,
                         ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(sizesOf(b, loc, init));
  return success();
}

bufferization::AliasingValueList moveAliases(Operation *op,
                                             OpOperand &operand) {
  auto move = cast<DestinationStyleOpInterface>(op);
  if (!move.isDpsInit(&operand) || op->getNumResults() == 0) {
    return {};
  }
  return {{op->getResult(0), bufferization::BufferRelation::Equivalent}};
}

LogicalResult moveBufferize(Operation *op, RewriterBase &rewriter,
                            const bufferization::BufferizationOptions &options,
                            bufferization::BufferizationState &state) {
  if (op->getNumResults() == 0) {
    return success();
  }
  SmallVector<Value> operands(op->getOperands());
  for (Value &operand : operands) {
    if (!llvm::isa<TensorType>(operand.getType())) {
      continue;
    }
    FailureOr<Value> buffer =
        bufferization::getBuffer(rewriter, operand, options, state);
    if (failed(buffer)) {
      return failure();
    }
    operand = *buffer;
  }
  Value init = operands[1];
  OperationState copy(op->getLoc(), op->getName(), operands, TypeRange{},
                      op->getAttrs());
  rewriter.create(copy);
  bufferization::replaceOpWithBufferizedValues(rewriter, op, init);
  return success();
}

SmallVector<utils::IteratorType> moveLoops(Value init) {
  return SmallVector<utils::IteratorType>(
      cast<ShapedType>(init.getType()).getRank(),
      utils::IteratorType::parallel);
}

SmallVector<Range> moveDomain(OpBuilder &b, Location loc, Value init) {
  SmallVector<Range> ranges;
  for (OpFoldResult size : sizesOf(b, loc, init)) {
    ranges.push_back({b.getIndexAttr(0), size, b.getIndexAttr(1)});
  }
  return ranges;
}

} // namespace kiln::npu
