// SPDX-License-Identifier: Apache-2.0
//
// fp16 and bf16 products in double precision. Included by mmad.cpp once per
// instruction set.
//
// Why a guarded dot is exact. Write a product as p * 2^(ea+eb-2s) with p an
// integer of at most 22 bits (e and s as in the contract: s = 25 or 134). If,
// over the finite nonzero operands of one k step of a block of rows and
// columns, (max ea - min ea) + (max eb - min eb) <= 24, then in every dot
//   - truncation drops nothing: the shift 24 - (E - ea - eb) of a product is
//     not negative, because E <= max ea + max eb;
//   - every product and every partial sum is an integer multiple of
//     2^(min ea + min eb - 2s), below 2^(22+24+4) of them: exact in a double
//     in any order, with or without FMA;
//   - so the only rounding is the conversion of the sum to f32, the contract's
//     one RNE (one rounding also for a subnormal result). Sums start from +0,
//     so a zero sum is +0.
// NaN and infinite operands take no part in the guard; their dots follow from
// IEEE addition and multiplication whatever the finite lanes hold.
// A block that fails the guard takes the wide path (mmad_wide-inl.h) where the
// machine has it and the operands are finite. Else the general path: every
// product is scaled by 2^(24+2s-E), truncated to an integer, and the integers
// (below 2^50) are added: the contract, literally. Its scale is a power of two,
// so nothing else rounds. NaN is made canonical when C is stored.

// Included again for every target: the guard toggles.
#if defined(KILN_ISA_NUMERICS_MMAD_HALF_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KILN_ISA_NUMERICS_MMAD_HALF_INL_H_
#undef KILN_ISA_NUMERICS_MMAD_HALF_INL_H_
#else
#define KILN_ISA_NUMERICS_MMAD_HALF_INL_H_
#endif

#include "isa/numerics/mmad_panels.h"

#include "hwy/highway.h"

#include <algorithm>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace kiln::isa::numerics::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D64 = hn::CappedTag<double, 8>;
using D32 = hn::Rebind<float, D64>; // a float per double
using DU64 = hn::RebindToUnsigned<D64>;
using V64 = hn::Vec<D64>;
using V32 = hn::Vec<D32>;
constexpr D64 kD64;
constexpr D32 kD32;
constexpr DU64 kDU64;

#undef KILN_NATIVE_F16
#if HWY_TARGET <= HWY_AVX2
#define KILN_NATIVE_F16 1
#else
#define KILN_NATIVE_F16 0
#endif

/// fp16 or bf16 bits to doubles, exactly; NaN stays NaN.
HWY_INLINE V64 widen(const uint16_t *HWY_RESTRICT src, HalfFormat f) {
  const hn::Rebind<uint16_t, D64> d16;
  const hn::Rebind<uint32_t, D64> d32;
  if (f == HalfFormat::kBf16) {
    const auto bits =
        hn::ShiftLeft<16>(hn::PromoteTo(d32, hn::LoadU(d16, src)));
    return hn::PromoteTo(kD64, hn::BitCast(kD32, bits));
  }
#if KILN_NATIVE_F16
  const hn::Rebind<hwy::float16_t, D64> df16;
  const auto half =
      hn::LoadU(df16, reinterpret_cast<const hwy::float16_t *>(src));
  return hn::PromoteTo(kD64, hn::PromoteTo(kD32, half));
#else
  const auto x = hn::PromoteTo(d32, hn::LoadU(d16, src));
  const auto sign = hn::ShiftLeft<16>(hn::And(x, hn::Set(d32, 0x8000u)));
  const auto magnitude = hn::And(x, hn::Set(d32, 0x7fffu));
  // The f32 with the same fields is 2^112 too small; the product is exact.
  const auto scaled = hn::Mul(hn::BitCast(kD32, hn::ShiftLeft<13>(magnitude)),
                              hn::Set(kD32, 0x1p112f));
  const auto special = hn::Gt(magnitude, hn::Set(d32, 0x7bffu));
  const auto infinity = hn::IfThenElseZero(special, hn::Set(d32, 0x7f800000u));
  const auto bits = hn::Or(hn::Or(hn::BitCast(d32, scaled), infinity), sign);
  return hn::PromoteTo(kD64, hn::BitCast(kD32, bits));
#endif
}

