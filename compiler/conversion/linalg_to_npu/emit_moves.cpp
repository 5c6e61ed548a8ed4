// SPDX-License-Identifier: Apache-2.0
#include "compiler/conversion/linalg_to_npu/emit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace kiln::npu {

namespace {

constexpr int64_t kBlock = isa::kBlockBytes;

/// One dimension of a copy: extent and strides in bytes on both sides.
struct CopyDim {
  OpFoldResult size;
  OpFoldResult gmStride;
  int64_t localStride;
};

struct CopyPlan {
  OpFoldResult rowBytes;
  CopyDim rows;
  SmallVector<CopyDim> outer; // loops around the command
};

/// The innermost dimensions that are contiguous on both sides become one row;
/// the largest of the rest is the command's row count.
CopyPlan planCopy(IndexMath &m, SmallVector<CopyDim> dims, int64_t bytes) {
  llvm::erase_if(
      dims, [](const CopyDim &d) { return getConstantIntValue(d.size) == 1; });
  OpFoldResult run = m.index(bytes);
  while (!dims.empty()) {
    const CopyDim &d = dims.back();
    auto known = getConstantIntValue(run);
    if (!known || d.localStride != *known ||
        getConstantIntValue(d.gmStride) != known) {
      break;
    }
    run = m.times(d.size, *known);
    dims.pop_back();
  }
  CopyPlan plan{run, {m.index(1), m.index(0), 0}, {}};
  int64_t best = -1, bestSize = 0;
  for (auto [i, d] : llvm::enumerate(dims)) {
    int64_t size = upperBound(d.size).value_or(1 << 16);
    if (d.localStride % kBlock == 0 && size > bestSize && size < (1 << 16)) {
      best = i;
      bestSize = size;
    }
  }
  for (auto [i, d] : llvm::enumerate(dims)) {
    if (static_cast<int64_t>(i) == best) {
      plan.rows = d;
    } else {
      plan.outer.push_back(d);
    }
  }
  return plan;
}

Value stridesAttrOffset(IndexMath &m, const View &v, ArrayRef<CopyDim> outer,
                        ArrayRef<OpFoldResult> ivs, bool gm) {
  OpFoldResult offset = v.byteOffset(m);
  for (auto [d, iv] : llvm::zip_equal(outer, ivs)) {
    OpFoldResult move;
    if (!gm) {
      move = m.times(iv, d.localStride);
    } else if (auto stride = getConstantIntValue(d.gmStride)) {
      move = m.times(iv, *stride);
    } else {
      move = arith::MulIOp::create(m.b, m.loc, m.value(iv), m.value(d.gmStride))
                 .getResult();
    }
    offset = m.add(offset, move);
  }
  return m.value(offset);
}

} // namespace

LogicalResult
emitLoops(IndexMath &m, ArrayRef<OpFoldResult> extents,
          const std::function<LogicalResult(ArrayRef<OpFoldResult>)> &body) {
  OpBuilder::InsertionGuard guard(m.b);
  SmallVector<OpFoldResult> ivs;
  for (OpFoldResult extent : extents) {
    if (getConstantIntValue(extent) == 1) {
      ivs.push_back(m.index(0));
      continue;
    }
    auto loop = scf::ForOp::create(m.b, m.loc, m.value(m.index(0)),
                                   m.value(extent), m.value(m.index(1)));
    m.b.setInsertionPointToStart(loop.getBody());
    ivs.push_back(loop.getInductionVar());
  }
  return body(ivs);
}

