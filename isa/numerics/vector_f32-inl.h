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
  default: // on bits or integers
    break;
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
  default: // on bits or integers
    break;
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

/// 1/sqrt through f64: two roundings of 53 bits are never close enough to the
/// middle of two f32 to matter (all 2^25 cases: functions_test.cpp, long set).
HWY_INLINE void rsqrtF32(const float *src, float *dst, size_t n) {
#if HWY_TARGET == HWY_EMU128 // its f64 to f32 does not give infinities
  scalar::unary(UnaryOp::kRsqrt, ElementType::F32, src, dst, n);
#else
  const hn::CappedTag<double, 8> d;
  const hn::Rebind<float, decltype(d)> half;
  for (size_t i = 0; i < n; i += hn::Lanes(d)) {
    const auto x = hn::PromoteTo(d, hn::LoadU(half, src + i));
    const auto y = hn::Div(hn::Set(d, 1.0), hn::Sqrt(x));
    hn::StoreU(hn::DemoteTo(half, y), half, dst + i);
  }
  for (size_t i = 0; i < n; i += hn::Lanes(kF)) {
    hn::StoreU(canonicalNan(hn::LoadU(kF, dst + i)), kF, dst + i);
  }
#endif
}

/// dst += src
HWY_INLINE void addTo(const float *src, float *dst, size_t n) {
  for (size_t i = 0; i < n; i += hn::Lanes(kF)) {
    hn::StoreU(hn::Add(hn::LoadU(kF, dst + i), hn::LoadU(kF, src + i)), kF,
               dst + i);
  }
}

using DW = hn::CappedTag<uint64_t, 8>; // wide lanes, for fixed point
using DWI = hn::RebindToSigned<DW>;
using VW = hn::Vec<DW>;
using VWI = hn::Vec<DWI>;
constexpr DW kW;
constexpr DWI kWI;

HWY_INLINE VW wide(uint64_t x) { return hn::Set(kW, x); }

/// The low 32 bits of both, multiplied.
HWY_INLINE VW multiply32(VW x, VW y) {
  const hn::Repartition<uint32_t, DW> d;
  return hn::MulEven(hn::BitCast(d, x), hn::BitCast(d, y));
}

/// elementary::exp() lane by lane: 2^exponent * mantissa / 2^62 of the f32
/// bits x, whatever they are (the caller replaces |x| >= 128 and NaN).
HWY_INLINE VW expOf(VW x, VWI &exponent) {
  const VW rawField = hn::And(hn::ShiftRight<23>(x), wide(0xff));
  const VW hidden =
      hn::IfThenZeroElse(hn::Eq(rawField, hn::Zero(kW)), wide(1 << 23));
  const VW m = hn::Or(hn::And(x, wide(0x7fffff)), hidden);
  const VW field = hn::Max(rawField, wide(1));
  const VW product =
      hn::Add(hn::ShiftLeft<8>(multiply32(m, wide(elementary::kLog2eHigh))),
              hn::ShiftRight<24>(multiply32(m, wide(elementary::kLog2eLow))));
  // Unsigned: a field above 157 wraps and gives 63 as well.
  const VW t = hn::Shr(product, hn::Min(hn::Sub(wide(157), field), wide(63)));
  const auto negative = hn::Ne(hn::ShiftRight<31>(x), hn::Zero(kW));
  const VW s = hn::IfThenElse(negative, hn::Sub(hn::Zero(kW), t), t);
  exponent = hn::ShiftRight<32>(hn::BitCast(kWI, s));
  const VW low = wide(0xffffffff), fraction = hn::And(s, low);
  const VW g = hn::And(hn::ShiftLeft<6>(fraction), low);
  const VW inner =
      hn::Add(wide(elementary::kExp2C2),
              hn::ShiftRight<38>(multiply32(wide(elementary::kExp2C3), g)));
  const VW outer = hn::Add(wide(elementary::kExp2C1),
                           hn::ShiftRight<38>(multiply32(inner, g)));
  const VW delta = hn::ShiftRight<32>(multiply32(outer, g));
  const VW base =
      hn::GatherIndex(kW, elementary::kExp2Table.data(),
                      hn::BitCast(kWI, hn::ShiftRight<26>(fraction)));
  return hn::Add(
      base, hn::ShiftRight<7>(multiply32(hn::ShiftRight<31>(base), delta)));
}

