// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/cpu/channels_last.h"

#include "compiler/dialect/plan/plan_dialect.h"
#include "compiler/transforms/cpu/permuted_body.h"
#include "compiler/transforms/plan_arena.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;

namespace kiln::cpu {

namespace {

/// Fewer channels than this are left to the planar order: a pixel would fill
/// too little of a vector.
constexpr int64_t kFewChannels = 8;

RankedTensorType typeOf(Value v) { return cast<RankedTensorType>(v.getType()); }

bool isImage(Value v) { return typeOf(v).getRank() == 4; }

/// The same bytes in both orders.
bool isSameInBoth(RankedTensorType type) {
  ArrayRef<int64_t> s = type.getShape();
  return s[1] == 1 || s[2] * s[3] == 1;
}

/// How a dispatch takes part.
enum class Kind {
  kPlain,    // operands and result as they are
  kReader,   // reads through its maps, writes as it did
  kFollower, // elementwise: in the order of its operands
  kWindow,   // convolutions and pools
};

class ChannelsLast {
public:
  ChannelsLast(plan::FuncOp func, SymbolTable &symbols)
      : func_(func), symbols_(symbols), b_(func.getContext()) {}

  LogicalResult run();

private:
  LogicalResult rewrite(plan::DispatchOp op);
  Kind kindOf(plan::DispatchOp op, func::FuncOp body);
  /// The orders of a window's operands; false: it stays as it is.
  bool windowForms(plan::DispatchOp op, func::FuncOp body,
                   SmallVectorImpl<Form> &forms);
  Form followerForm(Value operand);
  bool isLast(Value v) const { return last_.contains(v); }

  Value lastOf(Value v);
  Value plainOf(Value v);
  Value inForm(Value v, const Form &form);
  Value moved(Value v, RankedTensorType to, const Form &permutation,
              StringRef suffix);

