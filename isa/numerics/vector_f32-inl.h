// SPDX-License-Identifier: Apache-2.0
//
// Float arithmetic of the vector unit on arrays of f32, and the conversions
// between f32 and the 16-bit types. Included by vector_kernels.cpp once per
// instruction set. Counts are multiples of kGroup; arrays may be unaligned.
//
// Why f32 serves the 16-bit types: the f32 result of + - * / sqrt on f16
// operands, rounded again to f16, is the exact result rounded once, because
// 24 >= 2*11 + 2 bits. For bf16 the same holds except where the f32 result is
// subnormal (a product or quotient); those lanes go to the oracle. madd is
// not covered by that theorem: its f32 sum is rounded to odd first, which
// keeps all that a second rounding needs.
#if defined(KILN_ISA_NUMERICS_VECTOR_F32_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KILN_ISA_NUMERICS_VECTOR_F32_INL_H_
#undef KILN_ISA_NUMERICS_VECTOR_F32_INL_H_
#else
#define KILN_ISA_NUMERICS_VECTOR_F32_INL_H_
#endif

#include "isa/numerics/elementary.h"
#include "isa/numerics/vector_scalar.h"
#include "isa/numerics/vector_types.h"

#include "hwy/highway.h"

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace kiln::isa::numerics::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using DF = hn::CappedTag<float, 16>;
using DU = hn::RebindToUnsigned<DF>;
using DI = hn::RebindToSigned<DF>;
using VF = hn::Vec<DF>;
using VU = hn::Vec<DU>;
constexpr DF kF;
constexpr DU kU;
constexpr DI kI;

/// Elements that every loop here may handle at once.
constexpr size_t kGroup = 16;

/// A NaN made canonical, in integers: a compiler may take any NaN for any
/// other in float operations.
HWY_INLINE VF canonicalNan(VF x) {
  const auto bits = hn::BitCast(kI, x);
  const auto nan =
      hn::Gt(hn::And(bits, hn::Set(kI, 0x7fffffff)), hn::Set(kI, 0x7f800000));
  return hn::BitCast(kF, hn::IfThenElse(nan, hn::Set(kI, 0x7fc00000), bits));
}

/// IEEE 754-2019 maximum and minimum.
HWY_INLINE VF maximumOf(VF a, VF b) {
  const VF larger = hn::IfThenElse(hn::Gt(a, b), a, b);
  const VF r = hn::IfThenElse(hn::Eq(a, b), hn::And(a, b), larger);
  return canonicalNan(hn::IfThenElse(hn::IsNaN(a), a, r));
}
HWY_INLINE VF minimumOf(VF a, VF b) {
  const VF smaller = hn::IfThenElse(hn::Lt(a, b), a, b);
  const VF r = hn::IfThenElse(hn::Eq(a, b), hn::Or(a, b), smaller);
  return canonicalNan(hn::IfThenElse(hn::IsNaN(a), a, r));
}

HWY_INLINE VF binaryOf(BinaryOp op, VF a, VF b) {
  switch (op) {
  case BinaryOp::kAdd:
    return canonicalNan(hn::Add(a, b));
  case BinaryOp::kSub:
    return canonicalNan(hn::Sub(a, b));
  case BinaryOp::kMul:
    return canonicalNan(hn::Mul(a, b));
  case BinaryOp::kDiv:
    return canonicalNan(hn::Div(a, b));
  case BinaryOp::kMax:
    return maximumOf(a, b);
  case BinaryOp::kMin:
    return minimumOf(a, b);
  }
  return a;
}

template <BinaryOp kOp>
HWY_INLINE void binaryLoop(const float *a, const float *b, float *dst,
                           size_t n) {
  for (size_t i = 0; i < n; i += hn::Lanes(kF)) {
    hn::StoreU(binaryOf(kOp, hn::LoadU(kF, a + i), hn::LoadU(kF, b + i)), kF,
               dst + i);
  }
}

