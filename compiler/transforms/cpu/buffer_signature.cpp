// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/cpu/cpu_passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace kiln::cpu {

static FailureOr<MemRefType> bufferTypeOf(func::FuncOp func, Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape()) {
    return func.emitError("a dispatch for the CPU needs static tensors, found ")
           << type;
  }
  return MemRefType::get(tensor.getShape(), tensor.getElementType());
}

LogicalResult convertToBufferSignature(func::FuncOp func) {
  IRRewriter rw(func.getContext());
  Block &entry = func.getBody().front();
  auto ret = cast<func::ReturnOp>(entry.getTerminator());
  SmallVector<Type> inputs, outputs;
  for (Type t : func.getArgumentTypes()) {
    FailureOr<MemRefType> buffer = bufferTypeOf(func, t);
    if (failed(buffer)) {
      return failure();
    }
    inputs.push_back(*buffer);
  }
  for (Type t : func.getResultTypes()) {
    FailureOr<MemRefType> buffer = bufferTypeOf(func, t);
    if (failed(buffer)) {
      return failure();
    }
    outputs.push_back(*buffer);
  }
  rw.setInsertionPointToStart(&entry);
  for (auto [arg, type] : llvm::zip_equal(entry.getArguments(), inputs)) {
    Type tensor = arg.getType();
    arg.setType(type);
    if (arg.use_empty()) {
      continue;
    }
    auto toTensor = bufferization::ToTensorOp::create(
        rw, arg.getLoc(), tensor, arg, /*restrict=*/true, /*writable=*/false);
    arg.replaceAllUsesExcept(toTensor.getResult(), toTensor);
  }
  rw.setInsertionPoint(ret);
  for (auto [value, type] : llvm::zip_equal(ret.getOperands(), outputs)) {
    Value out = entry.addArgument(type, ret.getLoc());
    auto store = bufferization::MaterializeInDestinationOp::create(
        rw, ret.getLoc(), TypeRange{}, value, out);
    store.setRestrict(true);
    store.setWritable(true);
  }
  rw.replaceOpWithNewOp<func::ReturnOp>(ret);
  llvm::append_range(inputs, outputs);
  func.setType(FunctionType::get(func.getContext(), inputs, {}));
  return success();
}

LogicalResult bufferizeDispatch(func::FuncOp func) {
  IRRewriter rw(func.getContext());
  if (failed(bufferization::eliminateEmptyTensors(rw, func))) {
    return failure();
  }
  bufferization::OneShotBufferizationOptions options;
  options.allowReturnAllocsFromLoops = true;
  // Copies are linalg ops, so that the register tiler takes them as well.
  options.memCpyFn = [](OpBuilder &b, Location loc, Value from, Value to) {
    linalg::CopyOp::create(b, loc, from, to);
    return success();
  };
  bufferization::BufferizationState state;
  return bufferization::runOneShotBufferize(func, options, state);
}

} // namespace kiln::cpu
