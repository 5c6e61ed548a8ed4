// SPDX-License-Identifier: Apache-2.0
//
// fp32 and 8-bit products. Included by mmad.cpp once per instruction set.
//
// fp32: four rounded products, (p0+p1)+(p2+p3), then C + dot, lane by lane;
// this file must not be compiled with contraction of multiplications into FMA.
// 8-bit: operands widened to 16 bits; pairs of products fit i32 exactly and
// the accumulation wraps.
#if defined(KILN_ISA_NUMERICS_MMAD_F32_I8_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KILN_ISA_NUMERICS_MMAD_F32_I8_INL_H_
#undef KILN_ISA_NUMERICS_MMAD_F32_I8_INL_H_
#else
#define KILN_ISA_NUMERICS_MMAD_F32_I8_INL_H_
#endif

#include "isa/numerics/mmad_half-inl.h" // canonical()
#include "isa/numerics/mmad_panels.h"

#include "hwy/highway.h"

#include <algorithm>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace kiln::isa::numerics::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kWordRows = 4; // rows of an fp32 or 8-bit block

HWY_NOINLINE void unpackF32(const F32Panels &p, const std::byte *a,
                            const std::byte *b) {
  const size_t k1 = (p.shape.k + 7) / 8, n1 = (p.shape.n + 15) / 16;
  const size_t k = 4 * p.steps;
  for (size_t m = 0; m < p.shape.m; ++m) {
    float *row = p.a + m * k;
    for (size_t ki = 0; ki < k1; ++ki) {
      const size_t valid = std::min<size_t>(8, p.shape.k - 8 * ki);
      std::memcpy(row + 8 * ki, a + 512 * (m / 16 * k1 + ki) + 32 * (m % 16),
                  4 * valid);
    }
    std::fill(row + p.shape.k, row + k, 0.0f);
  }
  for (size_t ni = 0; ni < n1; ++ni) {
    const size_t columns = std::min<size_t>(16, p.shape.n - 16 * ni);
    float *panel = p.b + ni * k * 16;
    for (size_t i = 0; i < p.shape.k; ++i) {
      const std::byte *fractal = b + 512 * (i / 8 * n1 + ni) + 4 * (i % 8);
      for (size_t j = 0; j < 16; ++j) {
        panel[16 * i + j] = 0;
        if (j < columns) {
          std::memcpy(panel + 16 * i + j, fractal + 32 * j, 4);
        }
      }
    }
    std::fill(panel + 16 * p.shape.k, panel + 16 * k, 0.0f);
  }
}

/// C of rows x 16 columns over all k; c: [row][16]. Rows beyond m read row 0.
HWY_NOINLINE void f32Block(const F32Panels &p, size_t row, size_t rows,
                           size_t ni, float *HWY_RESTRICT c) {
  const hn::CappedTag<float, 16> d;
  const size_t n = hn::Lanes(d), k = 4 * p.steps;
  for (size_t column = 0; column < 16; column += n) {
    for (size_t r = 0; r < rows; ++r) {
      const float *a = p.a + (row + r) * k;
      const float *b = p.b + ni * k * 16 + column;
      auto acc = hn::LoadU(d, c + 16 * r + column);
      for (size_t i = 0; i < k; i += 4, b += 64) {
        const auto p0 = hn::Mul(hn::Set(d, a[i]), hn::LoadU(d, b));
        const auto p1 = hn::Mul(hn::Set(d, a[i + 1]), hn::LoadU(d, b + 16));
        const auto p2 = hn::Mul(hn::Set(d, a[i + 2]), hn::LoadU(d, b + 32));
        const auto p3 = hn::Mul(hn::Set(d, a[i + 3]), hn::LoadU(d, b + 48));
        acc = hn::Add(acc, hn::Add(hn::Add(p0, p1), hn::Add(p2, p3)));
      }
      hn::StoreU(canonical(d, acc), d, c + 16 * r + column);
    }
  }
}

HWY_INLINE int16_t widen8(std::byte x, bool isSigned) {
  return isSigned ? static_cast<int8_t>(x) : static_cast<uint8_t>(x);
}

HWY_NOINLINE void unpackI8(const I8Panels &p, const std::byte *a,
                           const std::byte *b) {
  const size_t k1 = (p.shape.k + 31) / 32, n1 = (p.shape.n + 15) / 16;
  const size_t k = 2 * p.pairs;
  for (size_t m = 0; m < p.shape.m; ++m) {
    int16_t *row = p.a + m * k;
    for (size_t ki = 0; ki < k1; ++ki) {
      const std::byte *src = a + 512 * (m / 16 * k1 + ki) + 32 * (m % 16);
      const size_t valid = std::min<size_t>(32, p.shape.k - 32 * ki);
      for (size_t i = 0; i < valid; ++i) {
        row[32 * ki + i] = widen8(src[i], p.signedA);
      }
    }
    std::fill(row + p.shape.k, row + k, int16_t{0});
  }
  for (size_t ni = 0; ni < n1; ++ni) {
    const size_t columns = std::min<size_t>(16, p.shape.n - 16 * ni);
    int16_t *panel = p.b + ni * k * 16;
    std::fill(panel, panel + 16 * k, int16_t{0});
    for (size_t j = 0; j < columns; ++j) {
      for (size_t i = 0; i < p.shape.k; ++i) {
        const std::byte *src = b + 512 * (i / 32 * n1 + ni) + 32 * j + i % 32;
        panel[32 * (i / 2) + 2 * j + i % 2] = widen8(*src, p.signedB);
      }
    }
  }
}

/// C of 4 rows x 16 columns over all k; c: [row][16] i32.
template <size_t kRows>
HWY_INLINE void i8Rows(const I8Panels &p, size_t row, size_t ni,
                       int32_t *HWY_RESTRICT c) {
  const hn::CappedTag<int32_t, 16> d;
  const hn::Repartition<int16_t, decltype(d)> d16;
  const size_t n = hn::Lanes(d);
  for (size_t column = 0; column < 16; column += n) {
    const int16_t *b = p.b + ni * p.pairs * 32 + 2 * column;
    hn::Vec<decltype(d)> even[kRows], odd[kRows];
    for (size_t r = 0; r < kRows; ++r) {
      even[r] = odd[r] = hn::Zero(d);
    }
    for (size_t i = 0; i < p.pairs; ++i, b += 32) {
      const auto y = hn::LoadU(d16, b);
      HWY_UNROLL(4)
      for (size_t r = 0; r < kRows; ++r) {
        int32_t pair;
        std::memcpy(&pair, p.a + ((row + r) * p.pairs + i) * 2, 4);
        const auto x = hn::BitCast(d16, hn::Set(d, pair));
        even[r] = hn::ReorderWidenMulAccumulate(d, x, y, even[r], odd[r]);
      }
    }
    for (size_t r = 0; r < kRows; ++r) {
      int32_t *out = c + 16 * r + column;
      hn::StoreU(hn::Add(hn::LoadU(d, out),
                         hn::RearrangeToOddPlusEven(even[r], odd[r])),
                 d, out);
    }
  }
}

HWY_NOINLINE void i8Block(const I8Panels &p, size_t row, size_t rows, size_t ni,
                          int32_t *HWY_RESTRICT c) {
  if (rows == kWordRows) {
    i8Rows<kWordRows>(p, row, ni, c);
    return;
  }
  for (size_t r = 0; r < rows; ++r) {
    i8Rows<1>(p, row + r, ni, c + 16 * r);
  }
}

} // namespace kiln::isa::numerics::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif // toggle