HWY_INLINE void binaryF32(BinaryOp op, const float *a, const float *b,
                          float *dst, size_t n) {
  switch (op) {
  case BinaryOp::kAdd:
    return binaryLoop<BinaryOp::kAdd>(a, b, dst, n);
  case BinaryOp::kSub:
    return binaryLoop<BinaryOp::kSub>(a, b, dst, n);
  case BinaryOp::kMul:
    return binaryLoop<BinaryOp::kMul>(a, b, dst, n);
  case BinaryOp::kDiv:
    return binaryLoop<BinaryOp::kDiv>(a, b, dst, n);
  case BinaryOp::kMax:
    return binaryLoop<BinaryOp::kMax>(a, b, dst, n);
  case BinaryOp::kMin:
    return binaryLoop<BinaryOp::kMin>(a, b, dst, n);
  }
}

/// Whether a product or quotient of nonzero finite operands came out below
/// the normal range: its second rounding, to bf16, would not be innocuous.
HWY_INLINE bool anyTiny(const float *a, const float *b, const float *r,
                        size_t n) {
  auto tiny = hn::Ne(hn::Zero(kF), hn::Zero(kF));
  for (size_t i = 0; i < n; i += hn::Lanes(kF)) {
    const VF x = hn::LoadU(kF, a + i), y = hn::LoadU(kF, b + i);
    const auto small =
        hn::Lt(hn::Abs(hn::LoadU(kF, r + i)), hn::Set(kF, 0x1p-126f));
    const auto used = hn::And(hn::Ne(x, hn::Zero(kF)), hn::Ne(y, hn::Zero(kF)));
    tiny = hn::Or(tiny, hn::And(small, used));
  }
  return !hn::AllFalse(kF, tiny);
}

/// a * b + c, fused (targets with FMA only).
HWY_INLINE void multiplyAddF32(const float *a, const float *b, float *dst,
                               size_t n) {
  for (size_t i = 0; i < n; i += hn::Lanes(kF)) {
    hn::StoreU(
        canonicalNan(hn::MulAdd(hn::LoadU(kF, a + i), hn::LoadU(kF, b + i),
                                hn::LoadU(kF, dst + i))),
        kF, dst + i);
  }
}

/// a * b + c rounded to odd, for operands whose product is exact in f32.
HWY_INLINE void multiplyAddOdd(const float *a, const float *b, float *dst,
                               size_t n) {
  for (size_t i = 0; i < n; i += hn::Lanes(kF)) {
    const VF p = hn::Mul(hn::LoadU(kF, a + i), hn::LoadU(kF, b + i));
    const VF c = hn::LoadU(kF, dst + i);
    const VF s = hn::Add(p, c);
    // The rounding error of the sum, exactly (Knuth, TwoSum).
    const VF cRounded = hn::Sub(s, p), pRounded = hn::Sub(s, cRounded);
    const VF error = hn::Add(hn::Sub(p, pRounded), hn::Sub(c, cRounded));
    const VU bits = hn::BitCast(kU, s);
    const VU one = hn::Set(kU, 1);
    const auto finite = hn::Lt(hn::Abs(s), hn::Inf(kF));
    const auto even =
        hn::RebindMask(kF, hn::Eq(hn::And(bits, one), hn::Zero(kU)));
    const auto adjust =
        hn::And(hn::And(finite, even), hn::Ne(error, hn::Zero(kF)));
    // Away from zero when the error has the sign of the sum.
    const VU differ = hn::ShiftRight<31>(hn::Xor(bits, hn::BitCast(kU, error)));
    const VU up = hn::Sub(one, hn::Add(differ, differ));
    const VU odd = hn::Add(bits, up);
    hn::StoreU(hn::IfThenElse(adjust, hn::BitCast(kF, odd), canonicalNan(s)),
               kF, dst + i);
  }
}

