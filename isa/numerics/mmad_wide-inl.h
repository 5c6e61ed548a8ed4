// SPDX-License-Identifier: Apache-2.0
//
// fp16 and bf16 products of a wide exponent range on AVX-512. Included by
// mmad_half-inl.h once per instruction set.
//
// Truncation by addition. Let u = 2^(E-74) (bf16: 2^(E-292)) be the unit of a
// dot and M = 2^52 u. A double in [M, 2M) is a multiple of u, so fma(|a|, |b|,
// acc) with acc there and rounding toward zero is acc + trunc(|a| |b| / u) u:
// one instruction multiplies, truncates and adds. 16 products are below 2^50 u
// together, which keeps acc in [M, 2M). Positive and negative products have an
// accumulator each, both start at M, and their difference is the exact sum.
// For that B is split into its positive and negative parts; the sign of an
// element of A chooses which part goes into which accumulator. Operands must be
// finite: an infinity would meet the zeros of the split.

// Included again for every target: the guard toggles.
#if defined(KILN_ISA_NUMERICS_MMAD_WIDE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KILN_ISA_NUMERICS_MMAD_WIDE_INL_H_
#undef KILN_ISA_NUMERICS_MMAD_WIDE_INL_H_
#else
#define KILN_ISA_NUMERICS_MMAD_WIDE_INL_H_
#endif

#include "isa/numerics/mmad_panels.h"

#include "hwy/highway.h"

#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace kiln::isa::numerics::HWY_NAMESPACE {

/// One k step of kRows rows and 16 columns; rows are `stride` elements apart
/// in a and exponentsA.
struct WideBlock {
  const double *a;
  const double *b;           // [16][16]
  const int16_t *exponentsA; // as in HalfPanels
  const int16_t *exponentsB;
  size_t stride;
  HalfFormat format;
};

#if HWY_TARGET <= HWY_AVX3

/// fma(a, b, c), rounded toward zero.
HWY_INLINE V64 truncatedMulAdd(V64 a, V64 b, V64 c) {
  return V64{_mm512_fmadd_round_pd(a.raw, b.raw, c.raw,
                                   _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)};
}

/// M of the 16 dots of one row.
HWY_INLINE void magicOfRow(const int16_t *HWY_RESTRICT exponentsA,
                           const int16_t *HWY_RESTRICT exponentsB, HalfFormat f,
                           V64 (&magic)[2]) {
  const hn::Repartition<int16_t, D64> d16;
  const hn::Repartition<int32_t, D64> d32;
  const hn::RebindToSigned<D64> d64;
  auto pairs = hn::Set(d16, -1);
  for (size_t k = 0; k < 16; k += 2) {
    int32_t both;
    std::memcpy(&both, exponentsA + k, sizeof(both));
    pairs = hn::Max(pairs, hn::Add(hn::BitCast(d16, hn::Set(d32, both)),
                                   hn::LoadU(d16, exponentsB + 16 * k)));
  }
  const auto x = hn::BitCast(d32, pairs);
  const auto odd = hn::ShiftRight<16>(x);
  const auto even = hn::ShiftRight<16>(hn::ShiftLeft<16>(x));
  // Without a nonzero product any unit will do: the smallest E is 2.
  const auto e = hn::Max(hn::Max(odd, even), hn::Set(d32, 2));
  // The exponent field of 2^52 u.
  const auto bias =
      hn::Set(d64, f == HalfFormat::kF16 ? 1023 + 52 - 74 : 1023 + 52 - 292);
  const hn::Half<decltype(d32)> half;
  const auto low = hn::PromoteTo(d64, hn::LowerHalf(half, e));
  const auto high = hn::PromoteTo(d64, hn::UpperHalf(half, e));
  magic[0] = hn::BitCast(kD64, hn::ShiftLeft<52>(hn::Add(low, bias)));
  magic[1] = hn::BitCast(kD64, hn::ShiftLeft<52>(hn::Add(high, bias)));
}

/// A block's operands as the inner loop reads them.
template <size_t kRows> struct WideOperands {
  static constexpr size_t kPart = 256; // elements of a part of B

  alignas(64) double b[2 * kPart];      // [k][column] of max(b, 0), then of
                                        // max(-b, 0)
  alignas(64) double a[kRows][16];      // magnitudes
  alignas(64) uint64_t part[kRows][16]; // of B for the positive products:
                                        // 0, or kPart if a is negative

  HWY_INLINE explicit WideOperands(const WideBlock &block) {
    const V64 zero = hn::Zero(kD64);
    for (size_t i = 0; i < 256; i += 8) {
      const V64 x = hn::LoadU(kD64, block.b + i);
      hn::Store(hn::Max(x, zero), kD64, b + i);
      hn::Store(hn::Max(hn::Neg(x), zero), kD64, b + kPart + i);
    }
    for (size_t r = 0; r < kRows; ++r) {
      for (size_t k = 0; k < 16; k += 8) {
        const V64 x = hn::LoadU(kD64, block.a + r * block.stride + k);
        const auto sign = hn::ShiftRight<63>(hn::BitCast(kDU64, x));
        hn::Store(hn::Abs(x), kD64, a[r] + k);
        hn::Store(hn::ShiftLeft<8>(sign), kDU64, part[r] + k);
      }
    }
  }
};

/// The dots of finite operands.
template <size_t kRows>
HWY_NOINLINE void blockWide(const WideBlock &block, V64 (&sums)[kRows][2]) {
  constexpr size_t kGroup = 4; // its 16 accumulators fit into the registers
  const WideOperands<kRows> x(block);
  for (size_t row = 0; row < kRows; row += kGroup) {
    V64 plus[kGroup][2], minus[kGroup][2];
    HWY_UNROLL(4)
    for (size_t r = 0; r < kGroup; ++r) {
      magicOfRow(block.exponentsA + (row + r) * block.stride, block.exponentsB,
                 block.format, plus[r]);
      minus[r][0] = plus[r][0];
      minus[r][1] = plus[r][1];
    }
    for (size_t k = 0; k < 16; ++k) {
      HWY_UNROLL(4)
      for (size_t r = 0; r < kGroup; ++r) {
        const V64 a = hn::Set(kD64, x.a[row + r][k]);
        const uint64_t part = x.part[row + r][k];
        const double *p = x.b + 16 * k + part;
        const double *m = x.b + 16 * k + (part ^ x.kPart);
        plus[r][0] = truncatedMulAdd(a, hn::Load(kD64, p), plus[r][0]);
        plus[r][1] = truncatedMulAdd(a, hn::Load(kD64, p + 8), plus[r][1]);
        minus[r][0] = truncatedMulAdd(a, hn::Load(kD64, m), minus[r][0]);
        minus[r][1] = truncatedMulAdd(a, hn::Load(kD64, m + 8), minus[r][1]);
      }
    }
    HWY_UNROLL(4)
    for (size_t r = 0; r < kGroup; ++r) {
      sums[row + r][0] = hn::Sub(plus[r][0], minus[r][0]);
      sums[row + r][1] = hn::Sub(plus[r][1], minus[r][1]);
    }
  }
}

constexpr bool kHasWide = true;

#else

template <size_t kRows>
HWY_INLINE void blockWide(const WideBlock &, V64 (&)[kRows][2]) {}

constexpr bool kHasWide = false;

#endif

} // namespace kiln::isa::numerics::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif // toggle
