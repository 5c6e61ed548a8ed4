// SPDX-License-Identifier: Apache-2.0
//
// mmad over a whole tile, fast: SIMD, equal to CubeOracle<>::mmad in every
// bit (tests/unit/isa/numerics/mmad_test.cpp).
//
//   numerics::mmad(CubeType::kF16, {m, n, k}, CubeMode::kZero, l0a, l0b,
//                  nullptr, l0c);
//
// Buffers are in the layouts of CubeExtents (cube_types.h); bytes of lanes at
// or beyond k are never looked at for their value, elements of C at or beyond m
// or n are not written. `bias` holds n f32 (i32) values and is read in mode
// kBias only. Buffers must not overlap; no alignment is needed. No error.
//
// Thread rule: any number of threads on different C. Operands are converted
// into a scratch buffer that each thread keeps between calls.
#pragma once

#include "isa/numerics/cube_types.h"

#include <cstddef>

namespace kiln::isa::numerics {

void mmad(CubeType type, CubeExtents shape, CubeMode mode, const std::byte *a,
          const std::byte *b, const std::byte *bias, std::byte *c);

} // namespace kiln::isa::numerics
