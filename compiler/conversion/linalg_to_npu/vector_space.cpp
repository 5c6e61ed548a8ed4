// SPDX-License-Identifier: Apache-2.0
#include "compiler/conversion/linalg_to_npu/vector_space.h"

using namespace mlir;

namespace kiln::npu {

namespace {
constexpr int64_t kBlock = isa::kBlockBytes;
constexpr int64_t kMaxBlockStride = 255, kMaxRowStride = 65535;
constexpr int64_t kMaxCount = 65535;
/// Fewest rows that make a reduction over rows worth its temporaries.
constexpr int64_t kMinReducedRows = 8;

/// Coefficient of a dimension in a linear expression.
int64_t coefficient(AffineExpr expr, unsigned dim) {
  if (auto d = dyn_cast<AffineDimExpr>(expr)) {
    return d.getPosition() == dim ? 1 : 0;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary) {
    return 0;
  }
  if (binary.getKind() == AffineExprKind::Add) {
    return coefficient(binary.getLHS(), dim) +
           coefficient(binary.getRHS(), dim);
  }
  if (auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS())) {
    return coefficient(binary.getLHS(), dim) * factor.getValue();
  }
  return 0;
}

bool isLinear(AffineExpr expr) {
  bool linear = true;
  expr.walk([&](AffineExpr e) {
    auto kind = e.getKind();
    linear &= kind == AffineExprKind::Add || kind == AffineExprKind::Mul ||
              kind == AffineExprKind::DimId || kind == AffineExprKind::Constant;
  });
  return linear;
}
} // namespace

FailureOr<VectorSpace> VectorSpace::of(IndexMath &m, linalg::LinalgOp op) {
  VectorSpace s;
  if (failed(s.readOperands(m, op))) {
    return failure();
  }
  s.dropUnitLoops();
  s.chooseColumns(m);
  s.chooseRows(m);
  for (bool reduction : {false, true}) {
    for (unsigned loop : s.left_) {
      if (s.loops[loop].reduction == reduction) {
        s.outer.push_back(loop);
      }
    }
  }
  return s;
}

LogicalResult VectorSpace::readOperands(IndexMath &m, linalg::LinalgOp op) {
  loops.resize(op.getNumLoops());
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  for (auto [loop, kind] : llvm::zip_equal(loops, kinds)) {
    loop.reduction = kind == utils::IteratorType::reduction;
  }
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    VectorOperand o;
    o.strides.assign(loops.size(), 0);
    if (!llvm::isa<MemRefType>(operand.get().getType())) {
      operands.push_back(o); // a scalar
      continue;
    }
    FailureOr<View> view = resolveView(m, operand.get());
    if (failed(view)) {
      return failure();
    }
    o.view = *view;
    for (auto [i, expr] : llvm::enumerate(map.getResults())) {
      std::optional<int64_t> stride = view->byteStride(i);
      if (!stride || !isLinear(expr)) {
        return op.emitError("an operand in UB has an unknown stride");
      }
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (dim && !loops[dim.getPosition()].size) {
        loops[dim.getPosition()].size = view->sizes[i];
      } else if (dim && getConstantIntValue(view->sizes[i])) {
        loops[dim.getPosition()].size = view->sizes[i];
      }
      for (unsigned d = 0; d < loops.size(); ++d) {
        o.strides[d] += coefficient(expr, d) * *stride;
      }
    }
    if (op.getMatchingBlockArgument(&operand).use_empty() &&
        !op.isDpsInit(&operand)) {
      o = {}; // names the extents of a window, is never read
      o.strides.assign(loops.size(), 0);
    }
    operands.push_back(o);
  }
  for (VectorLoop &loop : loops) {
    std::optional<int64_t> bound =
        loop.size ? upperBound(loop.size) : std::nullopt;
    if (!bound) {
      return op.emitError("a loop has no bound");
    }
    loop.bound = *bound;
  }
  return success();
}

void VectorSpace::dropUnitLoops() {
  for (unsigned i = 0; i < loops.size(); ++i) {
    if (getConstantIntValue(loops[i].size) != 1) {
      left_.push_back(i);
    }
  }
}

void VectorSpace::chooseColumns(IndexMath &m) {
  columns = m.index(1);
  lanes.resize(operands.size());
  columnRun_.assign(operands.size(), 0);
  std::optional<unsigned> best;
  for (unsigned loop : left_) {
    bool fits = true, used = false;
    for (unsigned o = 0; o < operands.size(); ++o) {
      int64_t stride = moves(o, loop);
      fits &= stride == 0 || stride == operands[o].view.elementBytes;
      used |= stride != 0;
    }
    bool inResult = moves(out(), loop) != 0;
    fits &= used && (inResult || loops[loop].reduction);
    if (fits && (!best || !loops[loop].reduction || loops[*best].reduction)) {
      best = loop;
    }
  }
  if (!best) {
    for (unsigned o = 0; o < operands.size(); ++o) {
      columnRun_[o] = operands[o].view.elementBytes;
    }
    return;
  }
  columns = loops[*best].size;
  columnBound = loops[*best].bound;
  columnsReduce = loops[*best].reduction;
  for (unsigned o = 0; o < operands.size(); ++o) {
    columnRun_[o] = moves(o, *best);
    lanes[o].broadcast = columnRun_[o] == 0 && operands[o].view.base;
  }
  llvm::erase(left_, *best);
  while (mergeContiguous(m)) {
  }
  mergeBlocks(m);
}