/// Whether a bf16 madd may leave the range where multiplyAddOdd() is exact.
HWY_INLINE bool anyOutOfRange(const float *a, const float *b, const float *c,
                              size_t n) {
  auto out = hn::Ne(hn::Zero(kF), hn::Zero(kF));
  for (size_t i = 0; i < n; i += hn::Lanes(kF)) {
    const VF x = hn::LoadU(kF, a + i), y = hn::LoadU(kF, b + i);
    const VF p = hn::Abs(hn::Mul(x, y));
    const VF z = hn::Abs(hn::LoadU(kF, c + i));
    const auto large = hn::Or(hn::Ge(p, hn::Set(kF, 0x1p126f)),
                              hn::Ge(z, hn::Set(kF, 0x1p126f)));
    const auto small =
        hn::And(hn::Lt(p, hn::Set(kF, 0x1p-100f)),
                hn::And(hn::Ne(x, hn::Zero(kF)), hn::Ne(y, hn::Zero(kF))));
    out = hn::Or(
        out, hn::Or(hn::Or(large, small), hn::Or(hn::IsNaN(p), hn::IsNaN(z))));
  }
  return !hn::AllFalse(kF, out);
}

HWY_INLINE void sqrtF32(const float *src, float *dst, size_t n) {
  for (size_t i = 0; i < n; i += hn::Lanes(kF)) {
    hn::StoreU(canonicalNan(hn::Sqrt(hn::LoadU(kF, src + i))), kF, dst + i);
  }
}

/// dst += src
HWY_INLINE void addTo(const float *src, float *dst, size_t n) {
  for (size_t i = 0; i < n; i += hn::Lanes(kF)) {
    hn::StoreU(hn::Add(hn::LoadU(kF, dst + i), hn::LoadU(kF, src + i)), kF,
               dst + i);
  }
}

