// SPDX-License-Identifier: Apache-2.0
//
// The kernels: arrays are brought to f32 (or integers) in pieces, computed,
// and rounded back. Rare combinations and machines without AVX2 take the
// oracle over arrays (vector_scalar.h).
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "isa/numerics/vector_kernels.cpp"
#include "isa/numerics/simd_targets.h"

#include "hwy/foreach_target.h" // IWYU pragma: keep

#include "hwy/highway.h"

#include "isa/numerics/element_io.h"
#include "isa/numerics/vector_f32-inl.h"
#include "isa/numerics/vector_scalar.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace kiln::isa::numerics::HWY_NAMESPACE {

/// Elements brought to f32 at once.
constexpr size_t kPiece = 512;

struct Piece {
  alignas(64) float values[kPiece];
};

HWY_INLINE size_t padded(size_t n) {
  return (n + kGroup - 1) / kGroup * kGroup;
}

HWY_INLINE const std::byte *at(const void *p, ElementType type, size_t i) {
  return static_cast<const std::byte *>(p) + i * sizeOf(type);
}
HWY_INLINE std::byte *at(void *p, ElementType type, size_t i) {
  return static_cast<std::byte *>(p) + i * sizeOf(type);
}

/// n elements as f32: in place where they are f32 and fill whole groups, else
/// in `buffer`, padded with 0 to a group.
HWY_INLINE const float *load(ElementType type, const void *src, size_t n,
                             Piece &buffer) {
  if (type == ElementType::F32) {
    if (n % kGroup == 0) {
      return static_cast<const float *>(src);
    }
    std::memcpy(buffer.values, src, 4 * n);
    std::fill(buffer.values + n, buffer.values + padded(n), 0.0f);
    return buffer.values;
  }
  alignas(64) uint16_t bits[kPiece];
  const auto *half = static_cast<const uint16_t *>(src);
  if (n % kGroup != 0) {
    std::memcpy(bits, src, 2 * n);
    std::fill(bits + n, bits + padded(n), uint16_t{0});
    half = bits;
  }
  if (type == ElementType::F16) {
    widenF16(half, buffer.values, padded(n));
  } else {
    widenBf16(half, buffer.values, padded(n));
  }
  return buffer.values;
}

/// Rounds n f32 values (a padded array) to the type.
HWY_INLINE void store(ElementType type, const float *values, void *dst,
                      size_t n) {
  if (type == ElementType::F32) {
    if (values != dst) {
      std::memcpy(dst, values, 4 * n);
    }
    return;
  }
  const auto narrow = [type](const float *x, uint16_t *out, size_t count)
                          HWY_ATTR {
                            if (type == ElementType::F16) {
                              narrowF16(x, out, count);
                            } else {
                              narrowBf16(x, out, count);
                            }
                          };
  if (n % kGroup == 0) {
    narrow(values, static_cast<uint16_t *>(dst), n);
    return;
  }
  alignas(64) uint16_t bits[kPiece];
  narrow(values, bits, padded(n));
  std::memcpy(dst, bits, 2 * n);
}

/// Where a piece's result goes before it is stored.
HWY_INLINE float *target(ElementType type, void *dst, size_t n, Piece &buffer) {
  const bool direct = type == ElementType::F32 && n % kGroup == 0;
  return direct ? static_cast<float *>(dst) : buffer.values;
}

template <typename T, typename Fn>
HWY_INLINE void integerLoop(const void *a, const void *b, void *dst, size_t n,
                            Fn fn) {
  const auto *x = static_cast<const T *>(a), *y = static_cast<const T *>(b);
  auto *out = static_cast<T *>(dst);
  for (size_t i = 0; i < n; ++i) {
    out[i] = static_cast<T>(fn(x[i], y[i]));
  }
}