LogicalResult emitCopy(IndexMath &m, const View &dst, const View &src) {
  bool toLocal = src.space() == isa::Space::GM;
  const View &gm = toLocal ? src : dst, &local = toLocal ? dst : src;
  if ((dst.space() == isa::Space::GM) == toLocal || gm.rank() != local.rank()) {
    return emitError(m.loc, "a copy is from GM to local memory or back");
  }
  SmallVector<CopyDim> dims;
  for (unsigned i = 0; i < gm.rank(); ++i) {
    std::optional<int64_t> stride = local.byteStride(i);
    if (!stride) {
      return emitError(m.loc, "a local buffer has an unknown stride");
    }
    dims.push_back({gm.sizes[i], gm.byteStride(m, i), *stride});
  }
  CopyPlan plan = planCopy(m, dims, gm.elementBytes);
  if (plan.rows.localStride % kBlock != 0 ||
      llvm::any_of(plan.outer, [](const CopyDim &d) {
        return d.localStride % kBlock != 0;
      })) {
    return emitError(m.loc, "rows of a local tile are not multiples of 32 "
                            "bytes apart");
  }
  SmallVector<OpFoldResult> extents;
  for (const CopyDim &d : plan.outer) {
    extents.push_back(d.size);
  }
  return emitLoops(m, extents, [&](ArrayRef<OpFoldResult> ivs) {
    Value gmOffset = stridesAttrOffset(m, gm, plan.outer, ivs, true);
    Value offset = stridesAttrOffset(m, local, plan.outer, ivs, false);
    auto strides =
        m.b.getDenseI64ArrayAttr({plan.rows.localStride / kBlock, 1});
    Value rows = m.value(plan.rows.size), bytes = m.value(plan.rowBytes);
    Value stride = m.value(plan.rows.gmStride);
    if (toLocal) {
      LoadOp::create(m.b, m.loc, local.base, offset, gm.base, gmOffset, rows,
                     bytes, stride, strides);
    } else {
      StoreOp::create(m.b, m.loc, gm.base, gmOffset, local.base, offset, rows,
                      bytes, stride, strides);
    }
    return success();
  });
}

LogicalResult emitCopy(IndexMath &m, linalg::CopyOp op) {
  FailureOr<View> src = resolveView(m, op.getInputs()[0]);
  FailureOr<View> dst = resolveView(m, op.getOutputs()[0]);
  if (failed(src) || failed(dst)) {
    return failure();
  }
  return emitCopy(m, *dst, *src);
}

LogicalResult emitIm2col(IndexMath &m, Im2colOp op) {
  FailureOr<View> image = resolveView(m, op.getSource());
  FailureOr<View> dst = resolveView(m, op.getInit());
  if (failed(image) || failed(dst)) {
    return failure();
  }
  auto source = cast<ShapedType>(op.getSource().getType());
  int64_t c0 = source.getDimSize(3);
  std::optional<int64_t> plane = image->byteStride(0);
  bool knownBlocks = op.getC1From() || !source.isDynamicDim(0);
  if (!plane || source.isDynamicDim(2) || !knownBlocks) {
    return op.emitError("needs a static width and number of channel blocks");
  }
  // A whole image has static channels; a slice of them says how many.
  int64_t c1 = source.getDimSize(0);
  Value channels;
  if (op.getC1From()) {
    c1 = (op.getCValid() + c0 - 1) / c0;
    OpFoldResult valid = m.min({m.d(0) * c0, m.c(op.getCValid()) - m.d(1) * c0},
                               {image->sizes[0], op.getC1From()});
    channels = m.value(valid);
  }
  LoadIm2colOp::create(
      m.b, m.loc, dst->base, m.value(dst->byteOffset(m)), image->base,
      m.value(image->byteOffset(m)), op.getMStart(), m.value(dst->sizes[0]),
      m.value(m.floorDiv(op.getKStart(), c0)),
      m.value(m.ceilDiv(dst->sizes[1], c0)), m.value(image->sizes[1]),
      op.getPadTop(), channels, source.getDimSize(2), op.getOw(),
      op.getPadLeft(), op.getKernel(), op.getStride(), op.getDilation(), c1,
      *plane / kBlock, op.getCValid() - (c1 - 1) * c0);
  return success();
}