/// A float format for roundTo().
struct BitFormat {
  int mantissaBits, bias;
  uint64_t infinity() const { return uint64_t(2 * bias + 1) << mantissaBits; }
};

/// 2^k * r / 2^62 (r in [2^62, 2^63)) as bits of a format, to nearest even.
HWY_INLINE VW roundTo(const BitFormat &f, VW r, VWI k) {
  const VW one = wide(1);
  // A subnormal result has its unit further up.
  const VWI below =
      hn::Max(hn::Sub(hn::Set(kWI, 1 - f.bias), k), hn::Zero(kWI));
  const VW shift = hn::BitCast(
      kW, hn::Add(below, hn::Set(kWI, int64_t{62} - f.mantissaBits)));
  const VW safe = hn::Min(shift, wide(63));
  const VW half = hn::Shl(one, hn::Sub(safe, one));
  const VW odd = hn::And(hn::Shr(r, safe), one);
  const VW kept = hn::Shr(hn::Add(r, hn::Add(hn::Sub(half, one), odd)), safe);
  // The hidden bit adds one to the exponent field of a normal result.
  const VWI field =
      hn::Max(hn::Add(k, hn::Set(kWI, int64_t{f.bias} - 1)), hn::Zero(kWI));
  const VW bits =
      hn::Add(kept, hn::Shl(hn::BitCast(kW, field),
                            wide(static_cast<uint64_t>(f.mantissaBits))));
  const VW finite = hn::Min(hn::IfThenZeroElse(hn::Gt(shift, wide(63)), bits),
                            wide(f.infinity()));
  const auto tooLarge = hn::RebindMask(kW, hn::Gt(k, hn::Set(kWI, f.bias)));
  return hn::IfThenElse(tooLarge, wide(f.infinity()), finite);
}

/// exp(src) as bits of a format, one rounding: VectorOracle::exp().
HWY_INLINE void expBits(const float *src, uint32_t *dst, size_t n,
                        const BitFormat &f) {
  const hn::Rebind<uint32_t, DW> d32;
  for (size_t i = 0; i < n; i += hn::Lanes(kW)) {
    const VW x = hn::PromoteTo(
        kW, hn::LoadU(d32, reinterpret_cast<const uint32_t *>(src) + i));
    VWI exponent;
    const VW mantissa = expOf(x, exponent);
    VW bits = roundTo(f, mantissa, exponent);
    const VW magnitude = hn::And(x, wide(0x7fffffff));
    const auto negative = hn::Ne(hn::ShiftRight<31>(x), hn::Zero(kW));
    const VW limit = hn::IfThenZeroElse(negative, wide(f.infinity()));
    const auto outside = hn::Gt(magnitude, wide(0x42ffffff)); // 128 on
    bits = hn::IfThenElse(outside, limit, bits);
    const auto nan = hn::Gt(magnitude, wide(0x7f800000));
    const uint64_t quiet = f.infinity() | uint64_t{1} << (f.mantissaBits - 1);
    bits = hn::IfThenElse(nan, wide(quiet), bits);
    hn::StoreU(hn::TruncateTo(d32, bits), d32, dst + i);
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

/// A value per lane: an array, or one for all when stride is 0.
struct PerLane {
  const float *values = nullptr;
  size_t stride = 0;

  HWY_INLINE VF at(size_t i) const {
    return stride != 0 ? hn::LoadU(kF, values + i) : hn::Set(kF, values[0]);
  }
};

/// FIX: scale, when there is one, and activation.
HWY_INLINE void scaleAndActivate(float *x, const PerLane &scale,
                                 Activation activation,
                                 const PerLane &parameter, size_t n) {
  const VF zero = hn::Zero(kF);
  for (size_t i = 0; i < n; i += hn::Lanes(kF)) {
    VF v = hn::LoadU(kF, x + i);
    if (scale.values != nullptr) {
      v = canonicalNan(hn::Mul(v, scale.at(i)));
    }
    switch (activation) {
    case Activation::kNone:
      break;
    case Activation::kRelu:
      v = maximumOf(v, zero);
      break;
    case Activation::kLeaky:
    case Activation::kPrelu:
      v = hn::IfThenElse(hn::Lt(v, zero), hn::Mul(v, parameter.at(i)), v);
      break;
    case Activation::kClip:
      v = minimumOf(maximumOf(v, zero), parameter.at(i));
      break;
    }
    hn::StoreU(canonicalNan(v), kF, x + i);
  }
}

} // namespace kiln::isa::numerics::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif // toggle
