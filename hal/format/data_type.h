// SPDX-License-Identifier: Apache-2.0
//
// Element types and layouts of tensors at the host boundary. The first eight
// types have the values of isa::ElementType; the others exist on the host and
// on the CPU only.
#pragma once

#include "isa/codec/machine_types.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace kiln::hal {

enum class DataType : uint8_t {
  kI8,
  kU8,
  kI16,
  kU16,
  kI32,
  kF16,
  kBF16,
  kF32,
  kBool,
  kI64,
  kF64
};
constexpr unsigned kNumDataTypes = 11;

constexpr std::string_view kDataTypeNames[kNumDataTypes] = {
    "i8",   "u8",  "i16",  "u16", "i32", "f16",
    "bf16", "f32", "bool", "i64", "f64"};

constexpr std::string_view name(DataType t) {
  return kDataTypeNames[static_cast<unsigned>(t)];
}

/// Bytes of one element.
constexpr unsigned sizeOf(DataType t) {
  constexpr unsigned kSizes[kNumDataTypes] = {1, 1, 2, 2, 4, 2, 2, 4, 1, 8, 8};
  return kSizes[static_cast<unsigned>(t)];
}

/// nullopt for types that exist on the host only.
constexpr std::optional<isa::ElementType> toElementType(DataType t) {
  return t < DataType::kBool ? std::optional(static_cast<isa::ElementType>(t))
                             : std::nullopt;
}

/// The type called `text`, if there is one.
constexpr std::optional<DataType> parseDataType(std::string_view text) {
  for (unsigned i = 0; i < kNumDataTypes; ++i) {
    if (kDataTypeNames[i] == text) {
      return static_cast<DataType>(i);
    }
  }
  return std::nullopt;
}

/// How the bytes of a tensor are ordered. kDense: row-major in the logical
/// shape; kNHWC: an image [N,C,H,W] with physical shape [N,H,W,C]; the others
/// as machine.md defines them, with physical shapes [C1,N,H,W,C0], [N1,M,C0]
/// and [K1,N1,16,C0].
enum class Layout : uint8_t { kDense, kNC1HWC0, kNZ, kFractalZ, kNHWC };
constexpr unsigned kNumLayouts = 5;

constexpr std::string_view kLayoutNames[kNumLayouts] = {
    "dense", "nc1hwc0", "nz", "fractal-z", "nhwc"};

constexpr std::string_view name(Layout layout) {
  return kLayoutNames[static_cast<unsigned>(layout)];
}

} // namespace kiln::hal