LogicalResult emitUnpack(IndexMath &m, UnpackOp op) {
  FailureOr<View> src = resolveView(m, op.getSource());
  FailureOr<View> dst = resolveView(m, op.getInit());
  if (failed(src) || failed(dst)) {
    return failure();
  }
  std::optional<int64_t> plane = src->byteStride(0);
  int64_t c0 = kBlock / src->elementBytes;
  if (!plane || *plane % isa::kFractalBytes != 0) {
    return op.emitError("blocks of the source are not whole fractals apart");
  }
  bool toA = dst->space() == isa::Space::L0A;
  bool byRows = op.getKind() == "rows";
  OpFoldResult x = dst->sizes[byRows ? 0 : 1], b = dst->sizes[byRows ? 1 : 0];
  OpFoldResult xCount = m.ceilDiv(x, isa::kCellRows), bCount = m.ceilDiv(b, c0);
  int64_t blocks = *plane / isa::kFractalBytes;
  // L0A wants [m/16][k/C0], L0B [k/C0][n/16]: a source blocked along the other
  // dimension of L0B needs its fractals transposed.
  bool transpose = !toA && byRows;
  if (toA && !byRows) {
    return op.emitError("the left operand is blocked along k");
  }
  if (transpose && src->elementBytes != 2) {
    return op.emitError("fractals are transposed for 16-bit elements only");
  }
  OpFoldResult outer = byRows ? xCount : bCount;
  OpFoldResult inner = byRows ? bCount : xCount;
  auto command = LoadL0Op::create(
      m.b, m.loc, dst->base, m.value(dst->byteOffset(m)), src->base,
      m.value(src->byteOffset(m)), m.value(outer), m.value(inner),
      byRows ? 1 : blocks, byRows ? blocks : 1);
  command.setTranspose(transpose);
  return success();
}

LogicalResult emitPack(IndexMath &m, PackOp op) {
  FailureOr<View> src = resolveView(m, op.getSource());
  FailureOr<View> dst = resolveView(m, op.getInit());
  if (failed(src) || failed(dst)) {
    return failure();
  }
  std::optional<int64_t> plane = dst->byteStride(0);
  if (!plane || getConstantIntValue(src->strides[1]) != 1) {
    return op.emitError("rows of the source are not contiguous");
  }
  LoadNzOp::create(m.b, m.loc, dst->base, m.value(dst->byteOffset(m)),
                   src->base, m.value(src->byteOffset(m)),
                   m.value(src->sizes[0]),
                   m.value(m.times(src->sizes[1], src->elementBytes)),
                   m.value(src->byteStride(m, 0)), *plane / kBlock);
  return success();
}

namespace {

/// Rows and pixels of a tile [C1, H, W, C0].
struct PadBox {
  OpFoldResult row, column, rows, columns;
};

LogicalResult fillBox(IndexMath &m, const View &tile, const PadBox &box,
                      Value value) {
  int64_t plane = *tile.byteStride(0), row = *tile.byteStride(1);
  OpFoldResult start =
      m.add(tile.byteOffset(m),
            m.apply(m.d(0) * row + m.d(1) * kBlock, {box.row, box.column}));
  OpFoldResult elements = m.times(box.columns, kBlock / tile.elementBytes);
  return emitLoops(m, {tile.sizes[0]}, [&](ArrayRef<OpFoldResult> ivs) {
    OpFoldResult at = m.add(start, m.times(ivs[0], plane));
    VDupOp::create(m.b, m.loc, tile.base, m.value(at), value, m.value(box.rows),
                   m.value(elements),
                   m.b.getDenseI64ArrayAttr({row / kBlock, 1}));
    return success();
  });
}

} // namespace

