// SPDX-License-Identifier: Apache-2.0
//
// V: element-wise instructions, reductions, broadcasts and transposes.
#include "isa/numerics/element_io.h"
#include "isa/numerics/vector_kernels.h"
#include "isa/semantics/vector_rows.h"

#include <algorithm>

namespace kiln::isa::semantics {

const std::byte *gather(const Walk &walk, uint64_t row, uint64_t e, uint64_t n,
                        std::byte *buffer) {
  const std::byte *src = walk.at(row, e);
  if (walk.contiguous(n)) {
    return src;
  }
  const uint64_t bytes = n * walk.elementBytes;
  uint64_t done = 0;
  for (; done + kBlockBytes <= bytes; done += kBlockBytes) {
    std::memcpy(buffer + done, src, kBlockBytes);
    src += walk.blkStride;
  }
  if (done < bytes) {
    std::memcpy(buffer + done, src, bytes - done);
  }
  return buffer;
}

void scatter(const Walk &walk, uint64_t row, uint64_t e, uint64_t n,
             const std::byte *buffer) {
  std::byte *dst = walk.at(row, e);
  const uint64_t bytes = n * walk.elementBytes;
  uint64_t done = 0;
  for (; done + kBlockBytes <= bytes; done += kBlockBytes) {
    std::memcpy(dst, buffer + done, kBlockBytes);
    dst += walk.blkStride;
  }
  if (done < bytes) {
    std::memcpy(dst, buffer + done, bytes - done);
  }
}

namespace {

BinaryOp binaryOpOf(Opcode op) {
  switch (op) {
  case Opcode::kVsub:
    return BinaryOp::kSub;
  case Opcode::kVmul:
  case Opcode::kVmuls:
    return BinaryOp::kMul;
  case Opcode::kVdiv:
    return BinaryOp::kDiv;
  case Opcode::kVmax:
  case Opcode::kVmaxs:
    return BinaryOp::kMax;
  case Opcode::kVmin:
  case Opcode::kVmins:
    return BinaryOp::kMin;
  default:
    return BinaryOp::kAdd;
  }
}

UnaryOp unaryOpOf(Opcode op) {
  switch (op) {
  case Opcode::kVrec:
    return UnaryOp::kRec;
  case Opcode::kVsqrt:
    return UnaryOp::kSqrt;
  case Opcode::kVtanh:
    return UnaryOp::kTanh;
  default:
    return UnaryOp::kExp;
  }
}

void fill(ElementType type, std::byte *dst, uint64_t n, uint32_t element) {
  switch (sizeOf(type)) {
  case 1:
    std::memset(dst, static_cast<int>(element), n);
    break;
  case 2: {
    const auto x = static_cast<uint16_t>(element);
    for (uint64_t i = 0; i < n; ++i) {
      std::memcpy(dst + 2 * i, &x, 2);
    }
    break;
  }
  default:
    for (uint64_t i = 0; i < n; ++i) {
      std::memcpy(dst + 4 * i, &element, 4);
    }
  }
}

/// The work of one piece of an element-wise instruction. `b` holds the second
/// source, or the scalar repeated.
void computePiece(const VectorCommand &v, const std::byte *a,
                  const std::byte *b, std::byte *dst, uint64_t n) {
  const ElementType from = v.src0.type, to = v.dst.type;
  switch (v.op) {
  case Opcode::kVmadd:
    numerics::multiplyAdd(from, a, b, dst, n);
    break;
  case Opcode::kVexpd:
  case Opcode::kVexpdH:
  case Opcode::kVexpdB:
    numerics::expDifference(from, to, a, b, dst, n);
    break;
  case Opcode::kVdup:
    fill(to, dst, n, v.scalar);
    break;
  case Opcode::kVmov:
    if (dst != a) { // exact overlap moves nothing
      std::memcpy(dst, a, n * sizeOf(to));
    }
    break;
  case Opcode::kVexp:
  case Opcode::kVrec:
  case Opcode::kVsqrt:
  case Opcode::kVtanh:
    numerics::unary(unaryOpOf(v.op), from, a, dst, n);
    break;
  case Opcode::kVcast:
    numerics::cast(from, to, v.rounding, a, dst, n);
    break;
  default:
    numerics::binary(binaryOpOf(v.op), from, a, b, dst, n);
  }
}

struct Operands {
  Walk dst, a, b;
  bool hasA = false, hasB = false, scalar = false;
  uint64_t rows = 0, cols = 0;