/// To f32, one rounding; infinities and NaN stay. (Highway's emulation clamps
/// to finite values.)
HWY_INLINE V32 narrow(V64 x) {
#if HWY_TARGET == HWY_EMU128
  double in[8];
  float out[8];
  hn::StoreU(x, kD64, in);
  for (size_t i = 0; i < hn::Lanes(kD64); ++i) {
    out[i] = static_cast<float>(in[i]);
  }
  return hn::LoadU(kD32, out);
#else
  return hn::DemoteTo(kD32, x);
#endif
}

} // namespace kiln::isa::numerics::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#include "isa/numerics/mmad_wide-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kiln::isa::numerics::HWY_NAMESPACE {

/// The range of exponent fields of finite nonzero operands, per lane.
struct ExponentRange {
  using D = hn::CappedTag<uint16_t, 16>;
  hn::Vec<D> low, high, special;

  HWY_INLINE ExponentRange()
      : low(hn::Set(D(), 0x7fff)), high(hn::Zero(D())), special(hn::Zero(D())) {
  }

  /// Takes 16 operands in; their exponents to `exponents` as HalfPanels has
  /// them.
  HWY_INLINE void add(const uint16_t *HWY_RESTRICT src, HalfFormat f,
                      int16_t *HWY_RESTRICT exponents) {
    const D d;
    for (size_t i = 0; i < 16; i += hn::Lanes(d)) {
      const auto x = hn::And(hn::LoadU(d, src + i), hn::Set(d, 0x7fff));
      const bool half = f == HalfFormat::kF16;
      const uint16_t infinity = half ? 0x7c00 : 0x7f80;
      auto e = half ? hn::ShiftRight<10>(x) : hn::ShiftRight<7>(x);
      e = hn::Max(e, hn::Set(d, 1));
      const auto finite = hn::Lt(x, hn::Set(d, infinity));
      const auto used = hn::And(hn::Ne(x, hn::Zero(d)), finite);
      special = hn::Or(special, hn::IfThenZeroElse(finite, hn::Set(d, 1)));
      high = hn::Max(high, hn::IfThenElseZero(used, e));
      low = hn::Min(low, hn::IfThenElse(used, e, hn::Set(d, 0x7fff)));
      const auto unused = hn::Set(d, static_cast<uint16_t>(kNoExponent));
      hn::StoreU(
          hn::BitCast(hn::RebindToSigned<D>(), hn::IfThenElse(used, e, unused)),
          hn::RebindToSigned<D>(), exponents + i);
    }
  }
  /// max - min, 0 when there was no operand; and kSpecial.
  HWY_INLINE uint16_t spread() const {
    const D d;
    alignas(64) uint16_t lows[16], highs[16];
    hn::Store(low, d, lows);
    hn::Store(high, d, highs);
    int lo = 0x7fff, hi = 0;
    for (size_t i = 0; i < hn::Lanes(d); ++i) {
      lo = std::min<int>(lo, lows[i]);
      hi = std::max<int>(hi, highs[i]);
    }
    const bool all = hn::AllTrue(d, hn::Eq(special, hn::Zero(d)));
    return static_cast<uint16_t>(std::max(hi - lo, 0) | (all ? 0 : kSpecial));
  }
};

/// Row m of A to doubles, [row][k], and the spread of every block and k step.
/// Lanes at or beyond k and rows at or beyond m become 0.
HWY_NOINLINE void unpackHalfA(const HalfPanels &p, const std::byte *a) {
  const size_t rows = p.rowBlocks * p.rowsPerBlock;
  for (size_t ki = 0; ki < p.k1; ++ki) {
    const size_t valid = std::min<size_t>(16, p.shape.k - 16 * ki);
    for (size_t m0 = 0; m0 < rows; m0 += p.rowsPerBlock) {
      ExponentRange range;
      for (size_t m = m0; m < m0 + p.rowsPerBlock; ++m) {
        alignas(64) uint16_t row[16] = {};
        if (m < p.shape.m) {
          std::memcpy(row, a + 512 * (m / 16 * p.k1 + ki) + 32 * (m % 16),
                      2 * valid);
        }
        range.add(row, p.format, p.exponentsA + (m * p.k1 + ki) * 16);
        double *dst = p.a + (m * p.k1 + ki) * 16;
        for (size_t i = 0; i < 16; i += hn::Lanes(kD64)) {
          hn::StoreU(widen(row + i, p.format), kD64, dst + i);
        }
      }
      p.spreadA[m0 / p.rowsPerBlock * p.k1 + ki] = range.spread();
    }
  }
}

