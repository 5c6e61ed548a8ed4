// SPDX-License-Identifier: Apache-2.0
//
// VectorClock: how far each pipe of a core is known to have come. Event e of
// pipe p with clock n happens before an event with clock c when c[p] >= n.
// Source: Mattern, "Virtual Time and Global States of Distributed Systems".
#pragma once

#include "isa/codec/machine_types.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace kiln::sim {

struct VectorClock {
  std::array<uint32_t, isa::kNumPipes> at{};

  uint32_t &operator[](isa::Pipe p) { return at[static_cast<unsigned>(p)]; }
  uint32_t operator[](isa::Pipe p) const {
    return at[static_cast<unsigned>(p)];
  }
  void join(const VectorClock &other) {
    for (unsigned p = 0; p < isa::kNumPipes; ++p) {
      at[p] = std::max(at[p], other.at[p]);
    }
  }
};

} // namespace kiln::sim