template <typename T>
HWY_INLINE void integerBinary(BinaryOp op, const void *a, const void *b,
                              void *dst, size_t n) {
  using U = std::conditional_t<sizeof(T) == 4, uint32_t, unsigned>;
  switch (op) {
  case BinaryOp::kAdd:
    return integerLoop<T>(a, b, dst, n,
                          [](T x, T y) HWY_ATTR { return U(x) + U(y); });
  case BinaryOp::kSub:
    return integerLoop<T>(a, b, dst, n,
                          [](T x, T y) HWY_ATTR { return U(x) - U(y); });
  case BinaryOp::kMul:
    return integerLoop<T>(a, b, dst, n,
                          [](T x, T y) HWY_ATTR { return U(x) * U(y); });
  case BinaryOp::kMax:
    return integerLoop<T>(a, b, dst, n,
                          [](T x, T y) HWY_ATTR { return x > y ? x : y; });
  case BinaryOp::kMin:
    return integerLoop<T>(a, b, dst, n,
                          [](T x, T y) HWY_ATTR { return x < y ? x : y; });
  default:
    break;
  }
}

HWY_INLINE void integers(BinaryOp op, ElementType type, const void *a,
                         const void *b, void *dst, size_t n) {
  switch (type) {
  case ElementType::I8:
    return integerBinary<int8_t>(op, a, b, dst, n);
  case ElementType::U8:
    return integerBinary<uint8_t>(op, a, b, dst, n);
  case ElementType::I16:
    return integerBinary<int16_t>(op, a, b, dst, n);
  case ElementType::U16:
    return integerBinary<uint16_t>(op, a, b, dst, n);
  default:
    return integerBinary<int32_t>(op, a, b, dst, n);
  }
}

void binaryKernel(BinaryOp op, ElementType type, const void *a, const void *b,
                  void *dst, size_t n) {
  if (type < ElementType::F16) {
    return integers(op, type, a, b, dst, n);
  }
  const bool tinyMatters = type == ElementType::BF16 &&
                           (op == BinaryOp::kMul || op == BinaryOp::kDiv);
  Piece x, y, out;
  for (size_t i = 0; i < n; i += kPiece) {
    const size_t count = std::min(kPiece, n - i);
    const float *px = load(type, at(a, type, i), count, x);
    const float *py = load(type, at(b, type, i), count, y);
    float *result = target(type, at(dst, type, i), count, out);
    binaryF32(op, px, py, result, padded(count));
    if (tinyMatters && anyTiny(px, py, result, padded(count))) {
      scalar::binary(op, type, at(a, type, i), at(b, type, i), at(dst, type, i),
                     count);
    } else {
      store(type, result, at(dst, type, i), count);
    }
  }
}

void integerMultiplyAdd(ElementType type, const void *a, const void *b,
                        void *dst, size_t n) {
  alignas(64) std::byte product[4 * kPiece];
  for (size_t i = 0; i < n; i += kPiece) {
    const size_t count = std::min(kPiece, n - i);
    std::byte *out = at(dst, type, i);
    integers(BinaryOp::kMul, type, at(a, type, i), at(b, type, i), product,
             count);
    integers(BinaryOp::kAdd, type, product, out, out, count);
  }
}

void multiplyAddKernel(ElementType type, const void *a, const void *b,
                       void *dst, size_t n) {
  if (type < ElementType::F16) {
    return integerMultiplyAdd(type, a, b, dst, n);
  }
  if (type == ElementType::F32 && !HWY_NATIVE_FMA) {
    return scalar::multiplyAdd(type, a, b, dst, n);
  }
  Piece x, y, z;
  for (size_t i = 0; i < n; i += kPiece) {
    const size_t count = std::min(kPiece, n - i), group = padded(count);
    std::byte *out = at(dst, type, i);
    const float *px = load(type, at(a, type, i), count, x);
    const float *py = load(type, at(b, type, i), count, y);
    const float *pz = load(type, out, count, z);
    auto *sum = const_cast<float *>(pz); // dst itself, or z
    if (type == ElementType::F32) {
      multiplyAddF32(px, py, sum, group);
    } else if (type == ElementType::BF16 && anyOutOfRange(px, py, pz, group)) {
      scalar::multiplyAdd(type, at(a, type, i), at(b, type, i), out, count);
      continue;
    } else {
      multiplyAddOdd(px, py, sum, group);
    }
    store(type, sum, out, count);
  }
}

