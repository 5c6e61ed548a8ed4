// SPDX-License-Identifier: Apache-2.0
//
// Per move: which slice of the source a tile of the result needs, and what the
// types must satisfy. Offsets and sizes are affine expressions, composed and
// folded, so constants stay constants through every level of tiling.
#include "compiler/dialect/npu/NpuIndexMath.h"
#include "compiler/dialect/npu/NpuMoveOps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace kiln::npu {

namespace {

using Offsets = ArrayRef<OpFoldResult>;

ShapedType shapeOf(Value v) { return cast<ShapedType>(v.getType()); }

tensor::ExtractSliceOp slice(IndexMath &m, Value v, Offsets offsets,
                             Offsets sizes) {
  SmallVector<OpFoldResult> ones(offsets.size(), m.b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(m.b, m.loc, v, offsets, sizes, ones);
}

/// The tile of a move: the same operation on a slice of the source and the
/// tile of init, with the given index operands and attributes.
TilingResult tileOf(IndexMath &m, Operation *op, tensor::ExtractSliceOp source,
                    Offsets offsets, Offsets sizes, ValueRange indices = {}) {
  auto init = slice(m, op->getOperand(1), offsets, sizes);
  SmallVector<Value> operands{source ? source.getResult() : op->getOperand(0),
                              init};
  llvm::append_range(operands, indices);
  OperationState state(op->getLoc(), op->getName(), operands,
                       TypeRange{init.getType()}, op->getAttrs());
  Operation *tile = m.b.create(state);
  SmallVector<Operation *> slices{init};
  if (source) {
    slices.push_back(source);
  }
  return {{tile}, {tile->getResult(0)}, slices};
}

struct RowSlice {
  OpFoldResult first, count, padTop;
};

/// Image rows that `rows` output rows from `start` reach: a tile of a tile is
/// right again, because positions are relative to the slice and its padding.
RowSlice sliceRows(IndexMath &m, OpFoldResult start, OpFoldResult rows,
                   OpFoldResult padTop, OpFoldResult height, int64_t stride,
                   int64_t reach) {
  OpFoldResult first = m.apply(m.d(0) * stride - m.d(1), {start, padTop});
  OpFoldResult from = m.max({m.d(0), m.c(0)}, {first});
  OpFoldResult end = m.min({m.d(0) + (m.d(1) - 1) * stride + reach, m.d(2)},
                           {first, rows, height});
  return {from, m.apply(m.d(0) - m.d(1), {end, from}),
          m.max({-m.d(0), m.c(0)}, {first})};
}

LogicalResult checkTypes(Operation *op, int64_t sourceRank, int64_t initRank) {
  auto source = shapeOf(op->getOperand(0)), init = shapeOf(op->getOperand(1));
  if (source.getRank() != sourceRank || init.getRank() != initRank) {
    return op->emitOpError("needs a source of rank ")
           << sourceRank << " and an init of rank " << initRank << ", got "
           << source.getRank() << " and " << init.getRank();
  }
  if (source.getElementType() != init.getElementType()) {
    return op->emitOpError("source and init differ in element type");
  }
  if (op->getNumResults() > 1 ||
      (op->getNumResults() == 1 && op->getResult(0).getType() != init)) {
    return op->emitOpError("result is not of the type of init");
  }
  if (op->getNumResults() == 0 && llvm::isa<TensorType>(init)) {
    return op->emitOpError("on tensors has one result");
  }
  return success();
}

/// Elements of a 32-byte block.
int64_t blockOf(Value v) {
  return isa::kBlockBytes * 8 / shapeOf(v).getElementTypeBitWidth();
}

LogicalResult checkBlocked(Operation *op, Value blocked) {
  ShapedType type = shapeOf(blocked);
  int64_t c0 = blockOf(blocked), last = type.getShape().back();
  if (last != c0) {
    return op->emitOpError("last dimension of ")
           << type << " must be " << c0 << " (32 bytes)";
  }
  return success();
}

} // namespace

//===----------------------------------------------------------------------===//
// im2col
//===----------------------------------------------------------------------===//

LogicalResult Im2colOp::verify() {
  if (failed(checkTypes(*this, 4, 2)) ||
      failed(checkBlocked(*this, getSource()))) {
    return failure();
  }
  for (ArrayRef<int64_t> pair : {getKernel(), getStride(), getDilation()}) {
    if (pair.size() != 2 || pair[0] < 1 || pair[1] < 1) {
      return emitOpError("kernel, stride and dilation are two positive sizes");
    }
  }
  if (getOw() < 1 || getPadLeft() < 0 || getCValid() < 1) {
    return emitOpError("ow and c_valid are positive, pad_left is not negative");
  }
  return success();
}

FailureOr<TilingResult>
Im2colOp::getTiledImplementation(OpBuilder &b, Offsets offsets, Offsets sizes) {
  IndexMath m{b, getLoc()};
  Value source = getSource();
  auto indices = [&](Value padTop, Value row, Value column, Value block) {
    SmallVector<Value> list{padTop, row, column};
    if (block) {
      list.push_back(block);
    }
    return list;
  };
  SmallVector<OpFoldResult> from(4, m.index(0));
  SmallVector<OpFoldResult> extent;
  if (!getByRows()) {
    Value start = m.value(m.add(getMStart(), offsets[0]));
    if (!getByChannels()) {
      Value column = m.value(m.add(getKStart(), offsets[1]));
      return tileOf(m, *this, {}, offsets, sizes,
                    indices(getPadTop(), start, column, getC1From()));
    }
    int64_t taps = getKernel()[0] * getKernel()[1] * blockOf(source);
    extent = tensor::getMixedSizes(b, m.loc, source);
    from[0] = m.floorDiv(offsets[1], taps);
    extent[0] = m.ceilDiv(sizes[1], taps);
    OpFoldResult block = getC1From() ? m.add(getC1From(), from[0]) : from[0];
    return tileOf(m, *this, slice(m, source, from, extent), offsets, sizes,
                  indices(getPadTop(), start, getKStart(), m.value(block)));
  }
  extent = tensor::getMixedSizes(b, m.loc, source);
  int64_t reach = (getKernel()[0] - 1) * getDilation()[0] + 1;
  RowSlice rows = sliceRows(m, m.floorDiv(offsets[0], getOw()),
                            m.floorDiv(sizes[0], getOw()), getPadTop(),
                            extent[1], getStride()[0], reach);
  from[1] = rows.first;
  extent[1] = rows.count;
  Value column = m.value(m.add(getKStart(), offsets[1]));
  return tileOf(
      m, *this, slice(m, source, from, extent), offsets, sizes,
      indices(m.value(rows.padTop), getMStart(), column, getC1From()));
}

//===----------------------------------------------------------------------===//
// unpack, pack
//===----------------------------------------------------------------------===//

LogicalResult UnpackOp::verify() {
  if (failed(checkTypes(*this, 3, 2)) ||
      failed(checkBlocked(*this, getSource()))) {
    return failure();
  }
  if (getKind() != "rows" && getKind() != "columns") {
    return emitOpError("kind is \"rows\" or \"columns\", not \"")
           << getKind() << "\"";
  }
  return success();
}

/// A fractal has 16 rows: the slice takes as many of a tail's as exist, so that
/// what a fractal copies was written.
static OpFoldResult wholeCells(IndexMath &m, Value source, OpFoldResult size,
                               OpFoldResult offset) {
  auto known = getConstantIntValue(size);
  constexpr int64_t kRows = isa::kCellRows;
  if (known && *known % kRows == 0) {
    return size;
  }
  OpFoldResult rows = tensor::getMixedSize(m.b, m.loc, source, 1);
  return m.min({m.d(0).ceilDiv(kRows) * kRows, m.d(2) - m.d(1)},
               {size, offset, rows});
}

FailureOr<TilingResult>
UnpackOp::getTiledImplementation(OpBuilder &b, Offsets offsets, Offsets sizes) {
  IndexMath m{b, getLoc()};
  int64_t c0 = blockOf(getSource());
  unsigned blocked = getKind() == "rows" ? 1 : 0, plain = 1 - blocked;
  SmallVector<OpFoldResult> from{m.floorDiv(offsets[blocked], c0),
                                 offsets[plain], m.index(0)};
  SmallVector<OpFoldResult> extent{
      m.ceilDiv(sizes[blocked], c0),
      wholeCells(m, getSource(), sizes[plain], offsets[plain]), m.index(c0)};
  return tileOf(m, *this, slice(m, getSource(), from, extent), offsets, sizes);
}

LogicalResult PackOp::verify() {
  return success(succeeded(checkTypes(*this, 2, 3)) &&
                 succeeded(checkBlocked(*this, getInit())));
}

FailureOr<TilingResult>
PackOp::getTiledImplementation(OpBuilder &b, Offsets offsets, Offsets sizes) {
  IndexMath m{b, getLoc()};
  int64_t c0 = blockOf(getSource());
  OpFoldResult columns = tensor::getMixedSize(b, m.loc, getSource(), 1);
  OpFoldResult count = m.min({m.d(0) * c0, m.d(2) - m.d(1) * c0},
                             {sizes[0], offsets[0], columns});
  SmallVector<OpFoldResult> from{offsets[1], m.times(offsets[0], c0)};
  SmallVector<OpFoldResult> extent{sizes[1], count};
  return tileOf(m, *this, slice(m, getSource(), from, extent), offsets, sizes);
}

//===----------------------------------------------------------------------===//
// block, unblock
//===----------------------------------------------------------------------===//

LogicalResult BlockOp::verify() {
  return success(succeeded(checkTypes(*this, 2, 3)) &&
                 succeeded(checkBlocked(*this, getInit())));
}

FailureOr<TilingResult>
BlockOp::getTiledImplementation(OpBuilder &b, Offsets offsets, Offsets sizes) {
  IndexMath m{b, getLoc()};
  int64_t c0 = blockOf(getSource());
  OpFoldResult channels = tensor::getMixedSize(b, m.loc, getSource(), 0);
  OpFoldResult count = m.min({m.d(0) * c0, m.d(2) - m.d(1) * c0},
                             {sizes[0], offsets[0], channels});
  SmallVector<OpFoldResult> from{m.times(offsets[0], c0), offsets[1]};
  SmallVector<OpFoldResult> extent{count, sizes[1]};
  return tileOf(m, *this, slice(m, getSource(), from, extent), offsets, sizes);
}

LogicalResult UnblockOp::verify() {
  return success(succeeded(checkTypes(*this, 3, 2)) &&
                 succeeded(checkBlocked(*this, getSource())));
}

FailureOr<TilingResult> UnblockOp::getTiledImplementation(OpBuilder &b,
                                                          Offsets offsets,
                                                          Offsets sizes) {
  IndexMath m{b, getLoc()};
  int64_t c0 = blockOf(getSource());
  SmallVector<OpFoldResult> from{m.floorDiv(offsets[0], c0), offsets[1],
                                 m.index(0)};
  SmallVector<OpFoldResult> extent{m.ceilDiv(sizes[0], c0), sizes[1],
                                   m.index(c0)};
  return tileOf(m, *this, slice(m, getSource(), from, extent), offsets, sizes);
}

//===----------------------------------------------------------------------===//
// pad
//===----------------------------------------------------------------------===//

LogicalResult PadOp::verify() {
  if (failed(checkTypes(*this, 4, 4)) ||
      failed(checkBlocked(*this, getInit()))) {
    return failure();
  }
  return success();
}

/// What a tile of a padded dimension holds of the source: maybe nothing.
struct Clamped {
  OpFoldResult from, count, pad;
};

static Clamped clampToSource(IndexMath &m, OpFoldResult start,
                             OpFoldResult size, OpFoldResult pad,
                             OpFoldResult extent) {
  OpFoldResult first = m.apply(m.d(0) - m.d(1), {start, pad});
  OpFoldResult begin = m.max({m.d(0), m.c(0)}, {first});
  OpFoldResult end = m.min({m.d(0) + m.d(1), m.d(2)}, {first, size, extent});
  OpFoldResult some = m.max({m.d(0) - m.d(1), m.c(0)}, {end, begin});
  // The bound of a maximum is not known: the tile's own size is one.
  return {m.min({m.d(0), m.d(1)}, {begin, extent}),
          m.min({m.d(0), m.d(1)}, {some, size}),
          m.min({m.d(0), m.d(1)}, {m.max({-m.d(0), m.c(0)}, {first}), size})};
}

FailureOr<TilingResult>
PadOp::getTiledImplementation(OpBuilder &b, Offsets offsets, Offsets sizes) {
  IndexMath m{b, getLoc()};
  SmallVector<OpFoldResult> extent =
      tensor::getMixedSizes(b, m.loc, getSource());
  Clamped rows = clampToSource(m, offsets[1], sizes[1], getPadTop(), extent[1]);
  Clamped columns =
      clampToSource(m, offsets[2], sizes[2], getPadLeft(), extent[2]);
  SmallVector<OpFoldResult> from{offsets[0], rows.from, columns.from,
                                 m.index(0)};
  SmallVector<OpFoldResult> count{sizes[0], rows.count, columns.count,
                                  extent[3]};
  return tileOf(m, *this, slice(m, getSource(), from, count), offsets, sizes,
                {m.value(rows.pad), m.value(columns.pad)});
}

//===----------------------------------------------------------------------===//
// alloc_tile
//===----------------------------------------------------------------------===//

static MemRefType tileType(AllocTileOp op) {
  auto tensor = cast<RankedTensorType>(op.getResult().getType());
  auto space = static_cast<isa::Space>(op.getSpace());
  return MemRefType::get(tensor.getShape(), tensor.getElementType(),
                         MemRefLayoutAttrInterface(),
                         spaceAttr(op.getContext(), space));
}

bool AllocTileOp::bufferizesToAllocation(Value) { return true; }

bool AllocTileOp::resultBufferizesToMemoryWrite(
    OpResult, const bufferization::AnalysisState &) {
  return false;
}

FailureOr<bufferization::BufferLikeType>
AllocTileOp::getBufferType(Value, const bufferization::BufferizationOptions &,
                           const bufferization::BufferizationState &,
                           SmallVector<Value> &) {
  return cast<bufferization::BufferLikeType>(tileType(*this));
}

LogicalResult
AllocTileOp::bufferize(RewriterBase &rewriter,
                       const bufferization::BufferizationOptions &,
                       bufferization::BufferizationState &) {
  Value buffer = AllocOp::create(rewriter, getLoc(), tileType(*this), getName(),
                                 getDepth());
  bufferization::replaceOpWithBufferizedValues(rewriter, *this, buffer);
  return success();
}

} // namespace kiln::npu
