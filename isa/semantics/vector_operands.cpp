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

bool isTwoSource(Opcode op) {
  return op >= Opcode::kVadd && op <= Opcode::kVexpdB;
}
bool isScalarForm(Opcode op) {
  return op >= Opcode::kVadds && op <= Opcode::kVmins;
}

/// The destination type, where it is not that of the sources.
ElementType dstTypeOf(const Command &c, ElementType type) {
  switch (c.op) {
  case Opcode::kVexpdH:
    return ElementType::F16;
  case Opcode::kVexpdB:
    return ElementType::BF16;
  case Opcode::kVcast:
    return CastMode::unpack(c.rs3).type;
  default:
    return type;
  }
}

/// The transposes: planar rows of pixels on one side, a 32-byte block per
/// pixel (as rows of one block, blk_stride apart) on the other.
void decodeTranspose(const Command &c, VectorCommand &v, ElementType type) {
  const uint64_t channels = v.rows, pixels = v.cols;
  const bool in = c.op == Opcode::kVtrIn;
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

/// dst and a source overlap exactly (the same view of elements of the same
/// size, for element-wise instructions) or not at all.
MaybeFault checkOverlap(const VectorCommand &v, const VectorOperand &src,
                        std::string_view operand) {
  if (src.shape == Shape::kAbsent || lastByte(src) <= v.dst.view.addr ||
      lastByte(v.dst) <= src.view.addr) {
    return std::nullopt;
  }
  const bool elementwise = v.dst.shape == Shape::kRows &&
                           src.shape == Shape::kRows &&
                           v.op != Opcode::kVtrIn && v.op != Opcode::kVtrOut;
  if (elementwise && sizeOf(src.type) == sizeOf(v.dst.type) &&
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

MaybeFault checkScalar(const Command &c, const VectorCommand &v) {
  const unsigned bits = 8 * sizeOf(v.dst.type);
  if (bits < 32 && (v.scalar >> bits) != 0) {
    return makeFault(FaultKind::kIllegalOperand,
                     "scalar {:#x} has bits above the {} bits of {}", v.scalar,
                     bits, name(v.dst.type));
  }
  return std::nullopt;
}

MaybeFault checkShape(const Command &c, const VectorCommand &v) {
  if (c.op == Opcode::kVcast && !CastMode::unpack(c.rs3).outOfRange().empty()) {
    return makeFault(FaultKind::kIllegalOperand,
                     "rounding is {}; expected 0 to 6",
                     static_cast<unsigned>(v.rounding));
  }
  if ((c.op == Opcode::kVtrIn || c.op == Opcode::kVtrOut) &&
      v.rows > c0(v.dst.type)) {
    return makeFault(FaultKind::kIllegalOperand,
                     "{} channels; expected at most {} for {}", v.rows,
                     c0(v.dst.type), name(v.dst.type));
  }
  if (isScalarForm(c.op) || c.op == Opcode::kVdup) {
    return checkScalar(c, v);
  }
  return std::nullopt;
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
  v.rows = LocalView::unpack(c.rs1).count;
  v.cols = LocalView::unpack(c.rs2).count;
  v.readsDst = c.op == Opcode::kVmadd;
  if (c.op == Opcode::kVtrIn || c.op == Opcode::kVtrOut) {
    decodeTranspose(c, v, type);
    return v;
  }
  v.dst = rowsOf(c.rs1, dstTypeOf(c, type), v.rows, v.cols);
  v.src0 = rowsOf(c.rs2, type, v.rows, v.cols);
  if (isTwoSource(c.op)) {
    v.src1 = rowsOf(c.rs3, type, v.rows, v.cols);
  } else if (isScalarForm(c.op) || c.op == Opcode::kVdup) {
    v.scalar = Scalar::unpack(c.rs3).bits;
  }
  switch (c.op) {
  case Opcode::kVdup:
    v.src0.shape = Shape::kAbsent;
    break;
  case Opcode::kVcast:
    v.rounding = CastMode::unpack(c.rs3).rounding;
    break;
  case Opcode::kVsumL:
  case Opcode::kVmaxL:
    v.dst.shape = Shape::kOnePerRow;
    break;
  case Opcode::kVsumR:
  case Opcode::kVmaxR:
    v.dst.shape = Shape::kOneRow;
    break;
  case Opcode::kVbc:
    v.src0.shape = Shape::kOnePerRow;
    break;
  default:
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
  if (fault) {
    return fault;
  }
  addOperand(out, v.src0, false);
  addOperand(out, v.src1, false);
  if (v.readsDst) {
    addOperand(out, v.dst, false);
  }
  addOperand(out, v.dst, true);
  return std::nullopt;
}

} // namespace kiln::isa::semantics