/// exp of f32 values, written as the type.
HWY_INLINE void expTo(ElementType to, const float *values, void *dst,
                      size_t n) {
  alignas(64) uint32_t bits[kPiece];
  const BitFormat format = to == ElementType::F16    ? BitFormat{10, 15}
                           : to == ElementType::BF16 ? BitFormat{7, 127}
                                                     : BitFormat{23, 127};
  expBits(values, bits, padded(n), format);
  if (to == ElementType::F32) {
    std::memcpy(dst, bits, 4 * n);
    return;
  }
  alignas(64) uint16_t narrow[kPiece];
  for (size_t i = 0; i < padded(n); ++i) {
    narrow[i] = static_cast<uint16_t>(bits[i]);
  }
  std::memcpy(dst, narrow, 2 * n);
}

void unaryKernel(UnaryOp op, ElementType type, const void *src, void *dst,
                 size_t n) {
  Piece x, ones, out;
  if (op == UnaryOp::kRec) {
    std::fill_n(ones.values, kPiece, 1.0f);
  }
  for (size_t i = 0; i < n; i += kPiece) {
    const size_t count = std::min(kPiece, n - i), group = padded(count);
    const std::byte *in = at(src, type, i);
    std::byte *to = at(dst, type, i);
    const float *px = load(type, in, count, x);
    float *result = target(type, to, count, out);
    if (op == UnaryOp::kExp) {
      expTo(type, px, to, count);
      continue;
    }
    if (op == UnaryOp::kSqrt) {
      sqrtF32(px, result, group);
    } else if (op == UnaryOp::kRsqrt) { // f32 only
      rsqrtF32(px, result, group);
    } else {
      // An infinite operand gives 0 exactly; it takes the oracle in vain.
      binaryF32(BinaryOp::kDiv, ones.values, px, out.values, group);
      if (type == ElementType::BF16 &&
          anyTiny(ones.values, px, out.values, group)) {
        scalar::unary(op, type, in, to, count);
        continue;
      }
      result = out.values;
    }
    store(type, result, to, count);
  }
}

void expDifferenceKernel(ElementType from, ElementType to, const void *a,
                         const void *b, void *dst, size_t n) {
  Piece x, y, difference;
  for (size_t i = 0; i < n; i += kPiece) {
    const size_t count = std::min(kPiece, n - i);
    const float *px = load(from, at(a, from, i), count, x);
    const float *py = load(from, at(b, from, i), count, y);
    binaryF32(BinaryOp::kSub, px, py, difference.values, padded(count));
    expTo(to, difference.values, at(dst, to, i), count);
  }
}

template <typename T>
HWY_INLINE void widenIntegers(const void *src, int32_t *dst, size_t n) {
  const auto *x = static_cast<const T *>(src);
  for (size_t i = 0; i < n; ++i) {
    dst[i] = x[i];
  }
}

/// Saturates to the integer type.
template <typename T>
HWY_INLINE void narrowIntegers(const int32_t *src, void *dst, size_t n) {
  using Limits = std::numeric_limits<T>;
  auto *out = static_cast<T *>(dst);
  for (size_t i = 0; i < n; ++i) {
    out[i] = static_cast<T>(
        std::clamp<int32_t>(src[i], static_cast<int32_t>(Limits::min()),
                            static_cast<int32_t>(Limits::max())));
  }
}

HWY_INLINE void loadIntegers(ElementType type, const void *src, int32_t *dst,
                             size_t n) {
  switch (type) {
  case ElementType::I8:
    return widenIntegers<int8_t>(src, dst, n);
  case ElementType::U8:
    return widenIntegers<uint8_t>(src, dst, n);
  case ElementType::I16:
    return widenIntegers<int16_t>(src, dst, n);
  case ElementType::U16:
    return widenIntegers<uint16_t>(src, dst, n);
  default:
    std::memcpy(dst, src, 4 * n);
  }
}