LogicalResult emitPad(IndexMath &m, PadOp op) {
  FailureOr<View> src = resolveView(m, op.getSource());
  FailureOr<View> dst = resolveView(m, op.getInit());
  if (failed(src) || failed(dst)) {
    return failure();
  }
  View interior = *dst;
  interior.sizes = src->sizes;
  OpFoldResult top = op.getPadTop(), left = op.getPadLeft();
  if (!dst->byteStride(0) || !dst->byteStride(1)) {
    return op.emitError("destination with unknown strides");
  }
  int64_t pixel = kBlock / dst->elementBytes;
  int64_t row = *dst->byteStride(1) / dst->elementBytes;
  interior.offset =
      m.add(dst->offset, m.apply(m.d(0) * row + m.d(1) * pixel, {top, left}));
  if (failed(emitCopy(m, interior, *src))) {
    return failure();
  }
  // The border in four boxes: above, below, left and right of the interior.
  OpFoldResult rows = dst->sizes[1], columns = dst->sizes[2];
  OpFoldResult innerRows = src->sizes[1], innerColumns = src->sizes[2];
  AffineExpr rest = m.d(0) - m.d(1) - m.d(2);
  OpFoldResult zero = m.index(0);
  OpFoldResult below = m.add(top, innerRows), right = m.add(left, innerColumns);
  const PadBox boxes[] = {
      {zero, zero, top, columns},
      {below, zero, m.apply(rest, {rows, top, innerRows}), columns},
      {top, zero, innerRows, left},
      {top, right, innerRows, m.apply(rest, {columns, left, innerColumns})}};
  Value value =
      scalarBits(m, dst->elementType(), op.getValue().convertToDouble());
  for (const PadBox &box : boxes) {
    if (getConstantIntValue(box.rows) == 0 ||
        getConstantIntValue(box.columns) == 0) {
      continue;
    }
    if (failed(fillBox(m, *dst, box, value))) {
      return failure();
    }
  }
  return success();
}

namespace {

/// One vtr per block of channels; `planar` is [C, X], `blocked` [C1, X, C0].
LogicalResult emitTranspose(IndexMath &m, TransposeKind kind, Operation *op,
                            Value planarValue, Value blockedValue) {
  FailureOr<View> planar = resolveView(m, planarValue);
  FailureOr<View> blocked = resolveView(m, blockedValue);
  if (failed(planar) || failed(blocked)) {
    return failure();
  }
  std::optional<int64_t> row = planar->byteStride(0);
  std::optional<int64_t> plane = blocked->byteStride(0);
  int64_t c0 = kBlock / planar->elementBytes;
  if (!row || !plane || *row % kBlock != 0 ||
      blocked->byteStride(1) != std::optional<int64_t>(kBlock) ||
      getConstantIntValue(planar->strides[1]) != 1) {
    return op->emitError("tile is not in whole blocks of 32 bytes");
  }
  OpFoldResult blocks = m.ceilDiv(planar->sizes[0], c0);
  return emitLoops(m, {blocks}, [&](ArrayRef<OpFoldResult> ivs) {
    OpFoldResult rows =
        m.min({m.c(c0), m.d(0) - m.d(1) * c0}, {planar->sizes[0], ivs[0]});
    Value planarAt =
        m.value(m.add(planar->byteOffset(m), m.times(ivs[0], *row * c0)));
    Value blockedAt =
        m.value(m.add(blocked->byteOffset(m), m.times(ivs[0], *plane)));
    auto planarStrides = m.b.getDenseI64ArrayAttr({*row / kBlock, 1});
    auto blockedStrides = m.b.getDenseI64ArrayAttr({0, 1});
    bool in = kind == TransposeKind::in;
    VTransposeOp::create(
        m.b, m.loc, kind, in ? blocked->base : planar->base,
        in ? blockedAt : planarAt, in ? planar->base : blocked->base,
        in ? planarAt : blockedAt, m.value(rows), m.value(planar->sizes[1]),
        in ? blockedStrides : planarStrides,
        in ? planarStrides : blockedStrides);
    return success();
  });
}

} // namespace

LogicalResult emitBlock(IndexMath &m, BlockOp op) {
  return emitTranspose(m, TransposeKind::in, op, op.getSource(), op.getInit());
}

LogicalResult emitUnblock(IndexMath &m, UnblockOp op) {
  return emitTranspose(m, TransposeKind::out, op, op.getInit(), op.getSource());
}

} // namespace kiln::npu
