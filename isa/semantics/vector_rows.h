// SPDX-License-Identifier: Apache-2.0
//
// Walks the rows of vector operands in pieces that are contiguous in memory
// or gathered into a buffer. Private to isa/semantics.
#pragma once

#include "isa/semantics/vector_operands.h"

#include <cstddef>

namespace kiln::isa::semantics {

/// Elements of a piece at most: a multiple of 64 (the lanes of a row sum) and
/// of every type's elements per block.
constexpr uint64_t kPieceElements = 512;

/// rows x cols elements with their strides in bytes.
struct Walk {
  std::byte *base = nullptr;
  uint64_t elementBytes = 0;
  uint64_t rowStride = 0, blkStride = 0; // bytes

  Walk() = default;
  Walk(const VectorOperand &x, std::byte *ub)
      : base(ub + x.view.addr), elementBytes(sizeOf(x.type)),
        rowStride(kBlockBytes * x.view.rowStride),
        blkStride(kBlockBytes * x.view.blkStride) {}

  /// Whether elements [e, e+n) of a row are contiguous.
  bool contiguous(uint64_t n) const {
    return blkStride == kBlockBytes || n * elementBytes <= kBlockBytes;
  }
  std::byte *at(uint64_t row, uint64_t e) const {
    const uint64_t offset = e * elementBytes;
    return base + row * rowStride + offset / kBlockBytes * blkStride +
           offset % kBlockBytes;
  }
};

/// Elements [e, e+n) of a row (e on a block boundary): in place, or copied
/// into `buffer`.
const std::byte *gather(const Walk &walk, uint64_t row, uint64_t e, uint64_t n,
                        std::byte *buffer);
/// The reverse of a gather into `buffer`.
void scatter(const Walk &walk, uint64_t row, uint64_t e, uint64_t n,
             const std::byte *buffer);

/// A piece buffer: 512 elements of up to 4 bytes.
struct alignas(64) PieceBuffer {
  std::byte bytes[kPieceElements * 4];
};

} // namespace kiln::isa::semantics
