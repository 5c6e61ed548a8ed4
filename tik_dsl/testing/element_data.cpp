// SPDX-License-Identifier: Apache-2.0
#include "tik_dsl/testing/element_data.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace kiln::tik {

namespace {

using isa::ElementType;

/// double -> bfloat16 bits, one rounding. Goes through a float that was
/// rounded to odd, so that the two roundings are one.
uint16_t toBfloat16(double value) {
  float f = static_cast<float>(value);
  if (std::isnan(value)) {
    return 0x7fc0;
  }
  auto bits = std::bit_cast<uint32_t>(f);
  if (std::isfinite(f) && static_cast<double>(f) != value && (bits & 1) == 0) {
    f = std::nextafter(f, value > static_cast<double>(f)
                              ? std::numeric_limits<float>::infinity()
                              : -std::numeric_limits<float>::infinity());
    bits = std::bit_cast<uint32_t>(f);
  }
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

struct IntegerRange {
  double low, high;
};
IntegerRange rangeOf(ElementType type) {
  switch (type) {
  case ElementType::I8:
    return {-128, 127};
  case ElementType::U8:
    return {0, 255};
  case ElementType::I16:
    return {-32768, 32767};
  case ElementType::U16:
    return {0, 65535};
  default:
    return {-2147483648.0, 2147483647.0};
  }
}

bool isFloat(ElementType type) {
  return type == ElementType::F16 || type == ElementType::BF16 ||
         type == ElementType::F32;
}

/// The bits of a value in the low bits.
uint32_t bitsOf(double value, ElementType type) {
  switch (type) {
  case ElementType::F32:
    return std::bit_cast<uint32_t>(static_cast<float>(value));
  case ElementType::F16:
    return std::bit_cast<uint16_t>(static_cast<_Float16>(value));
  case ElementType::BF16:
    return toBfloat16(value);
  default: {
    const IntegerRange range = rangeOf(type);
    const double whole = std::isnan(value) ? 0
                                           : std::clamp(std::nearbyint(value),
                                                        range.low, range.high);
    return static_cast<uint32_t>(static_cast<int64_t>(whole));
  }
  }
}

double valueOf(uint32_t bits, ElementType type) {
  switch (type) {
  case ElementType::F32:
    return std::bit_cast<float>(bits);
  case ElementType::F16:
    return static_cast<double>(
        std::bit_cast<_Float16>(static_cast<uint16_t>(bits)));
  case ElementType::BF16:
    return std::bit_cast<float>(bits << 16);
  case ElementType::I8:
    return static_cast<int8_t>(bits);
  case ElementType::I16:
    return static_cast<int16_t>(bits);
  case ElementType::I32:
    return static_cast<int32_t>(bits);
  default:
    return bits;
  }
}

/// Position of a float among all floats of its type: neighbours differ by 1.
int64_t rank(double value, ElementType type) {
  const uint32_t sign = type == ElementType::F32 ? 0x80000000u : 0x8000u;
  const uint32_t bits = bitsOf(value, type);
  const auto magnitude = static_cast<int64_t>(bits & (sign - 1));
  return bits & sign ? -magnitude : magnitude;
}

} // namespace

std::vector<uint8_t> toBytes(std::span<const double> values, ElementType type) {
  const unsigned size = isa::sizeOf(type);
  std::vector<uint8_t> bytes(values.size() * size);
  for (size_t i = 0; i < values.size(); ++i) {
    const uint32_t bits = bitsOf(values[i], type);
    std::memcpy(bytes.data() + i * size, &bits, size);
  }
  return bytes;
}

std::vector<double> toDoubles(std::span<const uint8_t> bytes,
                              ElementType type) {
  const unsigned size = isa::sizeOf(type);
  std::vector<double> values(bytes.size() / size);
  for (size_t i = 0; i < values.size(); ++i) {
    uint32_t bits = 0;
    std::memcpy(&bits, bytes.data() + i * size, size);
    values[i] = valueOf(bits, type);
  }
  return values;
}

std::vector<double> testValues(size_t count, ElementType type, double low,
                               double high, uint64_t seed) {
  std::vector<double> values(count);
  uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
  for (double &value : values) {
    // splitmix64 (Steele, Lea, Flood 2014).
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    const double unit = static_cast<double>(z >> 11) * 0x1p-53;
    value = valueOf(bitsOf(low + (high - low) * unit, type), type);
  }
  return values;
}

double ulpDistance(double got, double want, ElementType type) {
  if (std::isnan(got) || std::isnan(want)) {
    return std::isnan(got) && std::isnan(want)
               ? 0
               : std::numeric_limits<double>::infinity();
  }
  if (!isFloat(type)) {
    return std::fabs(got - want);
  }
  return std::fabs(static_cast<double>(rank(got, type) - rank(want, type)));
}

} // namespace kiln::tik
