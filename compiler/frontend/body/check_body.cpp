// SPDX-License-Identifier: Apache-2.0
//
// What a body may hold, before sizes are put in.
#include "compiler/frontend/body/check_body.h"

#include "compiler/dialect/plan/element_types.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace kiln::body {

namespace {

std::string textOf(Type type) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << type;
  return text;
}

std::string count(size_t number, const char *what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

std::string nameOf(Operation *op) {
  return "'" + op->getName().getStringRef().str() + "'";
}

//===----------------------------------------------------------------------===//
// Signature
//===----------------------------------------------------------------------===//

bool fits(Type type, const KernelTensor &declared) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || tensor.getEncoding() ||
      tensor.getRank() != static_cast<int64_t>(declared.shape.size()) ||
      tensor.getElementType() != toMlirType(declared.type, type.getContext())) {
    return false;
  }
  for (auto [found, size] :
       llvm::zip_equal(tensor.getShape(), declared.shape)) {
    if (!ShapedType::isDynamic(found) && found != size) {
      return false;
    }
  }
  return true;
}

void checkType(const char *what, Location at, Type type,
               const BodyTensor &declared, Findings &findings) {
  if (!fits(type, declared.type)) {
    const Type wanted = RankedTensorType::get(
        declared.type.shape, toMlirType(declared.type.type, type.getContext()));
    findings.add(BodyFault::kSignature, at,
                 std::string(what) + " '" + declared.name + "' is " +
                     textOf(type) + "; the operator has " + textOf(wanted));
  }
}

void checkSignature(func::FuncOp func, const BodySignature &signature,
                    Findings &findings) {
  const FunctionType type = func.getFunctionType();
  if (type.getNumInputs() != signature.inputs.size()) {
    return findings.add(BodyFault::kSignature, func.getLoc(),
                        "has " + count(type.getNumInputs(), "argument") +
                            "; the operator has " +
                            count(signature.inputs.size(), "input"));
  }
  if (type.getNumResults() != signature.outputs.size()) {
    return findings.add(BodyFault::kSignature, func.getLoc(),
                        "has " + count(type.getNumResults(), "result") +
                            "; the operator has " +
                            count(signature.outputs.size(), "output"));
  }
  for (auto [argument, declared] :
       llvm::zip_equal(func.getArguments(), signature.inputs)) {
    checkType("input", argument.getLoc(), argument.getType(), declared,
              findings);
  }
  for (auto [result, declared] :
       llvm::zip_equal(type.getResults(), signature.outputs)) {
    checkType("output", func.getLoc(), result, declared, findings);
  }
}

//===----------------------------------------------------------------------===//
// Operations and types
//===----------------------------------------------------------------------===//

bool isScalar(Type type) {
  if (isa<IndexType, Float16Type, BFloat16Type, Float32Type>(type)) {
    return true;
  }
  auto integer = dyn_cast<IntegerType>(type);
  return integer && integer.isSignless() &&
         llvm::is_contained({1u, 8u, 16u, 32u, 64u}, integer.getWidth());
}

/// The element types that tensors between operations may have.
bool isElement(Type type) {
  auto integer = dyn_cast<IntegerType>(type);
  return isScalar(type) && !isa<IndexType>(type) &&
         (!integer || (integer.getWidth() != 1 && integer.getWidth() != 64));
}

bool isPossibleType(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type)) {
    return !tensor.getEncoding() && isScalar(tensor.getElementType());
  }
  return isScalar(type);
}

/// Functions that the CPU has no polynomial for.
bool isKnownMath(Operation *op) {
  return isa<math::AbsFOp, math::AbsIOp, math::AtanOp, math::Atan2Op,
             math::CeilOp, math::CopySignOp, math::CosOp, math::ErfOp,
             math::ExpOp, math::ExpM1Op, math::FloorOp, math::FmaOp,
             math::LogOp, math::Log1pOp, math::Log2Op, math::RoundEvenOp,
             math::RsqrtOp, math::SinOp, math::SqrtOp, math::TanhOp,
             math::TruncOp>(op);
}

