// SPDX-License-Identifier: Apache-2.0
//
// The core's own peak, for scale: quality.md asks that every speed of the
// engines is printed beside it.
#pragma once

#include <cstdint>

namespace kiln::bench {

/// Runs fp32 FMAs on registers only, on the best instruction set of this
/// machine, and returns how many floating-point operations that was (an FMA
/// is two). `seed` keeps the compiler from knowing the result.
uint64_t runFmaPeak(float seed, float &sink);

} // namespace kiln::bench
