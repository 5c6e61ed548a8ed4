// SPDX-License-Identifier: Apache-2.0
//
// A structured operation in UB to vector commands. Its body is a straight line
// of scalar operations; each becomes one command over rows x columns. The last
// writes the result, the others temporaries. A result that the body reads
// (`outs` of a reduction) accumulates in place, step by step in loop order.
#include "compiler/conversion/linalg_to_npu/emit.h"
#include "compiler/conversion/linalg_to_npu/vector_space.h"
#include "compiler/dialect/npu/NpuBodies.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace kiln::npu {

Value scalarBits(IndexMath &m, Type type, double value) {
  auto attr = FloatAttr::get(type, value);
  uint64_t bits = attr.getValue().bitcastToAPInt().getZExtValue();
  return arith::ConstantOp::create(
      m.b, m.loc, m.b.getI64IntegerAttr(static_cast<int64_t>(bits)));
}

namespace {

constexpr int64_t kBlock = isa::kBlockBytes;

/// Where a command reads or writes: strides in bytes and blocks.
struct Lane {
  Value base;
  Value offset;
  int64_t row = 0, block = 1;

  DenseI64ArrayAttr strides(IndexMath &m) const {
    return m.b.getDenseI64ArrayAttr({row / kBlock, block});
  }
};

std::optional<double> constantOf(Value v) {
  FloatAttr attr;
  if (matchPattern(v, m_Constant(&attr))) {
    return attr.getValue().convertToDouble();
  }
  return std::nullopt;
}

class Emitter {
public:
  Emitter(IndexMath &m, linalg::LinalgOp op, VectorSpace space)
      : m_(m), op_(op), space_(std::move(space)), body_(op.getBlock()),
        result_(body_->getArguments().back()) {}

  LogicalResult run();

private:
  LogicalResult step(ArrayRef<OpFoldResult> ivs);
  Lane laneOf(unsigned operand, ArrayRef<OpFoldResult> ivs);
  /// A buffer for so many rows; by default those of one command.
  Lane temporary(Type type, std::optional<int64_t> rows = std::nullopt);
  bool keepsParts() const;
  LogicalResult combineParts();
  FailureOr<Lane> read(Value v);
  LogicalResult compute(Operation &inner, const Lane &dst);
  LogicalResult computeBinary(Operation &inner, BinaryKind kind,
                              const Lane &dst);
  LogicalResult computeWithScalar(BinaryKind kind, Value v, double c,
                                  bool scalarFirst, const Lane &dst);
  bool isReduction() const { return space_.columnsReduce || space_.rowsReduce; }
  LogicalResult reduce(Operation &combine);
  LogicalResult multiplyAdd(Operation &add);
  LogicalResult move(Value from, const Lane &dst);
  std::optional<BinaryKind> combineKind(Operation &inner);
  Value other(Operation &combine) {
    return combine.getOperand(0) == result_ ? combine.getOperand(1)
                                            : combine.getOperand(0);
  }

  void binary(BinaryKind kind, const Lane &dst, const Lane &a, const Lane &b) {
    VBinaryOp::create(m_.b, m_.loc, kind, dst.base, dst.offset, a.base,
                      a.offset, b.base, b.offset, rows_, columns_,
                      dst.strides(m_), a.strides(m_), b.strides(m_));
  }
  void scalar(ScalarKind kind, Type type, const Lane &dst, const Lane &a,
              double value) {
    VScalarOp::create(m_.b, m_.loc, kind, dst.base, dst.offset, a.base,
                      a.offset, scalarBits(m_, type, value), rows_, columns_,
                      dst.strides(m_), a.strides(m_));
  }
  void unary(UnaryKind kind, const Lane &dst, const Lane &a) {
    VUnaryOp::create(m_.b, m_.loc, kind, dst.base, dst.offset, a.base, a.offset,
                     rows_, columns_, dst.strides(m_), a.strides(m_));
  }
  void fill(const Lane &dst, Type type, double value) {
    VDupOp::create(m_.b, m_.loc, dst.base, dst.offset,
                   scalarBits(m_, type, value), rows_, columns_,
                   dst.strides(m_));
  }