bool isPossible(Operation *op) {
  if (isa<math::MathDialect>(op->getDialect())) {
    return isKnownMath(op);
  }
  if (isa<arith::ArithDialect>(op->getDialect())) {
    return true;
  }
  if (isa<linalg::LinalgDialect>(op->getDialect())) {
    return isa<linalg::LinalgOp, linalg::SoftmaxOp, linalg::YieldOp,
               linalg::IndexOp>(op) &&
           op->getNumResults() <= 1;
  }
  return isa<func::ReturnOp, tensor::CastOp, tensor::CollapseShapeOp,
             tensor::ConcatOp, tensor::DimOp, tensor::EmptyOp,
             tensor::ExpandShapeOp, tensor::ExtractSliceOp,
             tensor::InsertSliceOp, tensor::PadOp, tensor::YieldOp>(op);
}

/// Memory, or an effect on it.
bool touchesMemory(Operation *op) {
  auto isMemory = [](Type type) { return isa<BaseMemRefType>(type); };
  return isa<memref::MemRefDialect, bufferization::BufferizationDialect>(
             op->getDialect()) ||
         llvm::any_of(op->getOperandTypes(), isMemory) ||
         llvm::any_of(op->getResultTypes(), isMemory);
}

/// One finding at most.
void checkOperation(Operation *op, Findings &findings) {
  if (touchesMemory(op)) {
    return findings.add(BodyFault::kMemory, op->getLoc(),
                        nameOf(op) + " works on memory; a body computes "
                                     "tensors from tensors");
  }
  if (isa<linalg::LinalgOp>(op) && op->getNumResults() > 1) {
    return findings.add(BodyFault::kOperation, op->getLoc(),
                        nameOf(op) + " gives " +
                            count(op->getNumResults(), "tensor") +
                            "; one is possible");
  }
  if (!isPossible(op)) {
    return findings.add(BodyFault::kOperation, op->getLoc(),
                        nameOf(op) + " is not possible in a body");
  }
  if (auto pad = dyn_cast<tensor::PadOp>(op);
      pad && !pad.getConstantPaddingValue()) {
    return findings.add(BodyFault::kOperation, op->getLoc(),
                        "the value of 'tensor.pad' is not a constant");
  }
  for (Value result : op->getResults()) {
    if (!isPossibleType(result.getType())) {
      return findings.add(BodyFault::kOperation, op->getLoc(),
                          nameOf(op) + " gives " + textOf(result.getType()) +
                              ", which is not possible in a body");
    }
  }
}

} // namespace

bool isPossibleTensor(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape() ||
      !isElement(tensor.getElementType())) {
    return false;
  }
  int64_t elements = 1;
  for (int64_t size : tensor.getShape()) {
    if (size < 1 || elements > (int64_t{1} << 32) / size) {
      return false;
    }
    elements *= size;
  }
  return true;
}

bool isPossibleWhenStatic(Operation *op) {
  return isa<arith::ConstantOp, linalg::LinalgOp>(op) ||
         (isPossible(op) && isa<tensor::TensorDialect>(op->getDialect()) &&
          !isa<tensor::CastOp, tensor::DimOp>(op));
}

func::FuncOp onlyFunction(ModuleOp module, Findings &findings) {
  func::FuncOp only;
  for (Operation &op : *module.getBody()) {
    auto func = dyn_cast<func::FuncOp>(op);
    if (!func || func.isDeclaration() || only) {
      findings.add(BodyFault::kSignature, op.getLoc(),
                   "a body is one function; found " +
                       std::string(func && func.isDeclaration() ? "no code of "
                                   : only ? "a second one, "
                                          : "") +
                       nameOf(&op));
      return {};
    }
    only = func;
  }
  if (!only) {
    findings.add(BodyFault::kSignature, UnknownLoc::get(module.getContext()),
                 "a body is one function; found none");
  } else if (!llvm::hasSingleElement(only.getBody())) {
    findings.add(BodyFault::kOperation, only.getLoc(),
                 "a body has one block; branches are not possible");
    return {};
  }
  return only;
}

bool checkBody(func::FuncOp func, const BodySignature &signature,
               Findings &findings) {
  const size_t known = findings.size();
  checkSignature(func, signature, findings);
  func.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
    const size_t before = findings.size();
    checkOperation(op, findings);
    // What is inside an operation that cannot be is no further mistake.
    return findings.size() == before ? WalkResult::advance()
                                     : WalkResult::skip();
  });
  return findings.size() == known;
}

} // namespace kiln::body