HWY_INLINE void storeIntegers(ElementType type, const int32_t *src, void *dst,
                              size_t n) {
  switch (type) {
  case ElementType::I8:
    return narrowIntegers<int8_t>(src, dst, n);
  case ElementType::U8:
    return narrowIntegers<uint8_t>(src, dst, n);
  case ElementType::I16:
    return narrowIntegers<int16_t>(src, dst, n);
  case ElementType::U16:
    return narrowIntegers<uint16_t>(src, dst, n);
  default:
    std::memcpy(dst, src, 4 * n);
  }
}

/// Whether castKernel() knows the combination: to nearest even, or widening
/// a float (exact in every mode). i32 to bf16 would round twice.
bool castIsFast(ElementType from, ElementType to, RoundingMode rounding) {
  const bool fromFloat = from >= ElementType::F16;
  const bool toFloat = to >= ElementType::F16;
  if (!fromFloat && !toFloat) {
    return true; // saturation only
  }
  if (fromFloat && to == ElementType::F32) {
    return true;
  }
  if (rounding != RoundingMode::kRne) {
    return false;
  }
  return !(from == ElementType::I32 && to == ElementType::BF16);
}

void castKernel(ElementType from, ElementType to, RoundingMode rounding,
                const void *src, void *dst, size_t n) {
  if (!castIsFast(from, to, rounding)) {
    return scalar::cast(from, to, rounding, src, dst, n);
  }
  const bool fromFloat = from >= ElementType::F16;
  const bool toFloat = to >= ElementType::F16;
  Piece x;
  alignas(64) int32_t words[kPiece] = {};
  for (size_t i = 0; i < n; i += kPiece) {
    const size_t count = std::min(kPiece, n - i), group = padded(count);
    const std::byte *in = at(src, from, i);
    std::byte *out = at(dst, to, i);
    if (!fromFloat) {
      loadIntegers(from, in, words, count);
      if (toFloat) {
        fromI32(words, x.values, group);
        store(to, x.values, out, count);
      } else {
        storeIntegers(to, words, out, count);
      }
      continue;
    }
    const float *values = load(from, in, count, x);
    if (!toFloat) {
      roundToI32(values, words, group, -0x1p31f, 0x1p31f);
      storeIntegers(to, words, out, count);
      continue;
    }
    canonicalise(values, x.values, group);
    store(to, x.values, out, count);
  }
}

void sumToLanesKernel(ElementType type, const void *src, size_t n,
                      uint32_t *lanes) {
  auto *sums = reinterpret_cast<float *>(lanes);
  Piece x;
  for (size_t i = 0; i < n; i += kPiece) {
    const size_t count = std::min(kPiece, n - i);
    if (type < ElementType::F16) { // wraps: the sign of narrow ones is cut off
      for (size_t e = 0; e < count; ++e) {
        lanes[e % kReduceLanes] += loadElement(type, src, i + e);
      }
      continue;
    }
    const float *values = load(type, at(src, type, i), count, x);
    size_t e = 0;
    for (; e + kGroup <= count; e += kGroup) {
      addTo(values + e, sums + e % kReduceLanes, kGroup);
    }
    for (; e < count; ++e) {
      sums[e % kReduceLanes] += values[e];
    }
  }
}

void sumToColumnsKernel(ElementType type, const void *src, size_t n,
                        uint32_t *sums) {
  Piece x;
  auto *floats = reinterpret_cast<float *>(sums);
  for (size_t i = 0; i < n; i += kPiece) {
    const size_t count = std::min(kPiece, n - i);
    if (type < ElementType::F16) {
      for (size_t e = 0; e < count; ++e) {
        sums[i + e] += loadElement(type, src, i + e);
      }
      continue;
    }
    const float *values = load(type, at(src, type, i), count, x);
    const size_t whole = count / kGroup * kGroup;
    addTo(values, floats + i, whole);
    for (size_t e = whole; e < count; ++e) {
      floats[i + e] += values[e];
    }
  }
}