/// 8x8 transpose of 16-bit elements.
HWY_INLINE void transpose8x8(const uint16_t *src, size_t srcStride,
                             uint16_t *dst, size_t dstStride) {
  const hn::FixedTag<uint16_t, 8> d;
  const hn::FixedTag<uint32_t, 4> d2;
  const hn::FixedTag<uint64_t, 2> d4;
  hn::Vec<decltype(d)> r[8], s[8];
  for (size_t i = 0; i < 8; ++i) {
    r[i] = hn::LoadU(d, src + i * srcStride);
  }
  for (size_t i = 0; i < 4; ++i) {
    s[2 * i] = hn::InterleaveLower(d, r[2 * i], r[2 * i + 1]);
    s[2 * i + 1] = hn::InterleaveUpper(d, r[2 * i], r[2 * i + 1]);
  }
  // s: pairs of rows 01 01' 23 23' 45 45' 67 67', low and high columns
  const auto pair = [&](size_t x, size_t y, bool upper) {
    const auto a = hn::BitCast(d2, s[x]), b = hn::BitCast(d2, s[y]);
    return hn::BitCast(d4, upper ? hn::InterleaveUpper(d2, a, b)
                                 : hn::InterleaveLower(d2, a, b));
  };
  for (size_t half = 0; half < 2; ++half) { // columns 0-3, 4-7
    for (size_t quarter = 0; quarter < 2; ++quarter) {
      const auto top = pair(half, 2 + half, quarter != 0);
      const auto bottom = pair(4 + half, 6 + half, quarter != 0);
      uint16_t *out = dst + (4 * half + 2 * quarter) * dstStride;
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d4, top, bottom)), d, out);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d4, top, bottom)), d,
                 out + dstStride);
    }
  }
}

/// Exponents of a fractal of B, [k][column], as HalfPanels has them.
HWY_INLINE void pairExponents(const int16_t *HWY_RESTRICT from,
                              int16_t *HWY_RESTRICT to) {
  const hn::CappedTag<int32_t, 16> d32;
  const hn::Rebind<int16_t, decltype(d32)> d16;
  for (size_t k = 0; k < 16; k += 2) {
    for (size_t i = 0; i < 16; i += hn::Lanes(d32)) {
      const auto even = hn::PromoteTo(d32, hn::LoadU(d16, from + 16 * k + i));
      const auto odd =
          hn::PromoteTo(d32, hn::LoadU(d16, from + 16 * k + 16 + i));
      const auto both =
          hn::Or(hn::And(even, hn::Set(d32, 0xffff)), hn::ShiftLeft<16>(odd));
      hn::StoreU(hn::BitCast(hn::Repartition<int16_t, decltype(d32)>(), both),
                 hn::Repartition<int16_t, decltype(d32)>(),
                 to + 16 * k + 2 * i);
    }
  }
}

/// B to doubles, [ni][k][16 columns], and the spread of every fractal.
HWY_NOINLINE void unpackHalfB(const HalfPanels &p, const std::byte *b) {
  const size_t n1 = (p.shape.n + 15) / 16;
  for (size_t ki = 0; ki < p.k1; ++ki) {
    const size_t valid = std::min<size_t>(16, p.shape.k - 16 * ki);
    for (size_t ni = 0; ni < n1; ++ni) {
      const size_t columns = std::min<size_t>(16, p.shape.n - 16 * ni);
      alignas(64) uint16_t in[256], out[256];
      std::memcpy(in, b + 512 * (ki * n1 + ni), 512);
      std::memset(in + 16 * columns, 0, 32 * (16 - columns));
      for (size_t i = 0; i < 256; i += 128) {
        transpose8x8(in + i, 16, out + i / 16, 16);
        transpose8x8(in + i + 8, 16, out + 128 + i / 16, 16);
      }
      std::memset(out + 16 * valid, 0, 32 * (16 - valid));
      ExponentRange range;
      alignas(64) int16_t exponents[256];
      const size_t fractal = 256 * (ni * p.k1 + ki);
      double *dst = p.b + fractal;
      for (size_t k = 0; k < 16; ++k) {
        range.add(out + 16 * k, p.format, exponents + 16 * k);
        for (size_t i = 0; i < 16; i += hn::Lanes(kD64)) {
          hn::StoreU(widen(out + 16 * k + i, p.format), kD64, dst + 16 * k + i);
        }
      }
      pairExponents(exponents, p.exponentsB + fractal);
      p.spreadB[ni * p.k1 + ki] = range.spread();
    }
  }
}

