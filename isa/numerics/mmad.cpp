// SPDX-License-Identifier: Apache-2.0
#include "isa/numerics/mmad.h"

#include "isa/numerics/cube_oracle.h"

namespace kiln::isa::numerics {

void mmad(CubeType type, CubeExtents shape, CubeMode mode, const std::byte *a,
          const std::byte *b, const std::byte *bias, std::byte *c) {
  oracle::CubeOracle<>::mmad(type, shape, mode, a, b, bias, c);
}

} // namespace kiln::isa::numerics
