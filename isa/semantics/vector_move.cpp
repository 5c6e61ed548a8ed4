// SPDX-License-Identifier: Apache-2.0
//
// V: broadcasts and transposes.
#include "isa/numerics/element_io.h"
#include "isa/semantics/vector_works.h"

#include <algorithm>

namespace kiln::isa::semantics {

void broadcast(const VectorCommand &v, std::byte *ub) {
  const Walk src(v.src0, ub), dst(v.dst, ub);
  PieceBuffer buffer;
  const bool whole = dst.contiguous(v.cols);
  for (uint64_t r = 0; r < v.rows; ++r) {
    const uint32_t element = loadElement(v.src0.type, src.at(r, 0), 0);
    if (whole) {
      fillElements(v.dst.type, dst.at(r, 0), v.cols, element);
      continue;
    }
    fillElements(v.dst.type, buffer.bytes, std::min(v.cols, kPieceElements),
                 element);
    for (uint64_t e = 0; e < v.cols; e += kPieceElements) {
      scatter(dst, r, e, std::min(kPieceElements, v.cols - e), buffer.bytes);
    }
  }
}

namespace {

template <typename Element>
void transposeAs(const VectorCommand &v, std::byte *ub) {
  const bool in = v.shape == VectorShape::kTransposeIn;
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

} // namespace

void transpose(const VectorCommand &v, std::byte *ub) {
  switch (sizeOf(v.dst.type)) {
  case 1:
    return transposeAs<uint8_t>(v, ub);
  case 2:
    return transposeAs<uint16_t>(v, ub);
  default:
    return transposeAs<uint32_t>(v, ub);
  }
}

} // namespace kiln::isa::semantics
