// SPDX-License-Identifier: Apache-2.0
//
// Logic, shifts, comparisons and selects: integer loops that the compiler
// vectorises, once per instruction set. Floats are compared as integers: sign
// and magnitude as one signed key, NaN apart.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "isa/numerics/vector_logic.cpp"
#include "isa/numerics/simd_targets.h"

#include "hwy/foreach_target.h" // IWYU pragma: keep
#include "hwy/highway.h"

#include "isa/numerics/vector_types.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace kiln::isa::numerics::HWY_NAMESPACE {

/// Reads and writes through memcpy: operands may be unaligned.
template <typename T> HWY_INLINE T element(const void *p, size_t i) {
  T v;
  std::memcpy(&v, static_cast<const std::byte *>(p) + i * sizeof(T), sizeof(T));
  return v;
}
template <typename T> HWY_INLINE void setElement(void *p, size_t i, T v) {
  std::memcpy(static_cast<std::byte *>(p) + i * sizeof(T), &v, sizeof(T));
}

template <typename T>
HWY_INLINE void bitLoops(BinaryOp op, const void *a, const void *b, void *dst,
                         size_t n) {
  using U = std::make_unsigned_t<T>;
  constexpr unsigned kWidth = 8 * sizeof(T);
  const auto loop = [&](auto fn) HWY_ATTR {
    for (size_t i = 0; i < n; ++i) {
      setElement<T>(dst, i,
                    static_cast<T>(fn(element<T>(a, i), element<U>(b, i))));
    }
  };
  switch (op) {
  case BinaryOp::kAnd:
    return loop([](T x, U y) HWY_ATTR { return U(x) & y; });
  case BinaryOp::kOr:
    return loop([](T x, U y) HWY_ATTR { return U(x) | y; });
  case BinaryOp::kXor:
    return loop([](T x, U y) HWY_ATTR { return U(x) ^ y; });
  case BinaryOp::kShl:
    return loop([](T x, U y)
                    HWY_ATTR { return y < kWidth ? uint32_t(U(x)) << y : 0u; });
  case BinaryOp::kShr:
    return loop([](T x, U y) HWY_ATTR {
      const unsigned by = std::min<unsigned>(y, kWidth - 1);
      return std::is_signed_v<T> || y < kWidth ? x >> by : T(0);
    });
  default: // kShrUnsigned
    return loop([](T x, U y)
                    HWY_ATTR { return y < kWidth ? uint32_t(U(x)) >> y : 0u; });
  }
}

void bitsKernel(BinaryOp op, ElementType type, const void *a, const void *b,
                void *dst, size_t n) {
  switch (isLogic(op) ? bitsType(type) : type) {
  case ElementType::I8:
    return bitLoops<int8_t>(op, a, b, dst, n);
  case ElementType::U8:
    return bitLoops<uint8_t>(op, a, b, dst, n);
  case ElementType::I16:
    return bitLoops<int16_t>(op, a, b, dst, n);
  case ElementType::U16:
    return bitLoops<uint16_t>(op, a, b, dst, n);
  default:
    return bitLoops<int32_t>(op, a, b, dst, n);
  }
}

void invertKernel(const void *src, void *dst, size_t bytes) {
  const auto *in = static_cast<const uint8_t *>(src);
  auto *out = static_cast<uint8_t *>(dst);
  for (size_t i = 0; i < bytes; ++i) {
    out[i] = static_cast<uint8_t>(~in[i]);
  }
}

/// Flags that are packed at once.
constexpr size_t kFlags = 512;

/// Elements in the order of their values, -0 and +0 alike.
template <typename T> struct IntegerKey {
  using Element = T;
  static HWY_INLINE int32_t key(T x) { return x; }
  static HWY_INLINE bool isNan(T) { return false; }
};
template <typename T, T kInfinity> struct FloatKey {
  using Element = T;
  static constexpr T kMagnitude = std::numeric_limits<T>::max() >> 1;
  static HWY_INLINE int32_t key(T x) {
    const auto magnitude = static_cast<int32_t>(x & kMagnitude);
    return x > kMagnitude ? -magnitude : magnitude;
  }
  static HWY_INLINE bool isNan(T x) { return (x & kMagnitude) > kInfinity; }
};

template <typename Key, typename Fn>
HWY_INLINE void flagLoop(const void *a, const void *b, uint8_t *flags, size_t n,
                         bool unordered, Fn fn) {
  using T = typename Key::Element;
  for (size_t i = 0; i < n; ++i) {
    const T x = element<T>(a, i), y = element<T>(b, i);
    const bool nan = Key::isNan(x) || Key::isNan(y);
    flags[i] = nan ? unordered : fn(Key::key(x), Key::key(y));
  }
}

