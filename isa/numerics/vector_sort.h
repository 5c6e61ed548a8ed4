// SPDX-License-Identifier: Apache-2.0
//
// Sorting for top-k: groups of 32 keys into sorted lists of pairs, and the
// merge of two lists. Equal to VectorOracle<>::sortBefore() and a stable sort
// (tests/unit/isa/numerics/vector_sort_test.cpp).
//
// A pair is 8 bytes: the bits of the key in the low bits of 4 bytes, then a
// 32-bit index that travels with it. Order: descending, NaN first, +0 before
// -0; equal keys keep their order.
//
// Thread rule: pure functions of their arguments.
#pragma once

#include "isa/numerics/vector_types.h"

#include <cstddef>
#include <cstdint>

namespace kiln::isa::numerics {

constexpr size_t kSortGroup = 32;

/// Sorts n <= 32 keys with their indices into pairs. No overlap.
void sortGroup(ElementType type, const void *keys, const uint32_t *indices,
               uint64_t *pairs, size_t n);

/// Merges sorted lists; of equal keys those of `a` come first. No overlap.
void mergePairs(ElementType type, const uint64_t *a, size_t numA,
                const uint64_t *b, size_t numB, uint64_t *dst);

} // namespace kiln::isa::numerics