/// exp(src) as bits of a format with `mantissaBits` and `bias`, one rounding:
/// elementary::exp() and its rounding, lane by lane.
HWY_INLINE void expBits(const float *src, uint32_t *dst, size_t n,
                        int mantissaBits, int bias) {
  using D = hn::CappedTag<uint64_t, 8>;
  const D d;
  const hn::RebindToSigned<D> di;
  const hn::Rebind<uint32_t, D> dw;
  const hn::Repartition<uint32_t, D> d32;
  using V = hn::Vec<D>;
  const auto set = [&](uint64_t x) HWY_ATTR { return hn::Set(d, x); };
  const auto multiply = [&](V x, V y) HWY_ATTR { // 32 x 32 bits
    return hn::MulEven(hn::BitCast(d32, x), hn::BitCast(d32, y));
  };
  const uint64_t infinity = uint64_t(2 * bias + 1) << mantissaBits;
  const V one = set(1), low = set(0xffffffff);
  for (size_t i = 0; i < n; i += hn::Lanes(d)) {
    const V x = hn::PromoteTo(
        d, hn::LoadU(dw, reinterpret_cast<const uint32_t *>(src) + i));
    const V magnitude = hn::And(x, set(0x7fffffff));
    const auto negative = hn::Ne(hn::ShiftRight<31>(x), hn::Zero(d));
    const V rawField = hn::ShiftRight<23>(magnitude);
    const V hidden =
        hn::IfThenZeroElse(hn::Eq(rawField, hn::Zero(d)), set(1 << 23));
    const V m = hn::Or(hn::And(x, set(0x7fffff)), hidden);
    const V field = hn::Max(rawField, one);
    const V product =
        hn::Add(hn::ShiftLeft<8>(multiply(m, set(elementary::kLog2eHigh))),
                hn::ShiftRight<24>(multiply(m, set(elementary::kLog2eLow))));
    // Below 157 for all arguments that are used, see `outside`.
    const V right = hn::Min(hn::Sub(set(157), field), set(63));
    const V t = hn::Shr(product, right);
    const V s = hn::IfThenElse(negative, hn::Sub(hn::Zero(d), t), t);
    const V fraction = hn::And(s, low);
    const auto k = hn::ShiftRight<32>(hn::BitCast(di, s));
    const V g = hn::And(hn::ShiftLeft<6>(fraction), low);
    const V inner =
        hn::Add(set(elementary::kExp2C2),
                hn::ShiftRight<38>(multiply(set(elementary::kExp2C3), g)));
    const V outer = hn::Add(set(elementary::kExp2C1),
                            hn::ShiftRight<38>(multiply(inner, g)));
    const V delta = hn::ShiftRight<32>(multiply(outer, g));
    const V base =
        hn::GatherIndex(d, elementary::kExp2Table.data(),
                        hn::BitCast(di, hn::ShiftRight<26>(fraction)));
    const V r = hn::Add(
        base, hn::ShiftRight<7>(multiply(hn::ShiftRight<31>(base), delta)));
    // Round to nearest even at the unit of the destination.
    const auto below = hn::Max(hn::Sub(hn::Set(di, 1 - bias), k),
                               hn::Zero(di)); // subnormal: shift further
    const V shift =
        hn::BitCast(d, hn::Add(below, hn::Set(di, int64_t{62} - mantissaBits)));
    const V safe = hn::Min(shift, set(63));
    const V half = hn::Shl(one, hn::Sub(safe, one));
    const V odd = hn::And(hn::Shr(r, safe), one);
    const V kept = hn::Shr(hn::Add(r, hn::Add(hn::Sub(half, one), odd)), safe);
    const auto exponent =
        hn::Max(hn::Add(k, hn::Set(di, int64_t{bias} - 1)), hn::Zero(di));
    V bits = hn::Add(kept, hn::Shl(hn::BitCast(d, exponent),
                                   set(static_cast<uint64_t>(mantissaBits))));
    bits = hn::IfThenZeroElse(hn::Gt(shift, set(63)), bits);
    bits = hn::Min(bits, set(infinity));
    const auto tooLarge = hn::RebindMask(d, hn::Gt(k, hn::Set(di, bias)));
    bits = hn::IfThenElse(tooLarge, set(infinity), bits);
    const auto outside = hn::Gt(rawField, set(133));
    const V limit = hn::IfThenZeroElse(negative, set(infinity));
    bits = hn::IfThenElse(outside, limit, bits);
    const auto nan = hn::Gt(magnitude, set(0x7f800000));
    bits = hn::IfThenElse(
        nan, set(infinity | (uint64_t{1} << (mantissaBits - 1))), bits);
    hn::StoreU(hn::TruncateTo(dw, bits), dw, dst + i);
  }
}

/// dst = src with NaN made canonical.
HWY_INLINE void canonicalise(const float *src, float *dst, size_t n) {
  for (size_t i = 0; i < n; i += hn::Lanes(kF)) {
    hn::StoreU(canonicalNan(hn::LoadU(kF, src + i)), kF, dst + i);
  }
}

/// f16 or bf16 bits to f32.
HWY_INLINE void widenF16(const uint16_t *src, float *dst, size_t n) {
#if HWY_TARGET == HWY_EMU128
  scalar::cast(ElementType::F16, ElementType::F32, RoundingMode::kRne, src, dst,
               n);
#else
  const hn::Rebind<hwy::float16_t, DF> d16;
  for (size_t i = 0; i < n; i += hn::Lanes(kF)) {
    const auto x =
        hn::LoadU(d16, reinterpret_cast<const hwy::float16_t *>(src) + i);
    hn::StoreU(hn::PromoteTo(kF, x), kF, dst + i);
  }
#endif
}
HWY_INLINE void widenBf16(const uint16_t *src, float *dst, size_t n) {
  const hn::Rebind<uint16_t, DF> d16;
  for (size_t i = 0; i < n; i += hn::Lanes(kF)) {
    const VU x = hn::ShiftLeft<16>(hn::PromoteTo(kU, hn::LoadU(d16, src + i)));
    hn::StoreU(hn::BitCast(kF, x), kF, dst + i);
  }
}

