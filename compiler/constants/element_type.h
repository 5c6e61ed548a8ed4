// SPDX-License-Identifier: Apache-2.0
//
// ElementType: the element types a constant may have, with their sizes and
// names. Values are stored little-endian, bool as one byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kiln {

enum class ElementType : uint8_t {
  kF16,
  kBf16,
  kF32,
  kF64,
  kI8,
  kU8,
  kI16,
  kU16,
  kI32,
  kU32,
  kI64,
  kU64,
  kBool,
};

/// Bytes of one element.
constexpr size_t elementBytes(ElementType type) {
  switch (type) {
  case ElementType::kI8:
  case ElementType::kU8:
  case ElementType::kBool:
    return 1;
  case ElementType::kF16:
  case ElementType::kBf16:
  case ElementType::kI16:
  case ElementType::kU16:
    return 2;
  case ElementType::kF32:
  case ElementType::kI32:
  case ElementType::kU32:
    return 4;
  case ElementType::kF64:
  case ElementType::kI64:
  case ElementType::kU64:
    return 8;
  }
  return 0;
}

/// The name used in messages: "f16", "i64", "bool".
constexpr std::string_view elementName(ElementType type) {
  constexpr std::string_view kNames[] = {"f16", "bf16", "f32", "f64", "i8",
                                         "u8",  "i16",  "u16", "i32", "u32",
                                         "i64", "u64",  "bool"};
  return kNames[static_cast<size_t>(type)];
}

/// True for the floating-point types.
constexpr bool isFloat(ElementType type) { return type <= ElementType::kF64; }

} // namespace kiln