template <typename Key>
HWY_INLINE void flagsOf(CompareOp op, const void *a, const void *b,
                        uint8_t *flags, size_t n) {
  const auto loop = [&](bool unordered, auto fn) HWY_ATTR {
    flagLoop<Key>(a, b, flags, n, unordered, fn);
  };
  switch (op) {
  case CompareOp::kEq:
    return loop(false, [](int32_t x, int32_t y) HWY_ATTR { return x == y; });
  case CompareOp::kNe:
    return loop(true, [](int32_t x, int32_t y) HWY_ATTR { return x != y; });
  case CompareOp::kLt:
    return loop(false, [](int32_t x, int32_t y) HWY_ATTR { return x < y; });
  case CompareOp::kLe:
    return loop(false, [](int32_t x, int32_t y) HWY_ATTR { return x <= y; });
  case CompareOp::kGt:
    return loop(false, [](int32_t x, int32_t y) HWY_ATTR { return x > y; });
  case CompareOp::kGe:
    return loop(false, [](int32_t x, int32_t y) HWY_ATTR { return x >= y; });
  }
}

HWY_INLINE void flagsByType(CompareOp op, ElementType type, const void *a,
                            const void *b, uint8_t *flags, size_t n) {
  switch (type) {
  case ElementType::I8:
    return flagsOf<IntegerKey<int8_t>>(op, a, b, flags, n);
  case ElementType::U8:
    return flagsOf<IntegerKey<uint8_t>>(op, a, b, flags, n);
  case ElementType::I16:
    return flagsOf<IntegerKey<int16_t>>(op, a, b, flags, n);
  case ElementType::U16:
    return flagsOf<IntegerKey<uint16_t>>(op, a, b, flags, n);
  case ElementType::I32:
    return flagsOf<IntegerKey<int32_t>>(op, a, b, flags, n);
  case ElementType::F16:
    return flagsOf<FloatKey<uint16_t, 0x7c00>>(op, a, b, flags, n);
  case ElementType::BF16:
    return flagsOf<FloatKey<uint16_t, 0x7f80>>(op, a, b, flags, n);
  case ElementType::F32:
    return flagsOf<FloatKey<uint32_t, 0x7f800000>>(op, a, b, flags, n);
  }
}

void compareKernel(CompareOp op, ElementType type, const void *a, const void *b,
                   uint8_t *bits, size_t n) {
  alignas(64) uint8_t flags[kFlags];
  const size_t size = sizeOf(type);
  for (size_t i = 0; i < n; i += kFlags) {
    const size_t count = std::min(kFlags, n - i);
    flagsByType(op, type, static_cast<const std::byte *>(a) + i * size,
                static_cast<const std::byte *>(b) + i * size, flags, count);
    std::fill(flags + count, flags + (count + 7) / 8 * 8, uint8_t{0});
    for (size_t byte = 0; byte < (count + 7) / 8; ++byte) {
      unsigned packed = 0;
      for (unsigned bit = 0; bit < 8; ++bit) {
        packed |= unsigned(flags[8 * byte + bit]) << bit;
      }
      bits[i / 8 + byte] = static_cast<uint8_t>(packed);
    }
  }
}

template <typename T>
HWY_INLINE void selectLoop(const uint8_t *bits, const void *a, const void *b,
                           void *dst, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const bool first = (bits[i / 8] >> (i % 8) & 1) != 0;
    setElement<T>(dst, i, first ? element<T>(a, i) : element<T>(b, i));
  }
}

void selectKernel(ElementType type, const uint8_t *bits, const void *a,
                  const void *b, void *dst, size_t n) {
  switch (sizeOf(type)) {
  case 1:
    return selectLoop<uint8_t>(bits, a, b, dst, n);
  case 2:
    return selectLoop<uint16_t>(bits, a, b, dst, n);
  default:
    return selectLoop<uint32_t>(bits, a, b, dst, n);
  }
}

} // namespace kiln::isa::numerics::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "isa/numerics/vector_logic.h"

namespace kiln::isa::numerics {

HWY_EXPORT(bitsKernel);
HWY_EXPORT(invertKernel);
HWY_EXPORT(compareKernel);
HWY_EXPORT(selectKernel);

void bits(BinaryOp op, ElementType type, const void *a, const void *b,
          void *dst, size_t n) {
  HWY_DYNAMIC_DISPATCH(bitsKernel)(op, type, a, b, dst, n);
}

void invert(const void *src, void *dst, size_t bytes) {
  HWY_DYNAMIC_DISPATCH(invertKernel)(src, dst, bytes);
}

void compare(CompareOp op, ElementType type, const void *a, const void *b,
             uint8_t *bits, size_t n) {
  HWY_DYNAMIC_DISPATCH(compareKernel)(op, type, a, b, bits, n);
}

void select(ElementType type, const uint8_t *bits, const void *a, const void *b,
            void *dst, size_t n) {
  HWY_DYNAMIC_DISPATCH(selectKernel)(type, bits, a, b, dst, n);
}

} // namespace kiln::isa::numerics
#endif // HWY_ONCE