/// Rows of a block: enough accumulators to hide the latency of FMA.
constexpr size_t kHalfRows = HWY_TARGET <= HWY_AVX3 ? 8 : 4;

using HalfSums = V64[kHalfRows][2];

/// One guarded k step of a block of rows x 2 vectors.
HWY_INLINE void dotExact(const double *HWY_RESTRICT a, size_t aStride,
                         const double *HWY_RESTRICT b, size_t n, HalfSums &s) {
  HWY_UNROLL(8)
  for (size_t r = 0; r < kHalfRows; ++r) {
    s[r][0] = s[r][1] = hn::Zero(kD64);
  }
  HWY_UNROLL(2)
  for (size_t k = 0; k < 16; ++k) {
    const V64 b0 = hn::LoadU(kD64, b + 16 * k);
    const V64 b1 = hn::LoadU(kD64, b + 16 * k + n);
    HWY_UNROLL(8)
    for (size_t r = 0; r < kHalfRows; ++r) {
      const V64 x = hn::Set(kD64, a[r * aStride + k]);
      s[r][0] = hn::MulAdd(x, b0, s[r][0]);
      s[r][1] = hn::MulAdd(x, b1, s[r][1]);
    }
  }
}

/// 2^(e - bias) of finite nonzero values, e as in the contract; else 0.
HWY_INLINE V64 powerOf(V64 x, HalfFormat f) {
  const auto infinity = hn::Set(kDU64, 0x7ff0000000000000u);
  const V64 power = hn::BitCast(kD64, hn::And(hn::BitCast(kDU64, x), infinity));
  const V64 smallest =
      hn::Set(kD64, f == HalfFormat::kF16 ? 0x1p-14 : 0x1p-126);
  const auto unused = hn::Or(hn::Eq(x, hn::Zero(kD64)),
                             hn::Eq(power, hn::BitCast(kD64, infinity)));
  return hn::IfThenZeroElse(unused, hn::Max(power, smallest));
}

/// The general path of one row and one vector. aPower, bPower: powerOf() the
/// operands, b and bPower 16 and bStride apart.
HWY_INLINE V64 dotGeneral(const double *HWY_RESTRICT a,
                          const double *HWY_RESTRICT aPower,
                          const double *HWY_RESTRICT b,
                          const double *HWY_RESTRICT bPower, size_t bStride,
                          HalfFormat f) {
  V64 largest = hn::Zero(kD64);
  for (size_t k = 0; k < 16; ++k) {
    largest = hn::Max(largest, hn::Mul(hn::Set(kD64, aPower[k]),
                                       hn::LoadU(kD64, bPower + bStride * k)));
  }
  // Without a nonzero product any unit will do.
  largest = hn::IfThenElse(hn::Eq(largest, hn::Zero(kD64)), hn::Set(kD64, 1.0),
                           largest);
  const V64 unit = hn::Mul(
      largest, hn::Set(kD64, f == HalfFormat::kF16 ? 0x1p-44 : 0x1p-38));
  // 1/unit: powers of two, so the exponent field is 2*1023 minus the other.
  const V64 scale =
      hn::BitCast(kD64, hn::Sub(hn::Set(kDU64, uint64_t{2046} << 52),
                                hn::BitCast(kDU64, unit)));
  V64 sum = hn::Zero(kD64);
  for (size_t k = 0; k < 16; ++k) {
    const V64 product =
        hn::Mul(hn::Set(kD64, a[k]), hn::LoadU(kD64, b + 16 * k));
    sum = hn::Add(sum, hn::Trunc(hn::Mul(product, scale)));
  }
  return hn::Mul(sum, unit);
}

