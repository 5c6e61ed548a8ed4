// SPDX-License-Identifier: Apache-2.0
//
// MTE2: global memory to L1 and UB.
#include "isa/semantics/operand_checks.h"

#include <algorithm>

namespace kiln::isa::semantics {

namespace {

struct Load {
  Space space;
  LocalView dst;
  uint64_t src;
  uint64_t rows, rowBytes, gmStride;
  bool nz;

  uint64_t blocks() const { return blocksOf(rowBytes); }
  uint64_t gmEnd() const { return src + (rows - 1) * gmStride + rowBytes; }
  /// The block of a row; ld.nz keeps rows together and columns apart.
  uint64_t blockAddr(uint64_t row, uint64_t block) const {
    const uint64_t index = nz ? block * dst.rowStride + row
                              : row * dst.rowStride + block * dst.blkStride;
    return dst.addr + kBlockBytes * index;
  }
};

Load decode(const Command &c) {
  const LocalView dst = LocalView::unpack(c.rs1);
  const LoadGeometry g = LoadGeometry::unpack(c.rs3);
  return {.space = c.op == Opcode::kLdUb ? Space::UB : Space::L1,
          .dst = dst,
          .src = c.rs2,
          .rows = dst.count,
          .rowBytes = g.rowBytes,
          .gmStride = g.gmStride,
          .nz = c.op == Opcode::kLdNz};
}

/// Fills [from, 32) of a block with the pad pattern, repeated from its start.
void padBlock(std::byte *block, uint64_t from, uint32_t pattern) {
  std::byte pad[kBlockBytes];
  for (uint64_t i = 0; i < kBlockBytes; i += 4) {
    std::memcpy(pad + i, &pattern, 4);
  }
  std::memcpy(block + from, pad + from, kBlockBytes - from);
}

} // namespace

MaybeFault describeMte2(const Command &c, const PipeConfig &, Footprint &out) {
  const Load load = decode(c);
  if (load.rows == 0 || load.rowBytes == 0) {
    return std::nullopt;
  }
  LocalView view = load.dst;
  if (load.nz) { // row r, block b at r + b*row_stride
    view.rowStride = 1;
    view.blkStride = load.dst.rowStride;
  }
  if (MaybeFault fault =
          checkRowsApart(view, load.rows, load.blocks(), "dst")) {
    return fault;
  }
  addRange(out, {.space = Space::GM,
                 .base = load.src,
                 .bytes = load.rowBytes,
                 .count = {load.rows, 1},
                 .stride = {load.gmStride, 0}});
  if (load.nz) { // a column block is one run of rows
    addRange(out, {.space = load.space,
                   .write = true,
                   .base = load.dst.addr,
                   .bytes = load.rows * kBlockBytes,
                   .count = {load.blocks(), 1},
                   .stride = {kBlockBytes * load.dst.rowStride, 0}});
  } else {
    addView(out, load.space, true, load.dst, load.rows,
            load.blocks() * kBlockBytes);
  }
  return std::nullopt;
}

void runMte2(const Command &c, const PipeConfig &config, CoreMemory &memory) {
  const Load load = decode(c);
  const GmWindow gm(*memory.gm, load.src, load.gmEnd(), Access::kRead);
  std::byte *local = memory[load.space].data();
  const uint64_t full = load.rowBytes / kBlockBytes;
  const uint64_t tail = load.rowBytes % kBlockBytes;
  const uint32_t pad = Mte2Config0::unpack(config.mte2[0]).pad;
  const bool contiguous = !load.nz && (load.dst.blkStride == 1 || full <= 1);
  for (uint64_t r = 0; r < load.rows; ++r) {
    const std::byte *src = gm.at(load.src + r * load.gmStride, load.rowBytes);
    if (contiguous) {
      std::memcpy(local + load.blockAddr(r, 0), src, full * kBlockBytes);
    } else {
      for (uint64_t b = 0; b < full; ++b) {
        std::memcpy(local + load.blockAddr(r, b), src + b * kBlockBytes,
                    kBlockBytes);
      }
    }
    if (tail != 0) {
      std::byte *block = local + load.blockAddr(r, full);
      std::memcpy(block, src + full * kBlockBytes, tail);
      padBlock(block, tail, pad);
    }
  }
}

} // namespace kiln::isa::semantics