void finishColumnsKernel(ElementType type, const uint32_t *sums, void *dst,
                         size_t n) {
  if (type < ElementType::F16) {
    for (size_t i = 0; i < n; ++i) {
      storeElement(type, dst, i, sums[i]);
    }
    return;
  }
  Piece x;
  for (size_t i = 0; i < n; i += kPiece) {
    const size_t count = std::min(kPiece, n - i);
    std::memcpy(x.values, sums + i, 4 * count);
    std::fill(x.values + count, x.values + padded(count), 0.0f);
    canonicalise(x.values, x.values, padded(count));
    store(type, x.values, at(dst, type, i), count);
  }
}

/// Values per column for `count` elements from element i on, or one for all.
HWY_INLINE PerLane perLane(const uint32_t *columns, const uint32_t &one,
                           size_t i, size_t count, Piece &buffer) {
  if (columns == nullptr) {
    std::memcpy(buffer.values, &one, 4);
    return {buffer.values, 0};
  }
  std::memcpy(buffer.values, columns + i, 4 * count);
  std::fill(buffer.values + count, buffer.values + padded(count), 0.0f);
  return {buffer.values, 1};
}

void fixKernel(const FixMode &mode, const uint32_t *accumulators,
               const FixChannels &channels, void *dst, size_t n) {
  if (mode.out == ElementType::I32) {
    std::memcpy(dst, accumulators, 4 * n);
    return;
  }
  Piece x, s, p;
  alignas(64) int32_t words[kPiece] = {};
  for (size_t i = 0; i < n; i += kPiece) {
    const size_t count = std::min(kPiece, n - i), group = padded(count);
    std::memcpy(x.values, accumulators + i, 4 * count);
    std::fill(x.values + count, x.values + group, 0.0f);
    if (mode.accumulator == ElementType::I32) {
      std::memcpy(words, x.values, 4 * group);
      fromI32(words, x.values, group);
    }
    PerLane scale = perLane(channels.scales, mode.scale, i, count, s);
    if (channels.scales == nullptr && !mode.scaled) {
      scale.values = nullptr;
    }
    scaleAndActivate(x.values, scale, mode.activation,
                     perLane(channels.slopes, mode.parameter, i, count, p),
                     group);
    std::byte *out = at(dst, mode.out, i);
    if (mode.out >= ElementType::F16) {
      store(mode.out, x.values, out, count);
      continue;
    }
    // Far beyond every 16-bit limit, the zero point included.
    roundToI32(x.values, words, group, -0x1p20f, 0x1p20f);
    for (size_t e = 0; e < group; ++e) {
      words[e] += mode.zeroPoint;
    }
    storeIntegers(mode.out, words, out, count);
  }
}

} // namespace kiln::isa::numerics::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "isa/numerics/soft_float.h"
#include "isa/numerics/vector_functions.h"
#include "isa/numerics/vector_kernels.h"
#include "isa/numerics/vector_logic.h"

