// SPDX-License-Identifier: Apache-2.0
//
// Whole-tile products: operands are unpacked once per call into panels that
// the inner loops read contiguously; the loops are in the -inl.h files.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "isa/numerics/mmad.cpp"
#include "isa/numerics/simd_targets.h"

#include "hwy/foreach_target.h" // IWYU pragma: keep

#include "hwy/highway.h"

#include "isa/numerics/mmad_f32_i8-inl.h"
#include "isa/numerics/mmad_half-inl.h"

#if HWY_ONCE
#include "isa/numerics/mmad.h"

#include "hwy/aligned_allocator.h"

#include <algorithm>
#include <cstring>

namespace kiln::isa::numerics {

HWY_EXPORT(unpackHalfA);
HWY_EXPORT(unpackHalfB);
HWY_EXPORT(halfBlock);
HWY_EXPORT(halfRows);
HWY_EXPORT(unpackF32);
HWY_EXPORT(f32Block);
HWY_EXPORT(unpackI8);
HWY_EXPORT(i8Block);

namespace {

/// Panel memory that a thread keeps between calls; its contents never matter.
class Scratch {
public:
  /// Room for `bytes`, aligned to 64.
  std::byte *reserve(size_t bytes) {
    if (bytes > size_) {
      memory_ = hwy::AllocateAligned<std::byte>(bytes);
      size_ = bytes;
    }
    return memory_.get();
  }

private:
  hwy::AlignedFreeUniquePtr<std::byte[]> memory_;
  size_t size_ = 0;
};

Scratch &scratch() {
  thread_local Scratch memory;
  return memory;
}

/// C: where it is and what it starts from.
struct Accumulators {
  CubeExtents shape;
  CubeMode mode;
  const std::byte *bias;
  std::byte *c;

  std::byte *cell(size_t row, size_t ni) const {
    const size_t m1 = (shape.m + 15) / 16;
    return c + 1024 * (ni * m1 + row / 16) + 64 * (row % 16);
  }
};

/// Calls fn(first row, rows, ni, values) for every block of C, with the rows
/// (16 words each) of the block preset, and stores what fn leaves there.
/// blockRows divides 16. fn gets blockRows rows of room, even at the edge.
template <typename Fn>
void forEachBlock(const Accumulators &acc, size_t blockRows, Fn fn) {
  const size_t n1 = (acc.shape.n + 15) / 16;
  for (size_t ni = 0; ni < n1; ++ni) {
    const size_t columns = std::min<size_t>(16, acc.shape.n - 16 * ni);
    alignas(64) uint32_t preset[16] = {};
    if (acc.mode == CubeMode::kBias) {
      std::memcpy(preset, acc.bias + 64 * ni, 4 * columns);
    }
    for (size_t row = 0; row < acc.shape.m; row += blockRows) {
      const size_t rows = std::min<size_t>(blockRows, acc.shape.m - row);
      alignas(64) uint32_t block[16 * 16];
      std::byte *cell = acc.cell(row, ni);
      for (size_t r = 0; r < blockRows; ++r) {
        const bool load = acc.mode == CubeMode::kAccumulate && r < rows;
        std::memcpy(block + 16 * r, preset, 64);
        if (load) {
          std::memcpy(block + 16 * r, cell + 64 * r, 4 * columns);
        }
      }
      fn(row, rows, ni, block);
      for (size_t r = 0; r < rows; ++r) {
        std::memcpy(cell + 64 * r, block + 16 * r, 4 * columns);
      }
    }
  }
}

void mmadHalf(HalfFormat format, const Accumulators &acc, const std::byte *a,
              const std::byte *b) {
  HalfPanels p;
  p.format = format;
  p.shape = acc.shape;
  p.k1 = (p.shape.k + 15) / 16;
  p.rowsPerBlock = HWY_DYNAMIC_DISPATCH(halfRows)();
  p.rowBlocks = (p.shape.m + p.rowsPerBlock - 1) / p.rowsPerBlock;
  const size_t n1 = (p.shape.n + 15) / 16;
  const size_t aSize = p.rowBlocks * p.rowsPerBlock * p.k1 * 16;
  const size_t bSize = n1 * p.k1 * 256;
  const size_t spreads = (p.rowBlocks + n1) * p.k1;
  auto *memory = scratch().reserve(10 * (aSize + bSize) + 2 * spreads);
  p.a = reinterpret_cast<double *>(memory);
  p.b = p.a + aSize;
  p.exponentsA = reinterpret_cast<int16_t *>(p.b + bSize);
  p.exponentsB = p.exponentsA + aSize;
  p.spreadA = reinterpret_cast<uint16_t *>(p.exponentsB + bSize);
  p.spreadB = p.spreadA + p.rowBlocks * p.k1;
  HWY_DYNAMIC_DISPATCH(unpackHalfA)(p, a);
  HWY_DYNAMIC_DISPATCH(unpackHalfB)(p, b);
  const auto block = HWY_DYNAMIC_DISPATCH(halfBlock);
  forEachBlock(
      acc, p.rowsPerBlock, [&](size_t row, size_t, size_t ni, uint32_t *c) {
        block(p, row / p.rowsPerBlock, ni, reinterpret_cast<float *>(c));
      });
}

void mmadF32(const Accumulators &acc, const std::byte *a, const std::byte *b) {
  F32Panels p;
  p.shape = acc.shape;
  p.steps = (p.shape.k + 3) / 4;
  const size_t k = 4 * p.steps, n1 = (p.shape.n + 15) / 16;
  auto *memory = scratch().reserve(4 * k * (p.shape.m + 16 * n1));
  p.b = reinterpret_cast<float *>(memory);
  p.a = p.b + k * 16 * n1;
  HWY_DYNAMIC_DISPATCH(unpackF32)(p, a, b);
  const auto block = HWY_DYNAMIC_DISPATCH(f32Block);
  forEachBlock(acc, 4, [&](size_t row, size_t rows, size_t ni, uint32_t *c) {
    block(p, row, rows, ni, reinterpret_cast<float *>(c));
  });
}

void mmadI8(CubeType type, const Accumulators &acc, const std::byte *a,
            const std::byte *b) {
  I8Panels p;
  p.shape = acc.shape;
  p.pairs = (p.shape.k + 1) / 2;
  p.signedA = signedA(type);
  p.signedB = signedB(type);
  const size_t k = 2 * p.pairs, n1 = (p.shape.n + 15) / 16;
  auto *memory = scratch().reserve(2 * k * (p.shape.m + 16 * n1));
  p.b = reinterpret_cast<int16_t *>(memory);
  p.a = p.b + k * 16 * n1;
  HWY_DYNAMIC_DISPATCH(unpackI8)(p, a, b);
  const auto block = HWY_DYNAMIC_DISPATCH(i8Block);
  forEachBlock(acc, 4, [&](size_t row, size_t rows, size_t ni, uint32_t *c) {
    block(p, row, rows, ni, reinterpret_cast<int32_t *>(c));
  });
}

} // namespace

void mmad(CubeType type, CubeExtents shape, CubeMode mode, const std::byte *a,
          const std::byte *b, const std::byte *bias, std::byte *c) {
  const Accumulators acc{shape, mode, bias, c};
  switch (type) {
  case CubeType::kF16:
    return mmadHalf(HalfFormat::kF16, acc, a, b);
  case CubeType::kBf16:
    return mmadHalf(HalfFormat::kBf16, acc, a, b);
  case CubeType::kF32:
    return mmadF32(acc, a, b);
  default:
    return mmadI8(type, acc, a, b);
  }
}

} // namespace kiln::isa::numerics
#endif // HWY_ONCE