  template <typename Fn> bool all(Fn fn) const {
    return fn(dst) && (!hasA || fn(a)) && (!hasB || fn(b));
  }
};

/// Turns rows into one long row where the strides allow it: fewer, longer
/// pieces, the same elements in the same places.
void collapse(Operands &x) {
  const uint64_t cols = x.cols;
  if (x.rows <= 1 ||
      !x.all([&](const Walk &w) { return cols * w.elementBytes % 32 == 0; })) {
    return;
  }
  const bool oneBlock = x.all(
      [&](const Walk &w) { return cols * w.elementBytes == kBlockBytes; });
  const auto join = [&](Walk &w) {
    if (oneBlock) {
      w.blkStride = w.rowStride;
    }
  };
  const bool chained = x.all([&](const Walk &w) {
    return w.rowStride == cols * w.elementBytes / kBlockBytes * w.blkStride;
  });
  if (!oneBlock && !chained) {
    return;
  }
  join(x.dst);
  join(x.a);
  join(x.b);
  x.cols *= x.rows;
  x.rows = 1;
}

void runElementwise(const VectorCommand &v, std::byte *ub) {
  Operands x;
  x.rows = v.rows;
  x.cols = v.cols;
  x.hasA = v.src0.shape != Shape::kAbsent;
  x.hasB = v.src1.shape != Shape::kAbsent;
  x.dst = Walk(v.dst, ub);
  x.a = x.hasA ? Walk(v.src0, ub) : x.dst;
  x.b = x.hasB ? Walk(v.src1, ub) : x.dst;
  x.scalar = v.op >= Opcode::kVadds && v.op <= Opcode::kVmins;
  collapse(x);
  PieceBuffer a, b, out;
  if (x.scalar) {
    fill(v.src0.type, b.bytes, kPieceElements, v.scalar);
  }
  const bool whole =
      !x.scalar && x.all([&](const Walk &w) { return w.contiguous(x.cols); });
  const uint64_t step = whole ? x.cols : kPieceElements;
  for (uint64_t r = 0; r < x.rows; ++r) {
    for (uint64_t e = 0; e < x.cols; e += step) {
      const uint64_t n = std::min(step, x.cols - e);
      const std::byte *pa = x.hasA ? gather(x.a, r, e, n, a.bytes) : nullptr;
      const std::byte *pb = x.hasB ? gather(x.b, r, e, n, b.bytes) : b.bytes;
      if (x.dst.contiguous(n)) {
        computePiece(v, pa, pb, x.dst.at(r, e), n);
        continue;
      }
      if (v.readsDst) {
        (void)gather(x.dst, r, e, n, out.bytes);
      }
      computePiece(v, pa, pb, out.bytes, n);
      scatter(x.dst, r, e, n, out.bytes);
    }
  }
}

uint32_t reduceRow(const VectorCommand &v, const Walk &src, uint64_t row) {
  const ElementType type = v.src0.type;
  PieceBuffer buffer;
  const uint64_t step = src.contiguous(v.cols) ? v.cols : kPieceElements;
  uint32_t lanes[kReduceLanes] = {};
  uint32_t largest = 0;
  for (uint64_t e = 0; e < v.cols; e += step) {
    const uint64_t n = std::min(step, v.cols - e);
    const std::byte *piece = gather(src, row, e, n, buffer.bytes);
    if (v.op == Opcode::kVsumL) {
      numerics::sumToLanes(type, piece, n, lanes);
      continue;
    }
    const uint32_t part = numerics::maximum(type, piece, n);
    if (e == 0) {
      largest = part;
    } else {
      numerics::binary(BinaryOp::kMax, type, &largest, &part, &largest, 1);
    }
  }
  return v.op == Opcode::kVsumL ? numerics::finishLanes(type, lanes) : largest;
}

void runRowReduction(const VectorCommand &v, std::byte *ub) {
  const Walk src(v.src0, ub), dst(v.dst, ub);
  for (uint64_t r = 0; r < v.rows; ++r) {
    storeElement(v.dst.type, dst.at(r, 0), 0, reduceRow(v, src, r));
  }
}

void runColumnReduction(const VectorCommand &v, std::byte *ub) {
  const ElementType type = v.src0.type;
  const Walk src(v.src0, ub), dst(v.dst, ub);
  PieceBuffer buffer, out;
  for (uint64_t e = 0; e < v.cols; e += kPieceElements) {
    const uint64_t n = std::min(kPieceElements, v.cols - e);
    uint32_t sums[kPieceElements] = {};
    for (uint64_t r = 0; r < v.rows; ++r) {
      const std::byte *piece = gather(src, r, e, n, buffer.bytes);
      if (v.op == Opcode::kVsumR) {
        numerics::sumToColumns(type, piece, n, sums);
      } else {
        numerics::binary(BinaryOp::kMax, type, r == 0 ? piece : out.bytes,
                         piece, out.bytes, n);
      }
    }
    if (v.op == Opcode::kVsumR) {
      numerics::finishColumns(type, sums, out.bytes, n);
    }
    scatter(dst, 0, e, n, out.bytes);
  }
}

void runBroadcast(const VectorCommand &v, std::byte *ub) {
  const Walk src(v.src0, ub), dst(v.dst, ub);
  PieceBuffer buffer;
  const bool whole = dst.contiguous(v.cols);
  for (uint64_t r = 0; r < v.rows; ++r) {
    const uint32_t element = loadElement(v.src0.type, src.at(r, 0), 0);
    if (whole) {
      fill(v.dst.type, dst.at(r, 0), v.cols, element);
      continue;
    }
    fill(v.dst.type, buffer.bytes, std::min(v.cols, kPieceElements), element);
    for (uint64_t e = 0; e < v.cols; e += kPieceElements) {
      scatter(dst, r, e, std::min(kPieceElements, v.cols - e), buffer.bytes);
    }
  }
}

template <typename Element>
void transpose(const VectorCommand &v, std::byte *ub) {
  const bool in = v.op == Opcode::kVtrIn;
  const Walk planar(in ? v.src0 : v.dst, ub), blocked(in ? v.dst : v.src0, ub);
  constexpr uint64_t kC0 = kBlockBytes / sizeof(Element);
  for (uint64_t p = 0; p < v.cols; ++p) {
    std::byte *block = blocked.at(p, 0);
    Element pixel[kC0] = {};
    if (!in) {
      std::memcpy(pixel, block, v.rows * sizeof(Element));
    }
    for (uint64_t c = 0; c < v.rows; ++c) {
      std::byte *element = planar.at(c, p);
      if (in) {
        std::memcpy(pixel + c, element, sizeof(Element));
      } else {
        std::memcpy(element, pixel + c, sizeof(Element));
      }
    }
    if (in) {
      std::memcpy(block, pixel, kBlockBytes);
    }
  }
}

void runTranspose(const VectorCommand &v, std::byte *ub) {
  switch (sizeOf(v.dst.type)) {
  case 1:
    return transpose<uint8_t>(v, ub);
  case 2:
    return transpose<uint16_t>(v, ub);
  default:
    return transpose<uint32_t>(v, ub);
  }
}

} // namespace

void runVector(const Command &c, const PipeConfig &, CoreMemory &memory) {
  const VectorCommand v = decodeVector(c);
  std::byte *ub = memory[Space::UB].data();
  switch (c.op) {
  case Opcode::kVsumL:
  case Opcode::kVmaxL:
    return runRowReduction(v, ub);
  case Opcode::kVsumR:
  case Opcode::kVmaxR:
    return runColumnReduction(v, ub);
  case Opcode::kVbc:
    return runBroadcast(v, ub);
  case Opcode::kVtrIn:
  case Opcode::kVtrOut:
    return runTranspose(v, ub);
  default:
    return runElementwise(v, ub);
  }
}

} // namespace kiln::isa::semantics
