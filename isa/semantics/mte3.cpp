// SPDX-License-Identifier: Apache-2.0
//
// MTE3: UB to global memory and to L1.
#include "isa/semantics/operand_checks.h"

namespace kiln::isa::semantics {

namespace {

struct Store {
  uint64_t dst;
  LocalView src;
  uint64_t rows, rowBytes, gmStride;

  uint64_t gmEnd() const { return dst + (rows - 1) * gmStride + rowBytes; }
};

Store decodeStore(const Command &c) {
  const StoreGeometry g = StoreGeometry::unpack(c.rs3);
  const LocalView src = LocalView::unpack(c.rs2);
  return {c.rs1, src, src.count, g.rowBytes, g.gmStride};
}

MaybeFault describeStore(const Command &c, Footprint &out) {
  const StoreMode mode = StoreGeometry::unpack(c.rs3).mode;
  if (mode != StoreMode::kStore) {
    return makeFault(FaultKind::kIllegalOperand,
                     "st.ub mode is {}; only 0 (store) exists in this version "
                     "of the instruction set",
                     static_cast<unsigned>(mode));
  }
  const Store store = decodeStore(c);
  if (store.rows == 0 || store.rowBytes == 0) {
    return std::nullopt;
  }
  addView(out, Space::UB, false, store.src, store.rows, store.rowBytes);
  addRange(out, {.space = Space::GM,
                 .write = true,
                 .base = store.dst,
                 .bytes = store.rowBytes,
                 .count = {store.rows, 1},
                 .stride = {store.gmStride, 0}});
  return std::nullopt;
}

void runStore(const Command &c, CoreMemory &memory) {
  const Store store = decodeStore(c);
  const GmWindow gm(*memory.gm, store.dst, store.gmEnd(), Access::kWrite);
  const std::byte *ub = memory[Space::UB].data();
  const bool contiguous =
      store.src.blkStride == 1 || store.rowBytes <= kBlockBytes;
  for (uint64_t r = 0; r < store.rows; ++r) {
    const std::byte *src =
        ub + store.src.addr + kBlockBytes * r * store.src.rowStride;
    std::byte *dst = gm.at(store.dst + r * store.gmStride, store.rowBytes);
    if (contiguous) {
      std::memcpy(dst, src, store.rowBytes);
      continue;
    }
    const uint64_t step = kBlockBytes * store.src.blkStride;
    const uint64_t full = store.rowBytes / kBlockBytes;
    for (uint64_t b = 0; b < full; ++b) {
      std::memcpy(dst + b * kBlockBytes, src + b * step, kBlockBytes);
    }
    std::memcpy(dst + full * kBlockBytes, src + full * step,
                store.rowBytes % kBlockBytes);
  }
}

struct LocalMove {
  LocalView dst, src;
  uint64_t rows, blocks;
};

LocalMove decodeMove(const Command &c) {
  const LocalView dst = LocalView::unpack(c.rs1);
  return {dst, LocalView::unpack(c.rs2), dst.count,
          RowBlocks::unpack(c.rs3).blocks};
}

MaybeFault describeMove(const Command &c, Footprint &out) {
  const LocalMove move = decodeMove(c);
  if (move.rows == 0 || move.blocks == 0) {
    return std::nullopt;
  }
  if (MaybeFault fault =
          checkRowsApart(move.dst, move.rows, move.blocks, "dst")) {
    return fault;
  }
  const uint64_t rowBytes = move.blocks * kBlockBytes;
  addView(out, Space::UB, false, move.src, move.rows, rowBytes);
  addView(out, Space::L1, true, move.dst, move.rows, rowBytes);
  return std::nullopt;
}

void runMove(const Command &c, CoreMemory &memory) {
  const LocalMove move = decodeMove(c);
  const std::byte *src = memory[Space::UB].data() + move.src.addr;
  std::byte *dst = memory[Space::L1].data() + move.dst.addr;
  const bool contiguous = (move.src.blkStride == 1 && move.dst.blkStride == 1);
  for (uint64_t r = 0; r < move.rows; ++r) {
    const std::byte *from = src + kBlockBytes * r * move.src.rowStride;
    std::byte *to = dst + kBlockBytes * r * move.dst.rowStride;
    if (contiguous) {
      std::memcpy(to, from, move.blocks * kBlockBytes);
      continue;
    }
    for (uint64_t b = 0; b < move.blocks; ++b) {
      std::memcpy(to + kBlockBytes * b * move.dst.blkStride,
                  from + kBlockBytes * b * move.src.blkStride, kBlockBytes);
    }
  }
}

} // namespace

MaybeFault describeMte3(const Command &c, const PipeConfig &, Footprint &out) {
  return c.op == Opcode::kStUb ? describeStore(c, out) : describeMove(c, out);
}

void runMte3(const Command &c, const PipeConfig &, CoreMemory &memory) {
  c.op == Opcode::kStUb ? runStore(c, memory) : runMove(c, memory);
}

} // namespace kiln::isa::semantics
