// SPDX-License-Identifier: Apache-2.0
#include "isa/numerics/vector_sort.h"

#include "isa/numerics/element_io.h"
#include "isa/numerics/vector_oracle.h"

#include <algorithm>

namespace kiln::isa::numerics {

namespace {

/// Integers in the order of the keys, larger first in a sorted list.
uint32_t rankOf(ElementType type, uint32_t key) {
  const uint32_t mask = oracle::maskOf(type);
  key &= mask;
  if (!oracle::isFloat(type)) {
    return static_cast<uint32_t>(oracle::integerValue(type, key) -
                                 oracle::smallest(type));
  }
  const oracle::Format f = oracle::formatOf(type);
  if (f.isNan(key)) {
    return mask;
  }
  return f.isNegative(key) ? ~key & mask : key | f.signBit();
}

uint64_t pairOf(uint32_t key, uint32_t index) {
  return key | uint64_t(index) << 32;
}

} // namespace

void sortGroup(ElementType type, const void *keys, const uint32_t *indices,
               uint64_t *pairs, size_t n) {
  uint64_t order[kSortGroup]; // rank, then position from the end
  for (size_t i = 0; i < n; ++i) {
    order[i] =
        uint64_t(rankOf(type, loadElement(type, keys, i))) << 32 | (n - i);
  }
  std::sort(order, order + n, std::greater<>());
  for (size_t i = 0; i < n; ++i) {
    const size_t from = n - (order[i] & 0xffffffff);
    pairs[i] = pairOf(loadElement(type, keys, from), indices[from]);
  }
}

void mergePairs(ElementType type, const uint64_t *a, size_t numA,
                const uint64_t *b, size_t numB, uint64_t *dst) {
  const auto rank = [type](uint64_t pair) {
    return rankOf(type, static_cast<uint32_t>(pair));
  };
  size_t i = 0, j = 0;
  while (i < numA || j < numB) {
    const bool second = i == numA || (j < numB && rank(b[j]) > rank(a[i]));
    *dst++ = second ? b[j++] : a[i++];
  }
}

} // namespace kiln::isa::numerics
