// SPDX-License-Identifier: Apache-2.0
#include "compiler/conversion/linalg_to_npu/emit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace kiln::npu {

namespace {

constexpr int64_t kInitZero = 0, kAccumulate = 1, kInitBias = 2;

/// The fill or broadcast that the accumulator starts from: the last writer of
/// the same view before the loops over k.
Operation *accumulatorInit(linalg::MatmulOp op) {
  Value acc = op.getDpsInits()[0];
  Operation *found = nullptr;
  for (Operation *user : acc.getUsers()) {
    if (llvm::isa<linalg::FillOp, linalg::BroadcastOp>(user)) {
      found = user;
    }
  }
  return found;
}

/// Loops over k: those around the product that the init is outside of.
SmallVector<scf::ForOp> loopsOverK(Operation *op, Operation *init) {
  SmallVector<scf::ForOp> loops;
  for (auto loop = op->getParentOfType<scf::ForOp>();
       loop && !loop->isAncestor(init);
       loop = loop->getParentOfType<scf::ForOp>()) {
    loops.push_back(loop);
  }
  return loops;
}

/// The init mode in the first step over k, then accumulate.
Value modeOf(IndexMath &m, linalg::MatmulOp op, Operation *init,
             int64_t initMode) {
  Value first;
  for (scf::ForOp loop : loopsOverK(op, init)) {
    Value at =
        arith::CmpIOp::create(m.b, m.loc, arith::CmpIPredicate::eq,
                              loop.getInductionVar(), loop.getLowerBound());
    first = first ? Value(arith::AndIOp::create(m.b, m.loc, first, at)) : at;
  }
  Value start = m.value(m.index(initMode));
  if (!first) {
    return start;
  }
  return arith::SelectOp::create(m.b, m.loc, first, start,
                                 m.value(m.index(kAccumulate)));
}

/// Copies the bias of a tile to the bias table, where the broadcast stands.
FailureOr<Value> loadBias(IndexMath &m, linalg::BroadcastOp op) {
  OpBuilder::InsertionGuard guard(m.b);
  m.b.setInsertionPoint(op);
  FailureOr<View> src = resolveView(m, op.getInput());
  if (failed(src)) {
    return failure();
  }
  auto acc = cast<MemRefType>(op.getInit().getType());
  FailureOr<View> dst = resolveView(m, op.getInit());
  if (failed(dst)) {
    return failure();
  }
  auto capacity = cast<MemRefType>(dst->base.getType()).getDimSize(1);
  auto type = MemRefType::get({capacity}, acc.getElementType(),
                              MemRefLayoutAttrInterface(),
                              spaceAttr(m.b.getContext(), isa::Space::BT));
  Value table = AllocOp::create(m.b, m.loc, type, "bias_table", 2);
  LoadBiasOp::create(m.b, m.loc, table, m.value(m.index(0)), src->base,
                     m.value(src->byteOffset(m)),
                     m.value(m.times(src->sizes[0], src->elementBytes)));
  return table;
}

} // namespace

LogicalResult emitMatmul(IndexMath &m, linalg::MatmulOp op) {
  FailureOr<View> a = resolveView(m, op.getDpsInputs()[0]);
  FailureOr<View> b = resolveView(m, op.getDpsInputs()[1]);
  FailureOr<View> acc = resolveView(m, op.getDpsInits()[0]);
  if (failed(a) || failed(b) || failed(acc)) {
    return failure();
  }
  Operation *init = accumulatorInit(op);
  if (!init) {
    return op.emitError("accumulator is neither filled nor broadcast");
  }
  Value bias, biasOffset;
  int64_t mode = kInitZero;
  if (auto broadcast = dyn_cast<linalg::BroadcastOp>(init)) {
    FailureOr<Value> table = loadBias(m, broadcast);
    if (failed(table)) {
      return failure();
    }
    bias = *table;
    biasOffset = m.value(m.index(0));
    mode = kInitBias;
  } else if (!matchPattern(cast<linalg::FillOp>(init).getInputs()[0],
                           m_AnyZeroFloat())) {
    return init->emitError("an accumulator starts from zero or a bias");
  }
  MmadOp::create(m.b, m.loc, acc->base, m.value(acc->byteOffset(m)), a->base,
                 m.value(a->byteOffset(m)), b->base, m.value(b->byteOffset(m)),
                 bias, biasOffset, m.value(acc->sizes[0]),
                 m.value(acc->sizes[1]), m.value(a->sizes[1]),
                 modeOf(m, op, init, mode));
  return success();
}

LogicalResult emitFix(IndexMath &m, linalg::GenericOp op) {
  FailureOr<View> acc = resolveView(m, op.getDpsInputs()[0]);
  FailureOr<View> dst = resolveView(m, op.getDpsInits()[0]);
  if (failed(acc) || failed(dst)) {
    return failure();
  }
  ActivationKind activation = ActivationKind::none;
  FloatAttr scale;
  Value expected = op.getBody()->getArgument(0);
  for (Operation &inner : op.getBody()->without_terminator()) {
    FloatAttr constant;
    bool chained = inner.getOperand(0) == expected;
    if (chained && llvm::isa<arith::MaximumFOp, arith::MaxNumFOp>(inner) &&
        matchPattern(inner.getOperand(1), m_AnyZeroFloat())) {
      activation = ActivationKind::relu;
    } else if (chained && llvm::isa<arith::MulFOp>(inner) &&
               activation == ActivationKind::none &&
               matchPattern(inner.getOperand(1), m_Constant(&constant))) {
      scale = m.b.getF32FloatAttr(constant.getValue().convertToDouble());
    } else if (!chained || !llvm::isa<arith::TruncFOp>(inner)) {
      return inner.emitError("is nothing that FIX does");
    }
    expected = inner.getResult(0);
  }
  if (op.getBody()->getTerminator()->getOperand(0) != expected) {
    return op.emitError("is nothing that FIX does");
  }
  bool blocked = dst->rank() == 3;
  OpFoldResult columns = blocked ? dst->byteStride(m, 0) : m.index(32);
  OpFoldResult pitch = dst->byteStride(m, blocked ? 1 : 0);
  FixOp::create(m.b, m.loc, dst->base, m.value(dst->byteOffset(m)), acc->base,
                m.value(acc->byteOffset(m)), m.value(acc->sizes[0]),
                m.value(acc->sizes[1]),
                m.value(m.ceilDiv(acc->sizes[0], isa::kCellRows)),
                m.value(columns), m.value(pitch), activation, scale);
  return success();
}

} // namespace kiln::npu
