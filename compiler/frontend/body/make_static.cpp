// SPDX-License-Identifier: Apache-2.0
//
// A body with its sizes, in the form of the shared level.
#include "compiler/frontend/body/check_body.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace kiln::body {

namespace {

/// Arguments of the operator's types; the text's `?` are casts behind them.
void putInSizes(func::FuncOp func, const BodySignature &signature) {
  Block &block = func.getBody().front();
  OpBuilder builder = OpBuilder::atBlockBegin(&block);
  for (auto [argument, declared] :
       llvm::zip_equal(block.getArguments(), signature.inputs)) {
    auto type = cast<RankedTensorType>(argument.getType());
    const Type known =
        RankedTensorType::get(declared.type.shape, type.getElementType());
    if (known == type) {
      continue;
    }
    argument.setType(known);
    auto cast =
        tensor::CastOp::create(builder, argument.getLoc(), type, argument);
    argument.replaceAllUsesExcept(cast, cast);
  }
  func.setFunctionType(builder.getFunctionType(
      block.getArgumentTypes(), func.getFunctionType().getResults()));
}

/// A cast of the result to the text's `?` goes; the function has what is there.
void takeResults(func::FuncOp func) {
  Operation *end = func.getBody().front().getTerminator();
  for (OpOperand &operand : end->getOpOperands()) {
    while (auto cast = operand.get().getDefiningOp<tensor::CastOp>()) {
      operand.set(cast.getSource());
    }
  }
  OpBuilder builder(func.getContext());
  func.setFunctionType(builder.getFunctionType(
      func.getFunctionType().getInputs(), end->getOperandTypes()));
}

//===----------------------------------------------------------------------===//
// Named operations
//===----------------------------------------------------------------------===//

bool startsFrom(Value init, bool (*isNeutral)(const APFloat &)) {
  auto fill = init.getDefiningOp<linalg::FillOp>();
  FloatAttr value;
  return fill && matchPattern(fill.getInputs()[0], m_Constant(&value)) &&
         isNeutral(value.getValue());
}

/// A root that targets know by name: it accumulates in f32 from its neutral
/// element, with the operands where they always are.
bool isKnownRoot(linalg::LinalgOp op) {
  if (op.hasUserDefinedMaps()) {
    return false;
  }
  const Value init = op.getDpsInits()[0];
  auto element = [](Value v) { return getElementTypeOrSelf(v.getType()); };
  const Value first = op.getDpsInputs()[0];
  if (isa<linalg::PoolingNchwMaxOp>(op)) {
    return element(first) == element(init) &&
           startsFrom(init, [](const APFloat &v) {
             return v.isInfinity() && v.isNegative();
           });
  }
  if (!isa<linalg::MatmulOp, linalg::BatchMatmulOp, linalg::Conv2DNchwFchwOp,
           linalg::DepthwiseConv2DNchwChwOp, linalg::PoolingNchwSumOp>(op)) {
    return false;
  }
  return element(init).isF32() && isa<FloatType>(element(first)) &&
         (isa<linalg::PoolingNchwSumOp>(op) ||
          element(first) == element(op.getDpsInputs()[1])) &&
         startsFrom(init, [](const APFloat &v) { return v.isZero(); });
}

bool nameNothing(func::FuncOp func, Findings &findings) {
  IRRewriter rewriter(func.getContext());
  SmallVector<linalg::SoftmaxOp> softmaxes;
  func.walk([&](linalg::SoftmaxOp op) { softmaxes.push_back(op); });
  for (linalg::SoftmaxOp op : softmaxes) {
    rewriter.setInsertionPoint(op);
    FailureOr<SmallVector<Value>> parts = op.decomposeOperation(rewriter);
    if (failed(parts)) {
      findings.add(BodyFault::kOperation, op.getLoc(),
                   "'linalg.softmax' is not possible with these types");
      return false;
    }
    rewriter.replaceOp(op, *parts);
  }
  SmallVector<linalg::LinalgOp> named;
  func.walk([&](linalg::LinalgOp op) {
    if (!isa<linalg::GenericOp, linalg::FillOp, linalg::TransposeOp>(op) &&
        !isKnownRoot(op)) {
      named.push_back(op);
    }
  });
  for (linalg::LinalgOp op : named) {
    rewriter.setInsertionPoint(op);
    if (failed(linalg::generalizeNamedOp(rewriter, op))) {
      findings.add(BodyFault::kOperation, op.getLoc(),
                   "'" + op->getName().getStringRef().str() +
                       "' is not possible in a body");
      return false;
    }
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Form
//===----------------------------------------------------------------------===//

bool simplify(func::FuncOp func) {
  PassManager passes(func.getContext());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createConvertElementwiseToLinalgPass());
  passes.addPass(createCanonicalizerPass());
  return succeeded(passes.run(func->getParentOfType<ModuleOp>()));
}

/// Chains of elementwise operations become one, also in front of a reduction;
/// nothing is computed more often than before.
bool fuse(func::FuncOp func) {
  RewritePatternSet patterns(func.getContext());
  linalg::populateElementwiseOpsFusionPatterns(
      patterns, [](OpOperand *operand) {
        auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
        return operand->get().hasOneUse() && consumer &&
               consumer.getMatchingIndexingMap(operand).isPermutation();
      });
  linalg::populateInlineConstantOperandsPatterns(patterns);
  return succeeded(applyPatternsGreedily(func, std::move(patterns)));
}

/// Tensors of one value are filled, not stored.
void fillSplats(func::FuncOp func) {
  SmallVector<arith::ConstantOp> constants;
  func.walk([&](arith::ConstantOp op) { constants.push_back(op); });
  for (arith::ConstantOp op : constants) {
    auto splat = dyn_cast<SplatElementsAttr>(op.getValue());
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (!splat || !type) {
      continue;
    }
    OpBuilder builder(op);
    Value value = arith::ConstantOp::create(
        builder, op.getLoc(),
        cast<TypedAttr>(splat.getSplatValue<Attribute>()));
    Value empty = tensor::EmptyOp::create(builder, op.getLoc(), type.getShape(),
                                          type.getElementType());
    auto fill = linalg::FillOp::create(builder, op.getLoc(), value, empty);
    op.getResult().replaceAllUsesWith(fill.getResult(0));
    op.erase();
  }
}

Value copyOf(OpBuilder &builder, Location loc, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  const AffineMap map = builder.getMultiDimIdentityMap(type.getRank());
  SmallVector<utils::IteratorType> loops(type.getRank(),
                                         utils::IteratorType::parallel);
  Value empty = tensor::EmptyOp::create(builder, loc, type.getShape(),
                                        type.getElementType());
  return linalg::GenericOp::create(
             builder, loc, TypeRange{type}, ValueRange{value},
             ValueRange{empty}, ArrayRef<AffineMap>{map, map}, loops,
             [](OpBuilder &b, Location at, ValueRange values) {
               linalg::YieldOp::create(b, at, values[0]);
             })
      .getResult(0);
}

/// Whether a value has no operation that computes it: an argument, a constant,
/// a fill, or nothing at all.
bool isGiven(Value value) {
  Operation *op = value.getDefiningOp();
  return !op || isa<arith::ConstantOp, linalg::FillOp, tensor::EmptyOp>(op);
}

/// Dispatches compute results: what is returned, or viewed, without having been
/// computed is copied; what is returned twice too.
void computeResults(func::FuncOp func) {
  Operation *end = func.getBody().front().getTerminator();
  OpBuilder builder(end);
  llvm::SmallDenseSet<Value> returned;
  for (OpOperand &operand : end->getOpOperands()) {
    Value root = operand.get();
    while (root.getDefiningOp<tensor::CollapseShapeOp>() ||
           root.getDefiningOp<tensor::ExpandShapeOp>() ||
           root.getDefiningOp<tensor::ExtractSliceOp>()) {
      root = root.getDefiningOp()->getOperand(0);
    }
    if (isGiven(root) || !returned.insert(root).second) {
      operand.set(copyOf(builder, end->getLoc(), operand.get()));
    }
  }
  SmallVector<Operation *> views;
  func.walk([&](Operation *op) {
    if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp,
            tensor::ExtractSliceOp>(op) &&
        op->getOperand(0).getDefiningOp() && isGiven(op->getOperand(0))) {
      views.push_back(op);
    }
  });
  for (Operation *op : views) {
    builder.setInsertionPoint(op);
    op->setOperand(0, copyOf(builder, op->getLoc(), op->getOperand(0)));
  }
}

bool checkStatic(func::FuncOp func, const BodySignature &signature,
                 Findings &findings) {
  const size_t known = findings.size();
  for (Operation &op : func.getBody().front().without_terminator()) {
    const std::string name = "'" + op.getName().getStringRef().str() + "'";
    if (!isPossibleWhenStatic(&op)) {
      findings.add(BodyFault::kSize, op.getLoc(),
                   name + " is left when the sizes of the inputs are known");
      continue;
    }
    for (Type type : op.getResultTypes()) {
      auto constant = dyn_cast<arith::ConstantOp>(op);
      if (isa<TensorType>(type) ? !isPossibleTensor(type) : !constant) {
        std::string text;
        llvm::raw_string_ostream os(text);
        os << type;
        findings.add(BodyFault::kSize, op.getLoc(),
                     name + " gives " + text +
                         " when the sizes of the inputs are known");
      }
      if (constant && isa<TensorType>(type) &&
          !isa<DenseElementsAttr>(constant.getValue())) {
        findings.add(BodyFault::kOperation, op.getLoc(),
                     "the constant's elements are not in the text");
      }
    }
  }
  Operation *end = func.getBody().front().getTerminator();
  for (auto [value, declared] :
       llvm::zip_equal(end->getOperands(), signature.outputs)) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (findings.size() == known &&
        (!type || type.getShape() != ArrayRef<int64_t>(declared.type.shape))) {
      std::string text;
      llvm::raw_string_ostream os(text);
      os << value.getType();
      findings.add(BodyFault::kSize, end->getLoc(),
                   "output '" + declared.name + "' becomes " + text);
    }
  }
  return findings.size() == known;
}

} // namespace

bool makeStatic(func::FuncOp func, const BodySignature &signature,
                Findings &findings) {
  const size_t known = findings.size();
  putInSizes(func, signature);
  for (NamedAttribute attribute :
       llvm::to_vector(func->getDiscardableAttrs())) {
    func->removeDiscardableAttr(attribute.getName());
  }
  func.removeArgAttrsAttr();
  func.removeResAttrsAttr();
  func.setName("body");
  func.setPublic();
  if (!simplify(func)) {
    if (findings.size() == known) {
      findings.add(BodyFault::kSize, func.getLoc(),
                   "does not verify when the sizes of the inputs are known");
    }
    return false;
  }
  takeResults(func);
  if (!nameNothing(func, findings)) {
    return false;
  }
  if (!fuse(func)) {
    findings.add(BodyFault::kSize, func.getLoc(), "does not become simple");
    return false;
  }
  fillSplats(func);
  if (!checkStatic(func, signature, findings)) {
    return false;
  }
  computeResults(func);
  return succeeded(verify(func->getParentOfType<ModuleOp>()));
}

} // namespace kiln::body
