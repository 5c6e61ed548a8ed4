// SPDX-License-Identifier: Apache-2.0
//
// V: operands, their checks, the bytes touched.
#include "isa/semantics/vector_operands.h"

#include <algorithm>

namespace kiln::isa::semantics {

namespace {

VectorOperand rowsOf(uint64_t word, ElementType type, uint64_t rows,
                     uint64_t cols, Shape shape = Shape::kRows) {
  return {shape, LocalView::unpack(word), type, rows, cols};
}

/// The type of dst.
ElementType resultType(const Command &c, ElementType type) {
  switch (meaning(c.op).result) {
  case VectorResult::kSource:
    return type;
  case VectorResult::kF16:
    return ElementType::F16;
  case VectorResult::kBf16:
    return ElementType::BF16;
  case VectorResult::kI32:
    return ElementType::I32;
  case VectorResult::kBits:
    return ElementType::U8;
  case VectorResult::kMode:
    return CastMode::unpack(c.rs3).type;
  }
  return type;
}

/// The bits of a select: rows of whole blocks from a block of UB on.
VectorOperand maskOf(uint32_t block, uint64_t rows, uint64_t cols) {
  const uint64_t blocks = (cols + 8 * kBlockBytes - 1) / (8 * kBlockBytes);
  const LocalView view{static_cast<uint32_t>(kBlockBytes) * block,
                       static_cast<uint32_t>(blocks), 1, 0};
  return {Shape::kRows, view, ElementType::U8, rows, (cols + 7) / 8};
}

/// Consecutive elements that indices choose from.
VectorOperand tableOf(uint64_t word, ElementType type) {
  const Table table = Table::unpack(word);
  return {Shape::kOneRow, {table.addr, 0, 1, 0}, type, 1, table.count};
}

bool isTranspose(VectorShape shape) {
  return shape == VectorShape::kTransposeIn ||
         shape == VectorShape::kTransposeOut;
}

/// The transposes: planar rows of pixels on one side, a 32-byte block per
/// pixel (as rows of one block, blk_stride apart) on the other.
void decodeTranspose(const Command &c, VectorCommand &v, ElementType type) {
  const uint64_t channels = v.rows, pixels = v.cols;
  const bool in = v.shape == VectorShape::kTransposeIn;
  VectorOperand &planar = in ? v.src0 : v.dst;
  VectorOperand &blocked = in ? v.dst : v.src0;
  planar = rowsOf(in ? c.rs2 : c.rs1, type, channels, pixels);
  blocked = rowsOf(in ? c.rs1 : c.rs2, type, pixels, in ? c0(type) : channels);
  blocked.view.rowStride = blocked.view.blkStride;
  blocked.view.blkStride = 1;
}

/// Rows or columns, normalised: strides that no element uses are 0.
LocalView effectiveView(const VectorOperand &x) {
  LocalView view = x.view;
  view.count = 0;
  if (x.numRows() <= 1) {
    view.rowStride = 0;
  }
  if (blocksOf(x.rowBytes()) <= 1) {
    view.blkStride = 0;
  }
  return view;
}

uint64_t lastByte(const VectorOperand &x) {
  const uint64_t step = kBlockBytes * x.view.blkStride;
  const uint64_t full = x.rowBytes() / kBlockBytes;
  const uint64_t tail = x.rowBytes() % kBlockBytes;
  const uint64_t ofFull = full == 0 ? 0 : (full - 1) * step + kBlockBytes;
  const uint64_t ofTail = tail == 0 ? 0 : full * step + tail;
  return x.view.addr + (x.numRows() - 1) * kBlockBytes * x.view.rowStride +
         std::max(ofFull, ofTail);
}

/// Whether any byte belongs to both; the bounding ranges are known to meet.
bool shareBytes(const VectorOperand &a, const VectorOperand &b) {
  const uint64_t base = std::min(a.view.addr, b.view.addr);
  std::vector<bool> touched(std::max(lastByte(a), lastByte(b)) - base);
  bool shared = false;
  const auto visit = [&](const VectorOperand &x, bool mark) {
    for (uint64_t r = 0; r < x.numRows(); ++r) {
      for (uint64_t i = 0; i < x.rowBytes(); ++i) {
        const uint64_t at = x.view.addr - base +
                            kBlockBytes * (r * x.view.rowStride +
                                           i / kBlockBytes * x.view.blkStride) +
                            i % kBlockBytes;
        if (mark) {
          touched[at] = true;
        } else {
          shared = shared || touched[at];
        }
      }
    }
  };
  visit(a, true);
  visit(b, false);
  return shared;
}

/// Element e of dst depends on element e of the sources alone.
bool isElementwise(VectorShape shape) {
  switch (shape) {
  case VectorShape::kBinary:
  case VectorShape::kScalar:
  case VectorShape::kUnary:
  case VectorShape::kCast:
  case VectorShape::kSelect:
    return true;
  default:
    return false;
  }
}

/// dst and a source overlap exactly (the same view of elements of the same
/// size, for element-wise instructions) or not at all.
MaybeFault checkOverlap(const VectorCommand &v, const VectorOperand &src,
                        std::string_view operand) {
  if (src.shape == Shape::kAbsent || lastByte(src) <= v.dst.view.addr ||
      lastByte(v.dst) <= src.view.addr) {
    return std::nullopt;
  }
  if (isElementwise(v.shape) && operand != "mask" &&
      sizeOf(src.type) == sizeOf(v.dst.type) &&
      effectiveView(src) == effectiveView(v.dst)) {
    return std::nullopt;
  }
  if (!shareBytes(v.dst, src)) {
    return std::nullopt;
  }
  return makeFault(FaultKind::kOverlap,
                   "dst at {:#x} (row_stride {}, blk_stride {}) overlaps {} at "
                   "{:#x} (row_stride {}, blk_stride {}); expected the same "
                   "view or disjoint ones",
                   v.dst.view.addr, v.dst.view.rowStride, v.dst.view.blkStride,
                   operand, src.view.addr, src.view.rowStride,
                   src.view.blkStride);
}

MaybeFault checkScalar(uint32_t scalar, ElementType type) {
  const unsigned bits = 8 * sizeOf(type);
  if (bits < 32 && (scalar >> bits) != 0) {
    return makeFault(FaultKind::kIllegalOperand,
                     "scalar {:#x} has bits above the {} bits of {}", scalar,
                     bits, name(type));
  }
  return std::nullopt;
}

MaybeFault checkShape(const Command &c, const VectorCommand &v) {
  if (v.shape == VectorShape::kCast &&
      !CastMode::unpack(c.rs3).outOfRange().empty()) {
    return makeFault(FaultKind::kIllegalOperand,
                     "rounding is {}; expected 0 to 6",
                     static_cast<unsigned>(v.rounding));
  }
  if (isTranspose(v.shape) && v.rows > c0(v.dst.type)) {
    return makeFault(FaultKind::kIllegalOperand,
                     "{} channels; expected at most {} for {}", v.rows,
                     c0(v.dst.type), name(v.dst.type));
  }
  return checkScalar(v.scalar | v.step, v.type);
}

void addOperand(Footprint &out, const VectorOperand &x, bool write) {
  if (x.shape != Shape::kAbsent) {
    addView(out, Space::UB, write, x.view, x.numRows(), x.rowBytes());
  }
}

} // namespace

VectorCommand decodeVector(const Command &c) {
  const auto type = static_cast<ElementType>(c.f3);
  VectorCommand v;
  v.op = c.op;
  v.shape = meaning(c.op).shape;
  v.type = type;
  v.rows = LocalView::unpack(c.rs1).count;
  v.cols = LocalView::unpack(c.rs2).count;
  v.readsDst = meaning(c.op).readsDst;
  v.dst = rowsOf(c.rs1, resultType(c, type), v.rows, v.cols);
  v.src0 = rowsOf(c.rs2, type, v.rows, v.cols);
  switch (v.shape) {
  case VectorShape::kBinary:
    v.src1 = rowsOf(c.rs3, type, v.rows, v.cols);
    break;
  case VectorShape::kScalar:
    v.scalar = Scalar::unpack(c.rs3).bits;
    break;
  case VectorShape::kFill:
    v.scalar = Scalar::unpack(c.rs3).bits;
    v.src0.shape = Shape::kAbsent;
    break;
  case VectorShape::kUnary:
    break;
  case VectorShape::kCast:
    v.rounding = CastMode::unpack(c.rs3).rounding;
    break;
  case VectorShape::kCompare:
    v.src1 = rowsOf(c.rs3, type, v.rows, v.cols);
    v.dst.cols = (v.cols + 7) / 8;
    break;
  case VectorShape::kCompareScalar:
    v.scalar = Scalar::unpack(c.rs3).bits;
    v.dst.cols = (v.cols + 7) / 8;
    break;
  case VectorShape::kSelect:
    v.src1 = rowsOf(c.rs3, type, v.rows, v.cols);
    v.mask = maskOf(v.src1.view.count, v.rows, v.cols);
    break;
  case VectorShape::kSequence: {
    const Sequence terms = Sequence::unpack(c.rs3);
    v.scalar = terms.start;
    v.step = terms.step;
    v.src0.shape = Shape::kAbsent;
    break;
  }
  case VectorShape::kGather:
    v.src0.type = ElementType::I32;
    v.src1 = tableOf(c.rs3, type);
    break;
  case VectorShape::kGatherBlocks: {
    const uint64_t perBlock = kBlockBytes / sizeOf(type);
    v.src0.type = ElementType::I32;
    v.src1 = tableOf(c.rs3, type);
    v.src1.cols *= perBlock;
    v.dst.cols *= perBlock;
    break;
  }
  case VectorShape::kScatter:
    v.dst = tableOf(c.rs1, type);
    v.src1 = rowsOf(c.rs3, ElementType::I32, v.rows, v.cols);
    break;
  case VectorShape::kSort:
    v.src1 = rowsOf(c.rs3, ElementType::I32, v.rows, v.cols);
    v.dst = rowsOf(c.rs1, ElementType::I32, v.rows, 2 * v.cols);
    break;
  case VectorShape::kMerge: {
    const uint64_t others = LocalView::unpack(c.rs3).count;
    v.src0 = rowsOf(c.rs2, ElementType::I32, v.rows, 2 * v.cols);
    v.src1 = rowsOf(c.rs3, ElementType::I32, v.rows, 2 * others);
    v.dst = rowsOf(c.rs1, ElementType::I32, v.rows, 2 * (v.cols + others));
    break;
  }
  case VectorShape::kPairs:
    v.src0 = rowsOf(c.rs2, ElementType::I32, v.rows, 2 * v.cols);
    break;
  case VectorShape::kRowReduce:
    v.dst.shape = Shape::kOnePerRow;
    break;
  case VectorShape::kColumnReduce:
    v.dst.shape = Shape::kOneRow;
    break;
  case VectorShape::kSpread:
    v.src0.shape = Shape::kOnePerRow;
    break;
  case VectorShape::kTransposeIn:
  case VectorShape::kTransposeOut:
    decodeTranspose(c, v, type);
    break;
  }
  return v;
}

MaybeFault describeVector(const Command &c, const PipeConfig &,
                          Footprint &out) {
  const VectorCommand v = decodeVector(c);
  // One-element-per-row operands are aligned to the element, not the block.
  for (const VectorOperand *x : {&v.dst, &v.src0}) {
    if (x->shape == Shape::kOnePerRow && x->view.addr % sizeOf(x->type) != 0) {
      return makeFault(FaultKind::kMisaligned,
                       "address {:#x} is not a multiple of the {} bytes of {}",
                       x->view.addr, sizeOf(x->type), name(x->type));
    }
  }
  if (MaybeFault fault = checkShape(c, v)) {
    return fault;
  }
  if (v.rows == 0 || v.cols == 0) {
    return std::nullopt;
  }
  MaybeFault fault = checkRowsApart(v.dst.view, v.dst.numRows(),
                                    blocksOf(v.dst.rowBytes()), "dst");
  if (!fault) {
    fault = checkOverlap(v, v.src0, "src0");
  }
  if (!fault) {
    fault = checkOverlap(v, v.src1, "src1");
  }
  if (!fault) {
    fault = checkOverlap(v, v.mask, "mask");
  }
  if (fault) {
    return fault;
  }
  addOperand(out, v.src0, false);
  addOperand(out, v.src1, false);
  addOperand(out, v.mask, false);
  if (v.readsDst) {
    addOperand(out, v.dst, false);
  }
  addOperand(out, v.dst, true);
  return std::nullopt;
}

} // namespace kiln::isa::semantics
