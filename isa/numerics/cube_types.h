// SPDX-License-Identifier: Apache-2.0
//
// Facts about the types and tiles of the cube, shared by the oracle and the
// kernels.
#pragma once

#include "isa/gen/opcodes.h" // CubeType, CubeMode

#include <cstdint>

namespace kiln::isa {

constexpr bool isInteger(CubeType t) { return t <= CubeType::kU8; }
constexpr bool signedA(CubeType t) {
  return t == CubeType::kI8 || t == CubeType::kI8u8;
}
constexpr bool signedB(CubeType t) {
  return t == CubeType::kI8 || t == CubeType::kU8i8;
}
/// Bytes of an operand element.
constexpr unsigned operandBytes(CubeType t) {
  return isInteger(t) ? 1 : t == CubeType::kF32 ? 4 : 2;
}
/// Elements of k in a fractal (32 bytes): the C0 of the operands.
constexpr unsigned fractalK(CubeType t) { return 32 / operandBytes(t); }
/// Lanes of one dot: fp16 and bf16 16, int8 32, fp32 4.
constexpr unsigned dotLength(CubeType t) {
  return t == CubeType::kF32 ? 4 : fractalK(t);
}

/// Extents of a product in elements; with M1 = ceil(m/16), N1 = ceil(n/16),
/// K1 = ceil(k / fractalK): fractal (mi,ki) of A at byte 512*(mi*K1+ki),
/// fractal (ki,ni) of B at 512*(ki*N1+ni) (16 n-rows of 32 bytes of k), cell
/// (ni,mi) of C at 1024*(ni*M1+mi), row-major 16x16 of 4 bytes.
struct CubeExtents {
  uint32_t m = 0, n = 0, k = 0;
};

} // namespace kiln::isa