namespace kiln::isa::numerics {

HWY_EXPORT(binaryKernel);
HWY_EXPORT(multiplyAddKernel);
HWY_EXPORT(unaryKernel);
HWY_EXPORT(expDifferenceKernel);
HWY_EXPORT(castKernel);
HWY_EXPORT(sumToLanesKernel);
HWY_EXPORT(sumToColumnsKernel);
HWY_EXPORT(finishColumnsKernel);
HWY_EXPORT(fixKernel);

void binary(BinaryOp op, ElementType type, const void *a, const void *b,
            void *dst, size_t n) {
  if (isLogic(op) || isShift(op)) {
    return bits(op, type, a, b, dst, n);
  }
  HWY_DYNAMIC_DISPATCH(binaryKernel)(op, type, a, b, dst, n);
}

void multiplyAdd(ElementType type, const void *a, const void *b, void *dst,
                 size_t n) {
  HWY_DYNAMIC_DISPATCH(multiplyAddKernel)(type, a, b, dst, n);
}

void unary(UnaryOp op, ElementType type, const void *src, void *dst, size_t n) {
  if (hasFunction(op, type)) {
    return function(op, type, src, dst, n);
  }
  if (op == UnaryOp::kNot) {
    return invert(src, dst, n * sizeOf(type));
  }
  HWY_DYNAMIC_DISPATCH(unaryKernel)(op, type, src, dst, n);
}

void expDifference(ElementType from, ElementType to, const void *a,
                   const void *b, void *dst, size_t n) {
  HWY_DYNAMIC_DISPATCH(expDifferenceKernel)(from, to, a, b, dst, n);
}

void cast(ElementType from, ElementType to, RoundingMode rounding,
          const void *src, void *dst, size_t n) {
  HWY_DYNAMIC_DISPATCH(castKernel)(from, to, rounding, src, dst, n);
}

void sumToLanes(ElementType type, const void *src, size_t n,
                uint32_t lanes[kReduceLanes]) {
  HWY_DYNAMIC_DISPATCH(sumToLanesKernel)(type, src, n, lanes);
}

uint32_t finishLanes(ElementType type, const uint32_t lanes[kReduceLanes]) {
  uint32_t words[kReduceLanes];
  float sums[kReduceLanes];
  std::memcpy(words, lanes, sizeof(words));
  std::memcpy(sums, lanes, sizeof(sums));
  for (unsigned half = kReduceLanes / 2; half > 0; half /= 2) {
    for (unsigned j = 0; j < half; ++j) {
      words[j] += words[j + half];
      sums[j] += sums[j + half];
    }
  }
  if (type < ElementType::F16) {
    return words[0] & (0xffffffffu >> (32 - 8 * sizeOf(type)));
  }
  uint32_t bits;
  std::memcpy(&bits, sums, 4);
  return oracle::SoftFloat<>::convert(oracle::kF32, oracle::formatOf(type),
                                      bits);
}

void sumToColumns(ElementType type, const void *src, size_t n, uint32_t *sums) {
  HWY_DYNAMIC_DISPATCH(sumToColumnsKernel)(type, src, n, sums);
}

void finishColumns(ElementType type, const uint32_t *sums, void *dst,
                   size_t n) {
  HWY_DYNAMIC_DISPATCH(finishColumnsKernel)(type, sums, dst, n);
}

uint32_t extreme(BinaryOp op, ElementType type, const void *src, size_t n) {
  // Halves of the row against each other until one element is left.
  constexpr size_t kElements = 512;
  alignas(64) std::byte best[4 * kElements];
  const size_t size = sizeOf(type);
  size_t width = std::min(n, kElements);
  std::memcpy(best, src, width * size);
  const auto *bytes = static_cast<const std::byte *>(src);
  for (size_t i = width; i < n; i += kElements) {
    binary(op, type, best, bytes + i * size, best, std::min(kElements, n - i));
  }
  if (width == 1) { // makes a NaN canonical
    binary(op, type, best, best, best, 1);
  }
  while (width > 1) {
    const size_t half = (width + 1) / 2;
    binary(op, type, best, best + half * size, best, width - half);
    if (width % 2 != 0) {
      binary(op, type, best + (half - 1) * size, best + (half - 1) * size,
             best + (half - 1) * size, 1);
    }
    width = half;
  }
  return loadElement(type, best, 0);
}

void fix(const FixMode &mode, const uint32_t *accumulators,
         const FixChannels &channels, void *dst, size_t n) {
  HWY_DYNAMIC_DISPATCH(fixKernel)(mode, accumulators, channels, dst, n);
}

} // namespace kiln::isa::numerics
#endif // HWY_ONCE
