// SPDX-License-Identifier: Apache-2.0
#include "compiler/dialect/nn/nn_dialect.h"

#include "compiler/dialect/nn/shape_helpers.h"
#include "mlir/IR/Builders.h"

#include "compiler/dialect/nn/NnDialect.cpp.inc"
#include "compiler/dialect/nn/NnOpInterfaces.cpp.inc"

using namespace mlir;

namespace kiln::nn {

void NNDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "compiler/dialect/nn/NnOps.cpp.inc"
      >();
}

std::string shapeText(ArrayRef<int64_t> shape) {
  if (shape.empty()) {
    return "scalar";
  }
  std::string text;
  for (int64_t dim : shape) {
    text += (text.empty() ? "" : "x") + std::to_string(dim);
  }
  return text;
}

static bool hasStaticShape(Type type) {
  auto ranked = dyn_cast<RankedTensorType>(type);
  return ranked && ranked.hasStaticShape();
}

FailureOr<RankedTensorType> rankedOperand(Operation *op, unsigned index,
                                          StringRef name) {
  Type type = op->getOperand(index).getType();
  if (!hasStaticShape(type)) {
    return op->emitOpError("operand '")
           << name << "' has no static shape: " << type;
  }
  return cast<RankedTensorType>(type);
}

LogicalResult requireFloat(Operation *op, Type element) {
  if (!element.isF32() && !element.isF16()) {
    return op->emitOpError("computes on f32 or f16, found ") << element;
  }
  return success();
}

LogicalResult verifyShapes(Operation *op) {
  if (!llvm::all_of(op->getOperandTypes(), hasStaticShape)) {
    return success();
  }
  SmallVector<RankedTensorType> types;
  if (failed(cast<ShapeOpInterface>(op).inferShapes(types))) {
    return failure();
  }
  for (auto [i, inferred] : llvm::enumerate(types)) {
    Type declared = op->getResult(i).getType();
    if (auto ranked = dyn_cast<RankedTensorType>(declared);
        ranked && ranked != inferred) {
      return op->emitOpError("result #")
             << i << " is declared " << ranked << " but has type " << inferred;
    }
  }
  return success();
}

} // namespace kiln::nn

#define GET_OP_CLASSES
#include "compiler/dialect/nn/NnOps.cpp.inc"
