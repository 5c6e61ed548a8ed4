// SPDX-License-Identifier: Apache-2.0
//
// Names of the element-wise operations, shared by the oracle and the kernels.
#pragma once

#include "isa/codec/machine_types.h"
#include "isa/gen/opcodes.h"

#include <cstdint>

namespace kiln::isa {

/// Integers: add, sub and mul wrap; div is for floats only.
enum class BinaryOp : uint8_t { kAdd, kSub, kMul, kDiv, kMax, kMin };
/// Floats only.
enum class UnaryOp : uint8_t { kExp, kRec, kSqrt, kTanh };

/// Lanes of a row reduction: lane j holds elements e with e mod 64 = j.
constexpr unsigned kReduceLanes = 64;

/// FIX's arithmetic on one accumulator element.
struct FixMode {
  ElementType accumulator = ElementType::F32; // I32 or F32
  ElementType out = ElementType::F16;
  bool relu = false;
  bool scaled = false; // multiply by `scale`
  uint32_t scale = 0;  // f32 bits
  /// Added after rounding to I8 or U8; 0 for other types.
  int zeroPoint = 0;
};

} // namespace kiln::isa
