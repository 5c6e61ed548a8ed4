// SPDX-License-Identifier: Apache-2.0
//
// The unpacked operands of one product. Private to isa/numerics.
#pragma once

#include "isa/numerics/cube_types.h"

#include <cstddef>
#include <cstdint>

namespace kiln::isa::numerics {

constexpr uint16_t kSpecial = 0x8000;
/// Far below every sum of exponents, and the sum of two fits into 16 bits.
constexpr int16_t kNoExponent = -0x4000;

enum class HalfFormat : uint8_t { kF16, kBf16 };

/// Operands of fp16 and bf16 as doubles. A: [row][k], B: [ni][k][16 columns],
/// k padded to k1*16. spreadA[block*k1+ki] and spreadB[ni*k1+ki]: largest
/// minus smallest exponent field of the finite nonzero operands there, and
/// kSpecial if there is an infinity or a NaN. Exponents are the contract's e,
/// kNoExponent for zeros, infinities and NaN; of A [row][k], of B
/// [ni][pair of k][16 columns][2].
struct HalfPanels {
  HalfFormat format{};
  CubeExtents shape;
  size_t k1 = 0, rowsPerBlock = 0, rowBlocks = 0;
  double *a = nullptr, *b = nullptr;
  uint16_t *spreadA = nullptr, *spreadB = nullptr;
  int16_t *exponentsA = nullptr, *exponentsB = nullptr;
};

/// fp32: A [row][k] and B [ni][k][16] floats, k padded to steps*4 with +0.
struct F32Panels {
  CubeExtents shape;
  size_t steps = 0;
  float *a = nullptr, *b = nullptr;
};

/// 8-bit: operands as 16-bit, in pairs of k. A [row][pair][2],
/// B [ni][pair][16][2], k padded to pairs*2 with 0.
struct I8Panels {
  CubeExtents shape;
  size_t pairs = 0;
  bool signedA = false, signedB = false;
  int16_t *a = nullptr, *b = nullptr;
};

} // namespace kiln::isa::numerics