/// One more loop along the columns, when it continues every operand.
bool VectorSpace::mergeContiguous(IndexMath &m) {
  auto count = getConstantIntValue(columns);
  if (!count) {
    return false;
  }
  for (unsigned loop : left_) {
    bool fits = loops[loop].reduction == columnsReduce &&
                loops[loop].bound * *count <= kMaxCount;
    for (unsigned o = 0; o < operands.size(); ++o) {
      fits &= moves(o, loop) == columnRun_[o] * *count;
    }
    if (!fits) {
      continue;
    }
    columns = m.times(loops[loop].size, *count);
    columnBound = loops[loop].bound * *count;
    llvm::erase(left_, loop);
    return true;
  }
  return false;
}

/// Columns of exactly one block: a loop over blocks with any block stride.
bool VectorSpace::mergeBlocks(IndexMath &m) {
  auto count = getConstantIntValue(columns);
  if (!count || columnsReduce) {
    return false;
  }
  for (unsigned o = 0; o < operands.size(); ++o) {
    if (operands[o].view.base && columnRun_[o] * *count != kBlock) {
      return false;
    }
  }
  std::optional<unsigned> best;
  for (unsigned loop : left_) {
    bool fits = !loops[loop].reduction && moves(out(), loop) != 0 &&
                loops[loop].bound * *count <= kMaxCount;
    for (unsigned o = 0; o < operands.size(); ++o) {
      int64_t stride = moves(o, loop);
      fits &= stride % kBlock == 0 && stride / kBlock <= kMaxBlockStride;
    }
    if (fits && (!best || loops[loop].bound > loops[*best].bound)) {
      best = loop;
    }
  }
  if (!best) {
    return false;
  }
  columns = m.times(loops[*best].size, *count);
  columnBound = loops[*best].bound * *count;
  for (unsigned o = 0; o < operands.size(); ++o) {
    lanes[o].block = moves(o, *best) / kBlock;
  }
  llvm::erase(left_, *best);
  return true;
}

bool VectorSpace::canBeRows(unsigned loop) const {
  if (loops[loop].bound > kMaxCount) {
    return false;
  }
  for (unsigned o = 0; o < operands.size(); ++o) {
    int64_t stride = moves(o, loop);
    bool element = lanes[o].broadcast && stride % kBlock == 0;
    if ((stride % kBlock != 0 && !element) || stride / kBlock > kMaxRowStride) {
      return false;
    }
  }
  return loops[loop].reduction ? !columnsReduce && moves(out(), loop) == 0
                               : moves(out(), loop) != 0;
}

void VectorSpace::chooseRows(IndexMath &m) {
  rows = m.index(1);
  std::optional<unsigned> best;
  for (unsigned loop : left_) {
    if (!canBeRows(loop)) {
      continue;
    }
    int64_t bound = loops[loop].bound;
    if (loops[loop].reduction &&
        (bound < kMinReducedRows || columnBound >= bound * 8)) {
      continue; // its steps are long vectors already
    }
    if (!best || bound > loops[*best].bound) {
      best = loop;
    }
  }
  if (!best) {
    return;
  }
  rows = loops[*best].size;
  rowBound = loops[*best].bound;
  rowsReduce = loops[*best].reduction;
  for (unsigned o = 0; o < operands.size(); ++o) {
    lanes[o].row = moves(o, *best);
  }
  llvm::erase(left_, *best);
  // Further loops that continue the rows of every operand.
  for (bool merged = true; merged;) {
    merged = false;
    auto count = getConstantIntValue(rows);
    for (unsigned loop : left_) {
      bool fits = count && canBeRows(loop) &&
                  loops[loop].reduction == rowsReduce &&
                  loops[loop].bound * *count <= kMaxCount;
      for (unsigned o = 0; fits && o < operands.size(); ++o) {
        fits &= moves(o, loop) == lanes[o].row * *count;
      }
      if (!fits) {
        continue;
      }
      rows = m.times(loops[loop].size, *count);
      rowBound = loops[loop].bound * *count;
      llvm::erase(left_, loop);
      merged = true;
      break;
    }
  }
}

} // namespace kiln::npu
