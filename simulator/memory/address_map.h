// SPDX-License-Identifier: Apache-2.0
//
// AddressMap: spreads consecutive numbers over n places, and numbers at a
// stride of n, n * n, ... as well (rule 40).
//
//   spread(x, n) = (sum of the digits of x in base n) mod n
//   x / n        = the number inside its place
//
// Within a block of n consecutive numbers only the lowest digit changes, so
// (spread(x, n), x / n) names x uniquely. For a power of two this is a sum
// of bit fields.
#pragma once

#include <cstdint>

namespace kiln::sim {

constexpr uint32_t spread(uint64_t x, uint32_t n) {
  uint64_t sum = 0;
  if (n == 1) {
    return 0;
  }
  for (; x; x /= n) {
    sum += x % n;
  }
  return static_cast<uint32_t>(sum % n);
}

} // namespace kiln::sim
