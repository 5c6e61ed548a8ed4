// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu_layouts/narrow_bodies.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace kiln::npu {

namespace {

class Narrower {
public:
  explicit Narrower(linalg::GenericOp op)
      : op_(op), body_(op.getBody()), half_(Float16Type::get(op.getContext())) {
  }

  bool run() {
    if (op_.getNumReductionLoops() != 0 ||
        body_->getTerminator()->getOperand(0).getType() != half_) {
      return false;
    }
    bool wide = false;
    for (Operation &op : body_->without_terminator()) {
      wide |= op.getResult(0).getType().isF32();
      if (!classify(op)) {
        return false;
      }
    }
    if (wide) {
      rewrite();
    }
    return wide;
  }

private:
  enum class Kind { kExact, kRounded };

  /// Exact in f16, rounded to f32 once since, or neither.
  std::optional<Kind> kindOf(Value v) {
    if (v.getType() == half_ || halfConstant(v)) {
      return Kind::kExact;
    }
    auto known = kinds_.find(v);
    return known == kinds_.end() ? std::nullopt : std::optional(known->second);
  }

  /// The constant in f16, when it is one.
  FloatAttr halfConstant(Value v) {
    FloatAttr attr;
    if (!matchPattern(v, m_Constant(&attr))) {
      return {};
    }
    APFloat value = attr.getValue();
    bool loses = false;
    value.convert(half_.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                  &loses);
    return loses ? FloatAttr() : FloatAttr::get(half_, value);
  }

  bool classify(Operation &op) {
    if (llvm::isa<arith::ConstantOp>(op)) {
      return true; // judged where it is used
    }
    bool allKnown = true, allExact = true;
    for (Value v : op.getOperands()) {
      std::optional<Kind> kind = kindOf(v);
      allKnown &= kind.has_value();
      allExact &= kind == Kind::kExact;
    }
    Kind kind = allExact ? Kind::kExact : Kind::kRounded;
    if (llvm::isa<arith::AddFOp, arith::SubFOp, arith::MulFOp>(op)) {
      allKnown &= allExact;
      kind = Kind::kRounded;
    } else if (!llvm::isa<arith::ExtFOp, arith::TruncFOp, arith::MaximumFOp,
                          arith::MinimumFOp, arith::NegFOp>(op)) {
      return false;
    }
    kinds_[op.getResult(0)] = kind;
    return allKnown;
  }

  Value twin(OpBuilder &b, Value v) {
    if (v.getType() == half_) {
      auto known = twins_.find(v);
      return known == twins_.end() ? v : known->second;
    }
    if (FloatAttr constant = halfConstant(v)) {
      return arith::ConstantOp::create(b, v.getLoc(), constant);
    }
    return twins_.lookup(v);
  }

  void rewrite() {
    OpBuilder b(body_->getTerminator());
    SmallVector<Operation *> old;
    for (Operation &op : body_->without_terminator()) {
      old.push_back(&op);
    }
    for (Operation *op : old) {
      if (llvm::isa<arith::ConstantOp>(op)) {
        continue;
      }
      Value result = op->getResult(0);
      if (llvm::isa<arith::ExtFOp, arith::TruncFOp>(op)) {
        twins_[result] = twin(b, op->getOperand(0));
        continue;
      }
      SmallVector<Value> operands;
      for (Value v : op->getOperands()) {
        operands.push_back(twin(b, v));
      }
      OperationState state(op->getLoc(), op->getName(), operands,
                           TypeRange{half_}, op->getAttrs());
      twins_[result] = b.create(state)->getResult(0);
    }
    OpOperand &yielded = body_->getTerminator()->getOpOperand(0);
    yielded.set(twin(b, yielded.get()));
    for (Operation *op : llvm::reverse(old)) {
      if (op->use_empty()) {
        op->erase();
      }
    }
  }

  linalg::GenericOp op_;
  Block *body_;
  FloatType half_;
  llvm::DenseMap<Value, Kind> kinds_;
  llvm::DenseMap<Value, Value> twins_;
};

} // namespace

bool narrowToHalf(linalg::GenericOp op) { return Narrower(op).run(); }

} // namespace kiln::npu
