// SPDX-License-Identifier: Apache-2.0
//
// V: reductions along rows and down columns.
#include "isa/numerics/element_io.h"
#include "isa/numerics/soft_float.h"
#include "isa/semantics/vector_works.h"

#include <algorithm>

namespace kiln::isa::semantics {

namespace {

/// Calls fn(piece, first element, count) for the pieces of a row.
template <typename Fn>
void forEachPiece(const Walk &src, uint64_t row, uint64_t cols, Fn fn) {
  PieceBuffer buffer;
  const uint64_t step = src.contiguous(cols) ? cols : kPieceElements;
  for (uint64_t e = 0; e < cols; e += step) {
    const uint64_t n = std::min(step, cols - e);
    fn(gather(src, row, e, n, buffer.bytes), e, n);
  }
}

/// The better one of two elements, a NaN made canonical.
uint32_t better(BinaryOp op, ElementType type, uint32_t a, uint32_t b) {
  uint32_t result = 0;
  numerics::binary(op, type, &a, &b, &result, 1);
  return result;
}

/// Whether an element is the extreme; any NaN is the canonical one.
bool isExtreme(ElementType type, uint32_t x, uint32_t extreme) {
  if (x == extreme || !oracle::isFloat(type)) {
    return x == extreme;
  }
  const oracle::Format f = oracle::formatOf(type);
  return f.isNan(x) && f.isNan(extreme);
}

} // namespace

void rowSum(const VectorCommand &v, std::byte *ub) {
  const Walk src(v.src0, ub), dst(v.dst, ub);
  for (uint64_t r = 0; r < v.rows; ++r) {
    uint32_t lanes[kReduceLanes] = {};
    forEachPiece(src, r, v.cols,
                 [&](const std::byte *piece, uint64_t, uint64_t n) {
                   numerics::sumToLanes(v.type, piece, n, lanes);
                 });
    storeElement(v.dst.type, dst.at(r, 0), 0,
                 numerics::finishLanes(v.type, lanes));
  }
}

template <BinaryOp kOp> void rowExtreme(const VectorCommand &v, std::byte *ub) {
  const Walk src(v.src0, ub), dst(v.dst, ub);
  for (uint64_t r = 0; r < v.rows; ++r) {
    uint32_t best = 0;
    forEachPiece(
        src, r, v.cols, [&](const std::byte *piece, uint64_t e, uint64_t n) {
          const uint32_t part = numerics::extreme(kOp, v.type, piece, n);
          best = e == 0 ? part : better(kOp, v.type, best, part);
        });
    storeElement(v.dst.type, dst.at(r, 0), 0, best);
  }
}

/// The lowest index of the element that rowExtreme gives.
template <BinaryOp kOp> void rowArg(const VectorCommand &v, std::byte *ub) {
  const Walk src(v.src0, ub), dst(v.dst, ub);
  for (uint64_t r = 0; r < v.rows; ++r) {
    uint32_t best = 0;
    uint64_t index = 0;
    forEachPiece(
        src, r, v.cols, [&](const std::byte *piece, uint64_t e, uint64_t n) {
          const uint32_t part = numerics::extreme(kOp, v.type, piece, n);
          if (e != 0 && better(kOp, v.type, best, part) == best) {
            return;
          }
          best = part;
          uint64_t i = 0;
          while (!isExtreme(v.type, loadElement(v.type, piece, i), best)) {
            ++i;
          }
          index = e + i;
        });
    storeElement(v.dst.type, dst.at(r, 0), 0, static_cast<uint32_t>(index));
  }
}

void columnSum(const VectorCommand &v, std::byte *ub) {
  const Walk src(v.src0, ub), dst(v.dst, ub);
  PieceBuffer buffer, out;
  for (uint64_t e = 0; e < v.cols; e += kPieceElements) {
    const uint64_t n = std::min(kPieceElements, v.cols - e);
    uint32_t sums[kPieceElements] = {};
    for (uint64_t r = 0; r < v.rows; ++r) {
      numerics::sumToColumns(v.type, gather(src, r, e, n, buffer.bytes), n,
                             sums);
    }
    numerics::finishColumns(v.type, sums, out.bytes, n);
    scatter(dst, 0, e, n, out.bytes);
  }
}

template <BinaryOp kOp>
void columnExtreme(const VectorCommand &v, std::byte *ub) {
  const Walk src(v.src0, ub), dst(v.dst, ub);
  PieceBuffer buffer, out;
  for (uint64_t e = 0; e < v.cols; e += kPieceElements) {
    const uint64_t n = std::min(kPieceElements, v.cols - e);
    for (uint64_t r = 0; r < v.rows; ++r) {
      const std::byte *piece = gather(src, r, e, n, buffer.bytes);
      numerics::binary(kOp, v.type, r == 0 ? piece : out.bytes, piece,
                       out.bytes, n);
    }
    scatter(dst, 0, e, n, out.bytes);
  }
}

/// The lowest row of the element that columnExtreme gives.
template <BinaryOp kOp> void columnArg(const VectorCommand &v, std::byte *ub) {
  const Walk src(v.src0, ub), dst(v.dst, ub);
  PieceBuffer buffer, best, next;
  for (uint64_t e = 0; e < v.cols; e += kPieceElements) {
    const uint64_t n = std::min(kPieceElements, v.cols - e);
    uint32_t rows[kPieceElements] = {};
    for (uint64_t r = 0; r < v.rows; ++r) {
      const std::byte *piece = gather(src, r, e, n, buffer.bytes);
      numerics::binary(kOp, v.type, r == 0 ? piece : best.bytes, piece,
                       next.bytes, n);
      for (uint64_t i = 0; r != 0 && i < n; ++i) {
        if (loadElement(v.type, next.bytes, i) !=
            loadElement(v.type, best.bytes, i)) {
          rows[i] = static_cast<uint32_t>(r);
        }
      }
      std::memcpy(best.bytes, next.bytes, n * sizeOf(v.type));
    }
    scatter(dst, 0, e, n, reinterpret_cast<const std::byte *>(rows));
  }
}

#define KILN_INSTANTIATE(work)                                                 \
  template void work<BinaryOp::kMax>(const VectorCommand &, std::byte *);      \
  template void work<BinaryOp::kMin>(const VectorCommand &, std::byte *);
KILN_INSTANTIATE(rowExtreme)
KILN_INSTANTIATE(rowArg)
KILN_INSTANTIATE(columnExtreme)
KILN_INSTANTIATE(columnArg)
#undef KILN_INSTANTIATE

} // namespace kiln::isa::semantics
