// SPDX-License-Identifier: Apache-2.0
//
// The 16-bit types have 65536 arguments: a table per function, made by the
// oracle at the first use. f32 runs the integer algorithms with a rounding of
// its own.
#include "isa/numerics/vector_functions.h"

#include "isa/numerics/element_io.h"
#include "isa/numerics/vector_oracle.h"

#include <array>
#include <memory>

namespace kiln::isa::numerics {

namespace {

using Table = std::array<uint16_t, 65536>;

template <UnaryOp kOp, ElementType kType> const Table &tableOf() {
  static const std::unique_ptr<const Table> table = [] {
    auto made = std::make_unique<Table>();
    for (uint32_t x = 0; x < made->size(); ++x) {
      (*made)[x] =
          static_cast<uint16_t>(oracle::VectorOracle<>::unary(kOp, kType, x));
    }
    return made;
  }();
  return *table;
}

/// The f32 nearest to a number; subnormal ones go the long way.
uint32_t roundF32(const elementary::Scaled &x) {
  const uint32_t sign = x.negative ? 0x80000000 : 0;
  const int width = std::bit_width(x.mantissa);
  const int top = x.exponent + width - 1;
  if (x.mantissa == 0 || top < -126) {
    return oracle::SoftFloat<>::pack(oracle::kF32,
                                     {x.negative, x.exponent, x.mantissa});
  }
  uint64_t kept = x.mantissa;
  if (width > 24) {
    const int shift = width - 24;
    const uint64_t half = uint64_t(1) << (shift - 1);
    const uint64_t rest = kept & ((half << 1) - 1);
    kept >>= shift;
    kept += rest > half || (rest == half && (kept & 1) != 0) ? 1 : 0;
  } else {
    kept <<= 24 - width;
  }
  // The hidden bit adds one to the exponent, and so does a carry.
  return sign | ((static_cast<uint32_t>(top + 126) << 23) +
                 static_cast<uint32_t>(kept));
}

template <UnaryOp kOp> uint32_t functionF32(uint32_t bits) {
  // Zeros, infinities and NaN, and negative arguments of ln: the oracle.
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude == 0 || magnitude >= 0x7f800000 ||
      (kOp == UnaryOp::kLn && bits != magnitude)) {
    return oracle::VectorOracle<>::unary(kOp, ElementType::F32, bits);
  }
  return roundF32(oracle::VectorOracle<>::scaled(kOp, bits));
}

template <UnaryOp kOp>
void functionArray(ElementType type, const void *src, void *dst, size_t n) {
  if (type == ElementType::F32) {
    for (size_t i = 0; i < n; ++i) {
      storeElement(type, dst, i, functionF32<kOp>(loadElement(type, src, i)));
    }
    return;
  }
  const Table &table = type == ElementType::F16
                           ? tableOf<kOp, ElementType::F16>()
                           : tableOf<kOp, ElementType::BF16>();
  for (size_t i = 0; i < n; ++i) {
    storeElement(type, dst, i, table[loadElement(type, src, i)]);
  }
}

} // namespace

void function(UnaryOp op, ElementType type, const void *src, void *dst,
              size_t n) {
  switch (op) {
  case UnaryOp::kTanh:
    return functionArray<UnaryOp::kTanh>(type, src, dst, n);
  case UnaryOp::kLn:
    return functionArray<UnaryOp::kLn>(type, src, dst, n);
  case UnaryOp::kRsqrt:
    return functionArray<UnaryOp::kRsqrt>(type, src, dst, n);
  case UnaryOp::kErf:
    return functionArray<UnaryOp::kErf>(type, src, dst, n);
  case UnaryOp::kSin:
    return functionArray<UnaryOp::kSin>(type, src, dst, n);
  case UnaryOp::kCos:
    return functionArray<UnaryOp::kCos>(type, src, dst, n);
  default: // hasFunction() is false
    break;
  }
}

} // namespace kiln::isa::numerics