  IndexMath &m_;
  linalg::LinalgOp op_;
  VectorSpace space_;
  Block *body_;
  Value result_; // block argument of outs
  Value rows_, columns_;
  Lane dst_;
  std::optional<Lane> parts_; // results of a reduction, a row each
  SmallVector<OpFoldResult> ivs_;
  llvm::DenseMap<Value, Lane> lanes_; // values of the body so far
};

LogicalResult Emitter::run() {
  SmallVector<OpFoldResult> extents;
  for (unsigned loop : space_.outer) {
    extents.push_back(space_.loops[loop].size);
  }
  if (keepsParts()) {
    const VectorLoop &outer = space_.loops[space_.outer[0]];
    parts_ = temporary(result_.getType(), outer.bound);
  }
  LogicalResult done = emitLoops(m_, extents, [&](ArrayRef<OpFoldResult> ivs) {
    rows_ = m_.value(space_.rows);
    columns_ = m_.value(space_.columns);
    return step(ivs);
  });
  return failed(done) || !parts_ ? done : combineParts();
}

/// Reductions over rows in one loop: their results wait in a tile and are
/// combined by one command, instead of one that waits for each of them.
bool Emitter::keepsParts() const {
  if (!space_.rowsReduce || space_.outer.size() != 1) {
    return false;
  }
  unsigned loop = space_.outer[0], out = space_.operands.size() - 1;
  return !space_.loops[loop].reduction && space_.lanes[out].block == 1 &&
         space_.operands[out].strides[loop] % kBlock == 0;
}

LogicalResult Emitter::combineParts() {
  unsigned loop = space_.outer[0], out = space_.operands.size() - 1;
  rows_ = m_.value(space_.loops[loop].size);
  columns_ = m_.value(space_.columns);
  Lane dst = laneOf(out, {m_.index(0)});
  dst.row = space_.operands[out].strides[loop];
  auto *combine = body_->getTerminator()->getOperand(0).getDefiningOp();
  binary(*combineKind(*combine), dst, dst, *parts_);
  return success();
}

Lane Emitter::laneOf(unsigned operand, ArrayRef<OpFoldResult> ivs) {
  const VectorOperand &o = space_.operands[operand];
  OpFoldResult offset = o.view.byteOffset(m_);
  for (auto [loop, iv] : llvm::zip_equal(space_.outer, ivs)) {
    offset = m_.add(offset, m_.times(iv, o.strides[loop]));
  }
  const LaneStrides &lane = space_.lanes[operand];
  return {o.view.base, m_.value(offset), lane.row, lane.block};
}

Lane Emitter::temporary(Type type, std::optional<int64_t> count) {
  int64_t bytes = type.getIntOrFloatBitWidth() / 8;
  int64_t columns =
      (space_.columnBound * bytes + kBlock - 1) / kBlock * (kBlock / bytes);
  int64_t rows = count.value_or(space_.rowBound);
  auto buffer =
      MemRefType::get({rows, columns}, type, MemRefLayoutAttrInterface(),
                      spaceAttr(m_.b.getContext(), isa::Space::UB));
  Value base = AllocOp::create(m_.b, m_.loc, buffer, "temporary");
  return {base, m_.value(m_.index(0)), columns * bytes, 1};
}

LogicalResult Emitter::step(ArrayRef<OpFoldResult> ivs) {
  lanes_.clear();
  ivs_.assign(ivs.begin(), ivs.end());
  dst_ = laneOf(space_.operands.size() - 1, ivs);
  Value yielded = body_->getTerminator()->getOperand(0);
  Operation *last = yielded.getDefiningOp();
  bool inBody = last && last->getBlock() == body_;
  if (!inBody) {
    if (isReduction()) {
      return op_.emitError("is no reduction that V does");
    }
    return move(yielded, dst_);
  }
  for (Operation &inner : body_->without_terminator()) {
    if (&inner == last) {
      break;
    }
    if (llvm::isa<arith::ConstantOp>(inner)) {
      continue;
    }
    // Fused below: exp of a difference, product of a multiply-add.
    if (inner.hasOneUse()) {
      Operation *user = *inner.getUsers().begin();
      if (llvm::isa<arith::SubFOp>(inner) && llvm::isa<math::ExpOp>(user) &&
          !constantOf(inner.getOperand(0)) &&
          !constantOf(inner.getOperand(1))) {
        continue;
      }
      if (llvm::isa<arith::MulFOp>(inner) && user == last &&
          llvm::isa<arith::AddFOp>(last) &&
          other(*last) == inner.getResult(0) &&
          llvm::is_contained(last->getOperands(), result_) && !isReduction() &&
          !constantOf(inner.getOperand(0)) &&
          !constantOf(inner.getOperand(1))) {
        continue;
      }
    }
    Lane lane = !isReduction() && computesInResult(inner)
                    ? dst_
                    : temporary(inner.getResult(0).getType());
    if (failed(compute(inner, lane))) {
      return failure();
    }
    lanes_[inner.getResult(0)] = lane;
  }
  if (isReduction()) {
    return reduce(*last);
  }
  if (llvm::isa<arith::AddFOp>(last) &&
      llvm::is_contained(last->getOperands(), result_) &&
      other(*last) != result_) {
    auto product = other(*last).getDefiningOp<arith::MulFOp>();
    if (product && product->getBlock() == body_ &&
        !lanes_.contains(product.getResult())) {
      return multiplyAdd(*last);
    }
  }
  return compute(*last, dst_);
}

/// The lane of a body value: an operand, an earlier result, or a constant.
FailureOr<Lane> Emitter::read(Value v) {
  auto known = lanes_.find(v);
  if (known != lanes_.end()) {
    return known->second;
  }
  if (std::optional<double> c = constantOf(v)) {
    Lane lane = temporary(v.getType());
    fill(lane, v.getType(), *c);
    lanes_[v] = lane;
    return lane;
  }
  auto arg = dyn_cast<BlockArgument>(v);
  if (!arg || arg.getOwner() != body_) {
    return op_.emitError("reads a value that is no constant");
  }
  unsigned index = arg.getArgNumber();
  if (!space_.operands[index].view.base) {
    return read(op_->getOperand(index)); // a scalar operand
  }
  Lane lane = laneOf(index, ivs_);
  if (space_.lanes[index].broadcast) {
    // One block per row, then block stride 0 along the columns.
    int64_t count = kBlock / space_.operands[index].view.elementBytes;
    auto type = MemRefType::get({space_.rowBound, count}, v.getType(),
                                MemRefLayoutAttrInterface(),
                                spaceAttr(m_.b.getContext(), isa::Space::UB));
    Value base = AllocOp::create(m_.b, m_.loc, type, "broadcast");
    Lane block{base, m_.value(m_.index(0)), kBlock, 1};
    VBroadcastOp::create(m_.b, m_.loc, block.base, block.offset, lane.base,
                         lane.offset, rows_, m_.value(m_.index(count)),
                         block.strides(m_), lane.strides(m_));
    block.block = 0;
    lane = block;
  }
  lanes_[v] = lane;
  return lane;
}

LogicalResult Emitter::move(Value from, const Lane &dst) {
  if (std::optional<double> c = constantOf(from)) {
    fill(dst, from.getType(), *c);
    return success();
  }
  auto arg = dyn_cast<BlockArgument>(from);
  if (arg && !space_.operands[arg.getArgNumber()].view.base) {
    std::optional<double> c = constantOf(op_->getOperand(arg.getArgNumber()));
    if (!c) {
      return op_.emitError("fills with a value that is no constant");
    }
    fill(dst, from.getType(), *c);
    return success();
  }
  FailureOr<Lane> lane = read(from);
  if (failed(lane)) {
    return failure();
  }
  unary(UnaryKind::mov, dst, *lane);
  return success();
}

LogicalResult Emitter::multiplyAdd(Operation &add) {
  auto product = other(add).getDefiningOp<arith::MulFOp>();
  FailureOr<Lane> a = read(product.getLhs()), b = read(product.getRhs());
  if (failed(a) || failed(b)) {
    return failure();
  }
  binary(BinaryKind::madd, dst_, *a, *b);
  return success();
}

std::optional<BinaryKind> Emitter::combineKind(Operation &inner) {
  if (!llvm::is_contained(inner.getOperands(), result_)) {
    return std::nullopt;
  }
  if (llvm::isa<arith::AddFOp>(inner)) {
    return BinaryKind::add;
  }
  if (llvm::isa<arith::MaximumFOp, arith::MaxNumFOp>(inner)) {
    return BinaryKind::max;
  }
  return std::nullopt;
}

/// Reduces rows or columns of one value to a temporary, then combines that
/// with what the result holds.
LogicalResult Emitter::reduce(Operation &combine) {
  std::optional<BinaryKind> kind = combineKind(combine);
  if (!kind) {
    return combine.emitError("is no reduction that V does");
  }
  FailureOr<Lane> value = read(other(combine));
  if (failed(value)) {
    return failure();
  }
  Type type = result_.getType();
  bool sum = *kind == BinaryKind::add, along = space_.columnsReduce;
  ReduceKind reduction = along ? (sum ? ReduceKind::sum_l : ReduceKind::max_l)
                               : (sum ? ReduceKind::sum_r : ReduceKind::max_r);
  Lane part;
  if (parts_) {
    part = *parts_;
    part.offset = m_.value(m_.times(ivs_[0], part.row));
  } else if (!along) {
    part = temporary(type, 1);
  } else {
    auto statistics = MemRefType::get(
        {space_.rowBound, kBlock * 8 / type.getIntOrFloatBitWidth()}, type,
        MemRefLayoutAttrInterface(),
        spaceAttr(m_.b.getContext(), isa::Space::UB));
    part = {AllocOp::create(m_.b, m_.loc, statistics, "statistics"),
            m_.value(m_.index(0)), kBlock, 1};
  }
  auto partStrides = along ? m_.b.getDenseI64ArrayAttr({1, 0})
                           : m_.b.getDenseI64ArrayAttr({0, 1});
  VReduceOp::create(m_.b, m_.loc, reduction, part.base, part.offset,
                    value->base, value->offset, rows_, columns_, partStrides,
                    value->strides(m_));
  if (parts_) {
    return success();
  }
  (along ? columns_ : rows_) = m_.value(m_.index(1));
  binary(*kind, dst_, dst_, part);
  return success();
}

LogicalResult Emitter::compute(Operation &inner, const Lane &dst) {
  Type type = inner.getResult(0).getType();
  auto one = [&](UnaryKind kind) -> LogicalResult {
    FailureOr<Lane> a = read(inner.getOperand(0));
    if (failed(a)) {
      return failure();
    }
    unary(kind, dst, *a);
    return success();
  };
  if (llvm::isa<arith::AddFOp>(inner)) {
    return computeBinary(inner, BinaryKind::add, dst);
  }
  if (llvm::isa<arith::SubFOp>(inner)) {
    return computeBinary(inner, BinaryKind::sub, dst);
  }
  if (llvm::isa<arith::MulFOp>(inner)) {
    return computeBinary(inner, BinaryKind::mul, dst);
  }
  if (llvm::isa<arith::DivFOp>(inner)) {
    return computeBinary(inner, BinaryKind::div, dst);
  }
  if (llvm::isa<arith::MaximumFOp, arith::MaxNumFOp>(inner)) {
    return computeBinary(inner, BinaryKind::max, dst);
  }
  if (llvm::isa<arith::MinimumFOp, arith::MinNumFOp>(inner)) {
    return computeBinary(inner, BinaryKind::min, dst);
  }
  if (llvm::isa<arith::ExtFOp, arith::TruncFOp>(inner)) {
    FailureOr<Lane> a = read(inner.getOperand(0));
    if (failed(a)) {
      return failure();
    }
    VCastOp::create(m_.b, m_.loc, dst.base, dst.offset, a->base, a->offset,
                    rows_, columns_, dst.strides(m_), a->strides(m_));
    return success();
  }
  if (llvm::isa<arith::NegFOp>(inner)) {
    return computeWithScalar(BinaryKind::mul, inner.getOperand(0), -1, false,
                             dst);
  }
  if (llvm::isa<math::ExpOp>(inner)) {
    auto difference = inner.getOperand(0).getDefiningOp<arith::SubFOp>();
    if (difference && !lanes_.contains(difference.getResult()) &&
        difference->getBlock() == body_) {
      return computeBinary(*difference, BinaryKind::expd, dst);
    }
    return one(UnaryKind::exp);
  }
  if (llvm::isa<math::SqrtOp>(inner)) {
    return one(UnaryKind::sqrt);
  }
  if (llvm::isa<math::TanhOp>(inner)) {
    return one(UnaryKind::tanh);
  }
  if (llvm::isa<math::RsqrtOp>(inner)) {
    if (failed(one(UnaryKind::sqrt))) {
      return failure();
    }
    unary(UnaryKind::rec, dst, dst);
    return success();
  }
  if (llvm::isa<math::AbsFOp>(inner)) {
    FailureOr<Lane> a = read(inner.getOperand(0));
    if (failed(a)) {
      return failure();
    }
    Lane negative = temporary(type);
    scalar(ScalarKind::muls, type, negative, *a, -1);
    binary(BinaryKind::max, dst, *a, negative);
    return success();
  }
  return inner.emitError("has no vector command");
}

LogicalResult Emitter::computeBinary(Operation &inner, BinaryKind kind,
                                     const Lane &dst) {
  Value lhs = inner.getOperand(0), rhs = inner.getOperand(1);
  if (kind != BinaryKind::expd) {
    if (std::optional<double> c = constantOf(rhs)) {
      return computeWithScalar(kind, lhs, *c, false, dst);
    }
    if (std::optional<double> c = constantOf(lhs)) {
      return computeWithScalar(kind, rhs, *c, true, dst);
    }
  }
  FailureOr<Lane> a = read(lhs), b = read(rhs);
  if (failed(a) || failed(b)) {
    return failure();
  }
  binary(kind, dst, *a, *b);
  return success();
}

LogicalResult Emitter::computeWithScalar(BinaryKind kind, Value v, double c,
                                         bool scalarFirst, const Lane &dst) {
  Type type = v.getType();
  FailureOr<Lane> a = read(v);
  if (failed(a)) {
    return failure();
  }
  switch (kind) {
  case BinaryKind::add:
    scalar(ScalarKind::adds, type, dst, *a, c);
    return success();
  case BinaryKind::mul:
    scalar(ScalarKind::muls, type, dst, *a, c);
    return success();
  case BinaryKind::max:
    scalar(ScalarKind::maxs, type, dst, *a, c);
    return success();
  case BinaryKind::min:
    scalar(ScalarKind::mins, type, dst, *a, c);
    return success();
  case BinaryKind::sub:
    if (!scalarFirst) {
      scalar(ScalarKind::adds, type, dst, *a, -c);
      return success();
    }
    break;
  case BinaryKind::div:
    if (scalarFirst && c == 1) {
      unary(UnaryKind::rec, dst, *a);
      return success();
    }
    break;
  default:
    break;
  }
  Lane constant = temporary(type);
  fill(constant, type, c);
  binary(kind, dst, scalarFirst ? constant : *a, scalarFirst ? *a : constant);
  return success();
}

} // namespace

LogicalResult emitVector(IndexMath &m, linalg::LinalgOp op) {
  FailureOr<VectorSpace> space = VectorSpace::of(m, op);
  if (failed(space)) {
    return failure();
  }
  return Emitter(m, op, *space).run();
}

} // namespace kiln::npu
