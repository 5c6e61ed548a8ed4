// SPDX-License-Identifier: Apache-2.0
//
// The seven rounding modes of vcast. The values are architectural: they are
// the rounding field of the instruction (isa/spec/isa.yaml, RoundingMode).
// Every other instruction rounds to nearest even.
#pragma once

#include <cstdint>

namespace kiln::isa {

enum class Rounding : uint8_t {
  kNearestEven, // 0 rne
  kTowardZero,  // 1 rtz
  kDown,        // 2 rdn: toward minus infinity
  kUp,          // 3 rup: toward plus infinity
  kNearestAway, // 4 rmm: ties away from zero
  kNearestUp,   // 5 rhu: ties toward plus infinity
  kOdd,         // 6 rod: an inexact result takes an odd last bit
};
constexpr unsigned kNumRoundings = 7;

} // namespace kiln::isa
