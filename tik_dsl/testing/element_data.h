// SPDX-License-Identifier: Apache-2.0
//
// Elements of a tensor as doubles and as bytes, seeded inputs, and distances.
#pragma once

#include "isa/codec/machine_types.h"

#include <cstdint>
#include <span>
#include <vector>

namespace kiln::tik {

/// Rounds to the element type (nearest even; integers nearest, saturated).
std::vector<uint8_t> toBytes(std::span<const double> values,
                             isa::ElementType type);
std::vector<double> toDoubles(std::span<const uint8_t> bytes,
                              isa::ElementType type);

/// `count` values from low to high, representable in the type; same seed, same
/// values.
std::vector<double> testValues(size_t count, isa::ElementType type, double low,
                               double high, uint64_t seed);

/// Distance in units in the last place of the type (integers: difference);
/// infinite when exactly one is NaN.
double ulpDistance(double got, double want, isa::ElementType type);

} // namespace kiln::tik
