// SPDX-License-Identifier: Apache-2.0
//
// The names every layer uses for pipes, memory spaces and element types.
// Numeric values are architectural: they are encoded in instructions.
#pragma once

#include <cstdint>
#include <string_view>

namespace kiln::isa {

/// Execution pipes of a core; the value is the id in kset/kwait/kcfg.
enum class Pipe : uint8_t { S, MTE2, MTE1, M, FIX, V, MTE3 };
constexpr unsigned kNumPipes = 7;
constexpr std::string_view kPipeNames[kNumPipes] = {"S",   "MTE2", "MTE1", "M",
                                                    "FIX", "V",    "MTE3"};
constexpr std::string_view name(Pipe p) {
  return kPipeNames[static_cast<unsigned>(p)];
}

/// Memory spaces. The value is also the MLIR memory space attribute
/// (GM is "no attribute").
enum class Space : uint8_t { GM, L1, L0A, L0B, L0C, UB, BT };
constexpr unsigned kNumSpaces = 7;
constexpr std::string_view kSpaceNames[kNumSpaces] = {
    "GM", "L1", "L0A", "L0B", "L0C", "UB", "BT"};
constexpr std::string_view name(Space s) {
  return kSpaceNames[static_cast<unsigned>(s)];
}

/// Element types; the value is the f3 field of M and V instructions.
enum class ElementType : uint8_t { I8, U8, I16, U16, I32, F16, BF16, F32 };
constexpr std::string_view kElementTypeNames[8] = {
    "i8", "u8", "i16", "u16", "i32", "f16", "bf16", "f32"};
constexpr std::string_view name(ElementType t) {
  return kElementTypeNames[static_cast<unsigned>(t)];
}
constexpr unsigned sizeOf(ElementType t) {
  constexpr unsigned kSizes[8] = {1, 1, 2, 2, 4, 2, 2, 4};
  return kSizes[static_cast<unsigned>(t)];
}

/// Architectural on every machine (machine.md): the unit of the blocked
/// layouts, of local alignment and of strides.
constexpr uint64_t kBlockBytes = 32;
constexpr uint64_t kFractalBytes = 512;  // 16 rows x 32 bytes
constexpr uint64_t kL0CCellBytes = 1024; // 16 x 16 x 4 bytes
constexpr uint64_t kCellRows = 16;
constexpr unsigned kNumFlagIds = 8; // per (source pipe, destination pipe)

/// Elements in a 32-byte block: the C0 of blocked layouts.
constexpr unsigned c0(ElementType t) { return kBlockBytes / sizeOf(t); }

} // namespace kiln::isa
