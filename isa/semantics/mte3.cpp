// SPDX-License-Identifier: Apache-2.0
//
// MTE3: UB to global memory, atomically too, and to L1.
#include "isa/numerics/vector_kernels.h"
#include "isa/semantics/operand_checks.h"

namespace kiln::isa::semantics {

namespace {

struct Store {
  uint64_t dst;
  LocalView src;
  uint64_t rows, rowBytes, gmStride;
  StoreMode mode;
  ElementType type;

  uint64_t gmEnd() const { return dst + (rows - 1) * gmStride + rowBytes; }
};

Store decodeStore(const Command &c) {
  const StoreGeometry g = StoreGeometry::unpack(c.rs3);
  const LocalView src = LocalView::unpack(c.rs2);
  return {c.rs1,
          src,
          src.count,
          g.rowBytes,
          g.gmStride,
          g.mode,
          static_cast<ElementType>(c.f3)};
}

/// Atomic updates that give the same bits in every order: all but float sums,
/// which round.
uint8_t commutesAs(const Store &store) {
  const bool ordered =
      store.mode == StoreMode::kAdd && store.type >= ElementType::F16;
  return store.mode == StoreMode::kStore || ordered
             ? 0
             : static_cast<uint8_t>(8 * static_cast<unsigned>(store.mode) +
                                    static_cast<unsigned>(store.type));
}

MaybeFault checkAtomic(const Store &store) {
  const uint64_t size = sizeOf(store.type);
  if (store.dst % size != 0 || store.gmStride % size != 0 ||
      store.rowBytes % size != 0) {
    return makeFault(FaultKind::kMisaligned,
                     "an atomic store of {} at {:#x} with gm_stride {} and "
                     "row_bytes {}; all three must be multiples of {}",
                     name(store.type), store.dst, store.gmStride,
                     store.rowBytes, size);
  }
  return std::nullopt;
}

MaybeFault describeStore(const Command &c, Footprint &out) {
  const Store store = decodeStore(c);
  if (store.rows == 0 || store.rowBytes == 0) {
    return std::nullopt;
  }
  StridedRange gm{.space = Space::GM,
                  .write = true,
                  .base = store.dst,
                  .bytes = store.rowBytes,
                  .count = {store.rows, 1},
                  .stride = {store.gmStride, 0},
                  .commutes = commutesAs(store)};
  addView(out, Space::UB, false, store.src, store.rows, store.rowBytes);
  if (store.mode != StoreMode::kStore) {
    if (MaybeFault fault = checkAtomic(store)) {
      return fault;
    }
    StridedRange old = gm;
    old.write = false;
    addRange(out, old);
  }
  addRange(out, gm);
  return std::nullopt;
}

BinaryOp updateOf(StoreMode mode) {
  return mode == StoreMode::kAdd   ? BinaryOp::kAdd
         : mode == StoreMode::kMax ? BinaryOp::kMax
                                   : BinaryOp::kMin;
}

/// One run of bytes to GM: copied, or each element updated.
void storeRun(const Store &store, std::byte *dst, const std::byte *src,
              uint64_t bytes) {
  if (store.mode == StoreMode::kStore) {
    std::memcpy(dst, src, bytes);
  } else {
    numerics::binary(updateOf(store.mode), store.type, dst, src, dst,
                     bytes / sizeOf(store.type));
  }
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
      storeRun(store, dst, src, store.rowBytes);
      continue;
    }
    const uint64_t step = kBlockBytes * store.src.blkStride;
    const uint64_t full = store.rowBytes / kBlockBytes;
    for (uint64_t b = 0; b < full; ++b) {
      storeRun(store, dst + b * kBlockBytes, src + b * step, kBlockBytes);
    }
    storeRun(store, dst + full * kBlockBytes, src + full * step,
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
