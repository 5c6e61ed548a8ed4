// SPDX-License-Identifier: Apache-2.0
//
// The 16-bit types have 65536 arguments: a table, made by the oracle at the
// first use. f32 runs elementary::tanh() with a rounding of its own.
#include "isa/numerics/vector_tanh.h"

#include "isa/numerics/element_io.h"
#include "isa/numerics/vector_oracle.h"

#include <array>
#include <memory>

namespace kiln::isa::numerics {

namespace {

using Table = std::array<uint16_t, 65536>;

std::unique_ptr<const Table> makeTable(ElementType type) {
  auto table = std::make_unique<Table>();
  for (uint32_t x = 0; x < table->size(); ++x) {
    (*table)[x] = static_cast<uint16_t>(
        oracle::VectorOracle<>::unary(UnaryOp::kTanh, type, x));
  }
  return table;
}

const Table &tableOf(ElementType type) {
  static const std::unique_ptr<const Table> f16 = makeTable(ElementType::F16);
  static const std::unique_ptr<const Table> bf16 = makeTable(ElementType::BF16);
  return type == ElementType::F16 ? *f16 : *bf16;
}

uint32_t tanhF32(uint32_t bits) {
  const uint32_t sign = bits & 0x80000000, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) {
    return 0x7fc00000;
  }
  const auto field = static_cast<int>(magnitude >> 23);
  if (field < 100) { // below 2^-27: x, and the subnormals with it
    return bits;
  }
  const uint32_t mantissa = (bits & 0x7fffff) | 0x800000;
  const elementary::TanhResult r = elementary::tanh(mantissa, field);
  // A normal number of `width` bits; keep 24.
  const int width = std::bit_width(r.mantissa);
  const int top = r.exponent + width - 1;
  uint64_t kept = r.mantissa;
  if (width > 24) {
    const int shift = width - 24;
    const uint64_t half = uint64_t(1) << (shift - 1);
    kept = (kept + half - 1 + ((kept >> shift) & 1)) >> shift;
  } else {
    kept <<= 24 - width;
  }
  return sign |
         (static_cast<uint32_t>(top + 126) << 23) + static_cast<uint32_t>(kept);
}

} // namespace

void tanh(ElementType type, const void *src, void *dst, size_t n) {
  if (type == ElementType::F32) {
    for (size_t i = 0; i < n; ++i) {
      storeElement(type, dst, i, tanhF32(loadElement(type, src, i)));
    }
    return;
  }
  const Table &table = tableOf(type);
  for (size_t i = 0; i < n; ++i) {
    storeElement(type, dst, i, table[loadElement(type, src, i)]);
  }
}

} // namespace kiln::isa::numerics
