// SPDX-License-Identifier: Apache-2.0
//
// V: comparisons into bit masks, selection by them.
#include "isa/numerics/vector_logic.h"
#include "isa/semantics/vector_works.h"

#include <algorithm>

namespace kiln::isa::semantics {

namespace {

/// Bytes of the mask bits of n elements that start on a byte.
constexpr uint64_t maskBytes(uint64_t n) { return (n + 7) / 8; }

} // namespace

template <CompareOp kOp> void compare(const VectorCommand &v, std::byte *ub) {
  const Walk dst(v.dst, ub), a(v.src0, ub);
  const bool scalar = v.shape == VectorShape::kCompareScalar;
  const Walk b = scalar ? a : Walk(v.src1, ub);
  PieceBuffer pieceA, pieceB;
  std::byte bits[kPieceElements / 8];
  if (scalar) {
    fillElements(v.type, pieceB.bytes, kPieceElements, v.scalar);
  }
  for (uint64_t r = 0; r < v.rows; ++r) {
    for (uint64_t e = 0; e < v.cols; e += kPieceElements) {
      const uint64_t n = std::min(kPieceElements, v.cols - e);
      const std::byte *pb =
          scalar ? pieceB.bytes : gather(b, r, e, n, pieceB.bytes);
      numerics::compare(kOp, v.type, gather(a, r, e, n, pieceA.bytes), pb,
                        reinterpret_cast<uint8_t *>(bits), n);
      scatter(dst, r, e / 8, maskBytes(n), bits);
    }
  }
}

void select(const VectorCommand &v, std::byte *ub) {
  const Walk dst(v.dst, ub), a(v.src0, ub), b(v.src1, ub), mask(v.mask, ub);
  PieceBuffer pieceA, pieceB, out;
  for (uint64_t r = 0; r < v.rows; ++r) {
    for (uint64_t e = 0; e < v.cols; e += kPieceElements) {
      const uint64_t n = std::min(kPieceElements, v.cols - e);
      const std::byte *bits = mask.at(r, e / 8); // rows of a mask are whole
      numerics::select(v.type, reinterpret_cast<const uint8_t *>(bits),
                       gather(a, r, e, n, pieceA.bytes),
                       gather(b, r, e, n, pieceB.bytes), out.bytes, n);
      scatter(dst, r, e, n, out.bytes);
    }
  }
}

#define KILN_INSTANTIATE(op)                                                   \
  template void compare<CompareOp::op>(const VectorCommand &, std::byte *);
KILN_INSTANTIATE(kEq)
KILN_INSTANTIATE(kNe)
KILN_INSTANTIATE(kLt)
KILN_INSTANTIATE(kLe)
KILN_INSTANTIATE(kGt)
KILN_INSTANTIATE(kGe)
#undef KILN_INSTANTIATE

} // namespace kiln::isa::semantics
