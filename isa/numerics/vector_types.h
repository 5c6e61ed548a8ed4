// SPDX-License-Identifier: Apache-2.0
//
// Names of the element-wise operations, shared by the oracle and the kernels.
#pragma once

#include "isa/codec/machine_types.h"
#include "isa/gen/opcodes.h"

#include <cstdint>

namespace kiln::isa {

/// Integers: add, sub and mul wrap; div is for floats only. And, or, xor take
/// the bits of any type. Shifts are for integers: the count is the second
/// operand read as unsigned, counts at or beyond the width shift everything
/// out; kShr fills with the sign of signed types, kShrUnsigned with zeros.
enum class BinaryOp : uint8_t {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMax,
  kMin,
  kAnd,
  kOr,
  kXor,
  kShl,
  kShr,
  kShrUnsigned
};
constexpr bool isLogic(BinaryOp op) {
  return op >= BinaryOp::kAnd && op <= BinaryOp::kXor;
}
constexpr bool isShift(BinaryOp op) { return op >= BinaryOp::kShl; }

/// kNot takes the bits of any type, the others floats.
enum class UnaryOp : uint8_t {
  kExp,
  kRec,
  kSqrt,
  kTanh,
  kNot,
  kLn,
  kRsqrt,
  kErf,
  kSin,
  kCos
};

/// As IEEE: a comparison with NaN is false, kNe true; -0 equals +0.
enum class CompareOp : uint8_t { kEq, kNe, kLt, kLe, kGt, kGe };

/// The integer type of an element's width, for operations on bits.
constexpr ElementType bitsType(ElementType t) {
  return sizeOf(t) == 1   ? ElementType::U8
         : sizeOf(t) == 2 ? ElementType::U16
                          : ElementType::I32;
}

/// Lanes of a row reduction: lane j holds elements e with e mod 64 = j.
constexpr unsigned kReduceLanes = 64;

/// FIX's arithmetic on one accumulator element.
struct FixMode {
  ElementType accumulator = ElementType::F32; // I32 or F32
  ElementType out = ElementType::F16;
  Activation activation = Activation::kNone;
  bool scaled = false; // multiply by `scale`
  uint32_t scale = 0;  // f32 bits
  /// Added after rounding to I8 or U8; 0 for other types.
  int zeroPoint = 0;
  /// f32 bits: the slope of leaky and prelu, the bound of clip.
  uint32_t parameter = 0;
};

/// What FIX takes per column: f32 bits for each element of a call, in place of
/// FixMode::scale and FixMode::parameter; null where the mode's value counts.
struct FixChannels {
  const uint32_t *scales = nullptr;
  const uint32_t *slopes = nullptr;
};

} // namespace kiln::isa