HWY_NOINLINE void blockGeneral(const double *a, size_t aStride, const double *b,
                               size_t n, HalfFormat f, HalfSums &s) {
  alignas(64) double aPower[kHalfRows][16];
  alignas(64) double bPower[16][16];
  for (size_t r = 0; r < kHalfRows; ++r) {
    for (size_t k = 0; k < 16; k += n) {
      hn::Store(powerOf(hn::LoadU(kD64, a + r * aStride + k), f), kD64,
                aPower[r] + k);
    }
  }
  for (size_t k = 0; k < 16; ++k) {
    hn::Store(powerOf(hn::LoadU(kD64, b + 16 * k), f), kD64, bPower[k]);
    hn::Store(powerOf(hn::LoadU(kD64, b + 16 * k + n), f), kD64, bPower[k] + n);
  }
  for (size_t r = 0; r < kHalfRows; ++r) {
    const double *x = a + r * aStride;
    s[r][0] = dotGeneral(x, aPower[r], b, bPower[0], 16, f);
    s[r][1] = dotGeneral(x, aPower[r], b + n, bPower[0] + n, 16, f);
  }
}

/// A NaN made canonical, in integers: a compiler may take any NaN for any
/// other in float operations.
template <class D> HWY_INLINE hn::Vec<D> canonical(D, hn::Vec<D> x) {
  const hn::RebindToSigned<D> d;
  const auto bits = hn::BitCast(d, x);
  const auto nan =
      hn::Gt(hn::And(bits, hn::Set(d, 0x7fffffff)), hn::Set(d, 0x7f800000));
  return hn::BitCast(D(), hn::IfThenElse(nan, hn::Set(d, 0x7fc00000), bits));
}

/// C = C + dots; c: [row][16] floats.
HWY_INLINE void accumulate(const HalfSums &s, float *HWY_RESTRICT c) {
  const size_t n = hn::Lanes(kD64);
  HWY_UNROLL(8)
  for (size_t r = 0; r < kHalfRows; ++r) {
    float *x = c + 16 * r;
    hn::StoreU(hn::Add(hn::LoadU(kD32, x), narrow(s[r][0])), kD32, x);
    hn::StoreU(hn::Add(hn::LoadU(kD32, x + n), narrow(s[r][1])), kD32, x + n);
  }
}

/// C of one block over all k steps; c: [row][16] floats.
HWY_NOINLINE void halfBlock(const HalfPanels &p, size_t block, size_t ni,
                            float *HWY_RESTRICT c) {
  const size_t n = hn::Lanes(kD64), stride = 16 * p.k1;
  const size_t firstA = block * kHalfRows * stride, firstB = 16 * stride * ni;
  const uint16_t *spreadA = p.spreadA + block * p.k1;
  const uint16_t *spreadB = p.spreadB + ni * p.k1;
  for (size_t column = 0; column < 16; column += 2 * n) {
    float *out = c + column;
    for (size_t ki = 0; ki < p.k1; ++ki) {
      const double *a = p.a + firstA + 16 * ki;
      const double *b = p.b + firstB + 256 * ki + column;
      const unsigned special = (spreadA[ki] | spreadB[ki]) & kSpecial;
      // Sums of their own, or those of the fast path would live in memory.
      if ((spreadA[ki] & ~kSpecial) + (spreadB[ki] & ~kSpecial) <= 24) {
        HalfSums s;
        dotExact(a, stride, b, n, s);
        accumulate(s, out);
      } else if (kHasWide && special == 0) {
        HalfSums s;
        blockWide({a, b, p.exponentsA + firstA + 16 * ki,
                   p.exponentsB + firstB + 256 * ki, stride, p.format},
                  s);
        accumulate(s, out);
      } else {
        HalfSums s;
        blockGeneral(a, stride, b, n, p.format, s);
        accumulate(s, out);
      }
    }
    for (size_t r = 0; r < kHalfRows; ++r) {
      float *x = out + 16 * r;
      hn::StoreU(canonical(kD32, hn::LoadU(kD32, x)), kD32, x);
      hn::StoreU(canonical(kD32, hn::LoadU(kD32, x + n)), kD32, x + n);
    }
  }
}

size_t halfRows() { return kHalfRows; }

} // namespace kiln::isa::numerics::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif // toggle