  plan::FuncOp func_;
  SymbolTable &symbols_;
  OpBuilder b_;
  llvm::DenseMap<Value, Value> last_;  // logical value -> [N, H, W, C]
  llvm::DenseMap<Value, Value> plain_; // made from last_ on demand
};

//===- values -------------------------------------------------------------===//

/// A dispatch that permutes; a view when the bytes are the same.
Value ChannelsLast::moved(Value v, RankedTensorType to, const Form &permutation,
                          StringRef suffix) {
  OpBuilder::InsertionGuard guard(b_);
  if (Operation *def = v.getDefiningOp()) {
    b_.setInsertionPointAfter(def);
  } else {
    b_.setInsertionPointToStart(v.getParentBlock());
  }
  bool planar = permutation == inverseOf(imageForm());
  if (isSameInBoth(planar ? to : typeOf(v))) {
    return plan::SliceOp::create(b_, v.getLoc(), to, v, 0);
  }
  auto source = v.getDefiningOp<plan::DispatchOp>();
  std::string base = source ? source.getCallee().str() : "input";
  std::string name = base + "_" + suffix.str();
  for (int i = 1; symbols_.lookup(name); ++i) {
    name = base + "_" + suffix.str() + "_" + std::to_string(i);
  }
  OpBuilder outer(func_.getContext());
  outer.setInsertionPointToEnd(func_->getBlock());
  auto f = func::FuncOp::create(outer, v.getLoc(), name,
                                outer.getFunctionType(v.getType(), {to}));
  f.setPrivate();
  f->setAttr(plan::PlanDialect::kDispatchAttr, outer.getUnitAttr());
  symbols_.insert(f);
  OpBuilder inner = OpBuilder::atBlockEnd(f.addEntryBlock());
  Value init = tensor::EmptyOp::create(inner, v.getLoc(), to.getShape(),
                                       to.getElementType());
  auto transpose = linalg::TransposeOp::create(
      inner, v.getLoc(), f.getArgument(0), init, permutation);
  func::ReturnOp::create(inner, v.getLoc(), transpose->getResults());
  return plan::DispatchOp::create(b_, v.getLoc(), TypeRange{to}, name, v)
      .getResult(0);
}

Value ChannelsLast::lastOf(Value v) {
  Value &known = last_[v];
  if (!known) {
    known = moved(v, permuted(typeOf(v), imageForm()), imageForm(), "last");
    plain_[v] = v;
  }
  return known;
}

Value ChannelsLast::plainOf(Value v) {
  auto it = last_.find(v);
  if (it == last_.end()) {
    return v;
  }
  Value &known = plain_[v];
  if (!known) {
    known = moved(it->second, typeOf(v), inverseOf(imageForm()), "planar");
  }
  return known;
}

Value ChannelsLast::inForm(Value v, const Form &form) {
  if (form.empty()) {
    return plainOf(v);
  }
  if (auto constant = v.getDefiningOp<plan::ConstOp>()) {
    OpBuilder::InsertionGuard guard(b_);
    b_.setInsertionPointAfter(constant);
    auto copy = cast<plan::ConstOp>(b_.clone(*constant));
    copy.appendStep(
        "transpose", permuted(typeOf(v), form),
        {b_.getNamedAttr("permutation", b_.getDenseI64ArrayAttr(form))});
    return copy.getResult();
  }
  return lastOf(v);
}

//===- dispatches ---------------------------------------------------------===//

Form ChannelsLast::followerForm(Value operand) {
  bool constant = operand.getDefiningOp<plan::ConstOp>() != nullptr;
  int64_t rank = typeOf(operand).getRank();
  if (rank == 4) {
    return imageForm();
  }
  // [C, H, W] against [N, C, H, W].
  return rank == 3 && constant ? Form{1, 2, 0} : Form{};
}

bool ChannelsLast::windowForms(plan::DispatchOp op, func::FuncOp body,
                               SmallVectorImpl<Form> &forms) {
  linalg::LinalgOp window = findWindow(body);
  bool dense = isa<linalg::Conv2DNchwFchwOp>(window);
  for (Value v : op.getOperands()) {
    forms.push_back(followerForm(v));
  }
  auto argumentOf = [&](Value v) {
    if (auto pad = v.getDefiningOp<tensor::PadOp>()) {
      v = pad.getSource();
    }
    return dyn_cast<BlockArgument>(v);
  };
  BlockArgument image = argumentOf(window.getDpsInputs()[0]);
  if (!image || image.getOwner() != &body.getBody().front()) {
    return false;
  }
  Value x = op.getOperand(image.getArgNumber());
  if (!isLast(x) && typeOf(x).getDimSize(1) < kFewChannels) {
    // Few channels: a convolution broadcasts them from any order.
    forms[image.getArgNumber()] = Form{};
    if (!dense) {
      return false;
    }
  }
  BlockArgument weights = argumentOf(window.getDpsInputs()[1]);
  if (!weights) {
    return true; // the shape of a pool's window
  }
  unsigned w = weights.getArgNumber();
  if (!op.getOperand(w).getDefiningOp<plan::ConstOp>()) {
    return false;
  }
  forms[w] = dense ? Form{2, 3, 1, 0} : Form{1, 2, 0};
  return true;
}

Kind ChannelsLast::kindOf(plan::DispatchOp op, func::FuncOp body) {
  bool anyLast = llvm::any_of(op.getOperands(), [&](Value v) {
    return isLast(v) && !isSameInBoth(typeOf(v));
  });
  if (op.getNumResults() != 1 || !canPermute(body)) {
    return Kind::kPlain;
  }
  bool image = isImage(op.getResult(0));
  if (image && findWindow(body)) {
    return Kind::kWindow;
  }
  if (!anyLast) {
    return Kind::kPlain;
  }
  if (image && isElementwiseBody(body)) {
    return Kind::kFollower;
  }
  return readsThroughMaps(body) ? Kind::kReader : Kind::kPlain;
}

LogicalResult ChannelsLast::rewrite(plan::DispatchOp op) {
  auto body = symbols_.lookup<func::FuncOp>(op.getCallee());
  Kind kind = kindOf(op, body);
  SmallVector<Form> forms;
  if (kind == Kind::kWindow && !windowForms(op, body, forms)) {
    kind = Kind::kPlain;
  }
  if (kind == Kind::kPlain) {
    for (OpOperand &operand : op->getOpOperands()) {
      operand.set(plainOf(operand.get()));
    }
    return success();
  }
  if (kind != Kind::kWindow) {
    for (Value v : op.getOperands()) {
      bool follows = kind == Kind::kFollower || isLast(v);
      forms.push_back(follows ? followerForm(v) : Form{});
    }
  }
  SmallVector<Value> operands;
  for (auto [v, form] : llvm::zip_equal(op.getOperands(), forms)) {
    operands.push_back(inForm(v, form));
  }
  // The function keeps its name: packages name values after it.
  std::string name = op.getCallee().str();
  bool shared = !llvm::hasSingleElement(*symbols_.getSymbolUses(body, func_));
  if (shared) {
    name += "_last";
  }
  Form result = kind == Kind::kReader ? Form{} : imageForm();
  func::FuncOp permutedFunc = permuteBody(body, forms, result);
  permutedFunc.setName(name);
  if (!shared) {
    symbols_.erase(body);
  }
  symbols_.insert(permutedFunc);
  b_.setInsertionPoint(op);
  auto replacement =
      plan::DispatchOp::create(b_, op.getLoc(), permutedFunc.getResultTypes(),
                               permutedFunc.getSymName(), operands);
  replacement->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  if (kind == Kind::kReader) {
    op.getResult(0).replaceAllUsesWith(replacement.getResult(0));
  } else {
    replacement->setAttr(plan::kChannelsLastAttr, b_.getUnitAttr());
    last_[op.getResult(0)] = replacement.getResult(0);
  }
  return success();
}

LogicalResult ChannelsLast::run() {
  Block &block = func_.getBody().front();
  SmallVector<Operation *> ops;
  for (Operation &op : block) {
    ops.push_back(&op);
  }
  for (Operation *op : ops) {
    if (auto dispatch = dyn_cast<plan::DispatchOp>(op)) {
      if (failed(rewrite(dispatch))) {
        return failure();
      }
      continue;
    }
    for (OpOperand &operand : op->getOpOperands()) {
      operand.set(plainOf(operand.get()));
    }
  }
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    if (op.use_empty() &&
        isa<plan::DispatchOp, plan::ConstOp, plan::SliceOp>(op)) {
      op.erase();
    }
  }
  return success();
}

} // namespace

LogicalResult toChannelsLast(ModuleOp module) {
  SymbolTable symbols(module);
  for (auto func : llvm::make_early_inc_range(module.getOps<plan::FuncOp>())) {
    if (failed(ChannelsLast(func, symbols).run())) {
      return failure();
    }
  }
  return success();
}

} // namespace kiln::cpu