/// f32 to f16 or bf16, to nearest even, canonical NaN.
HWY_INLINE void narrowF16(const float *src, uint16_t *dst, size_t n) {
#if HWY_TARGET == HWY_EMU128
  scalar::cast(ElementType::F32, ElementType::F16, RoundingMode::kRne, src, dst,
               n);
#else
  const hn::Rebind<hwy::float16_t, DF> d16;
  for (size_t i = 0; i < n; i += hn::Lanes(kF)) {
    const VF x = canonicalNan(hn::LoadU(kF, src + i));
    hn::StoreU(hn::DemoteTo(d16, x), d16,
               reinterpret_cast<hwy::float16_t *>(dst) + i);
  }
#endif
}
HWY_INLINE void narrowBf16(const float *src, uint16_t *dst, size_t n) {
  const hn::Rebind<uint16_t, DF> d16;
  for (size_t i = 0; i < n; i += hn::Lanes(kF)) {
    const VU x = hn::BitCast(kU, canonicalNan(hn::LoadU(kF, src + i)));
    const VU odd = hn::And(hn::ShiftRight<16>(x), hn::Set(kU, 1));
    // A canonical NaN has zeros below and does not round.
    const VU rounded =
        hn::ShiftRight<16>(hn::Add(x, hn::Add(odd, hn::Set(kU, 0x7fffu))));
    hn::StoreU(hn::TruncateTo(d16, rounded), d16, dst + i);
  }
}

/// To integers, to nearest even, saturating at [low, high]; NaN becomes 0.
/// The limits are exact in f32 and below 2^31, or those of i32.
HWY_INLINE void roundToI32(const float *src, int32_t *dst, size_t n, float low,
                           float high) {
  // The f32 below 2^31: what i32 holds of a larger one is put in afterwards.
  const float limit = std::min(high, 0x1.fffffep30f);
  const bool toI32 = high >= 0x1p31f;
  for (size_t i = 0; i < n; i += hn::Lanes(kF)) {
    const VF source = hn::LoadU(kF, src + i);
    VF x = hn::IfThenZeroElse(hn::IsNaN(source), source);
    x = hn::Max(hn::Min(x, hn::Set(kF, limit)), hn::Set(kF, low));
    auto rounded = hn::NearestInt(x);
    if (toI32) {
      const auto over = hn::RebindMask(kI, hn::Gt(source, hn::Set(kF, limit)));
      rounded = hn::IfThenElse(over, hn::Set(kI, INT32_MAX), rounded);
    }
    hn::StoreU(rounded, kI, dst + i);
  }
}

HWY_INLINE void fromI32(const int32_t *src, float *dst, size_t n) {
  for (size_t i = 0; i < n; i += hn::Lanes(kF)) {
    hn::StoreU(hn::ConvertTo(kF, hn::LoadU(kI, src + i)), kF, dst + i);
  }
}

/// FIX: scale (scales[i], or one for all when stride is 0) and relu.
HWY_INLINE void scaleAndRelu(float *x, const float *scales, size_t stride,
                             bool relu, size_t n) {
  for (size_t i = 0; i < n; i += hn::Lanes(kF)) {
    VF v = hn::LoadU(kF, x + i);
    if (scales != nullptr) {
      const VF s =
          stride != 0 ? hn::LoadU(kF, scales + i) : hn::Set(kF, scales[0]);
      v = hn::Mul(v, s);
    }
    if (relu) {
      v = maximumOf(v, hn::Zero(kF));
    }
    hn::StoreU(canonicalNan(v), kF, x + i);
  }
}

} // namespace kiln::isa::numerics::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif // toggle
