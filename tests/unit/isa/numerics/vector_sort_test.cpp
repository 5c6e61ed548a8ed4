// SPDX-License-Identifier: Apache-2.0
//
// Sorted groups and merges against the oracle's order, which is checked on
// keys placed by hand.
#include "directed.h"

#include "isa/numerics/vector_sort.h"

#include <gtest/gtest.h>

namespace kiln::isa {
namespace {

using directed::pack;
using Oracle = oracle::VectorOracle<>;
using Keys = std::vector<uint32_t>;

/// Keys with repetitions: edges, and few distinct values.
Keys drawKeys(ElementType t, size_t n, std::mt19937 &random) {
  const Keys edges = directed::edges(t);
  Keys keys(n);
  for (uint32_t &x : keys) {
    x = random() % 2 != 0 ? edges[random() % edges.size()]
                          : static_cast<uint32_t>(random() % 5);
    x &= oracle::maskOf(t);
  }
  return keys;
}

std::vector<uint64_t> sortedPairs(ElementType t, const Keys &keys,
                                  uint32_t first) {
  std::vector<uint64_t> out;
  for (size_t i : Oracle::sorted(t, keys)) {
    out.push_back(keys[i] | uint64_t(first + i) << 32);
  }
  return out;
}

TEST(VectorSort, OrdersFloatsNanFirstAndZerosApart) {
  // 1, -0, NaN, 0, -inf, inf, another NaN
  const Keys keys = {0x3c00, 0x8000, 0x7e00, 0, 0xfc00, 0x7c00, 0xfe01};
  const std::vector<size_t> want = {2, 6, 5, 0, 3, 1, 4};
  EXPECT_EQ(want, Oracle::sorted(ElementType::F16, keys));
  EXPECT_EQ((std::vector<size_t>{2, 0, 3, 1}),
            Oracle::sorted(ElementType::I8, Keys{1, 0x80, 0x7f, 1}));
  EXPECT_EQ((std::vector<size_t>{1, 2, 0, 3}),
            Oracle::sorted(ElementType::U8, Keys{1, 0x80, 0x7f, 1}));
}

TEST(VectorSort, GroupsAreStableInEveryType) {
  std::mt19937 random(5);
  for (ElementType t : directed::kElementTypes) {
    for (size_t n : {1, 2, 3, 16, 31, 32}) {
      for (unsigned round = 0; round < 20; ++round) {
        const Keys keys = drawKeys(t, n, random);
        Keys indices(n);
        for (size_t i = 0; i < n; ++i) {
          indices[i] = static_cast<uint32_t>(100 + i);
        }
        std::vector<uint64_t> got(n);
        numerics::sortGroup(t, pack(t, keys).data(), indices.data(), got.data(),
                            n);
        ASSERT_EQ(sortedPairs(t, keys, 100), got) << name(t) << " " << n;
      }
    }
  }
}

TEST(VectorSort, MergeEqualsTheSortOfBoth) {
  std::mt19937 random(6);
  for (ElementType t : directed::kElementTypes) {
    for (const auto &[n, m] : {std::pair<size_t, size_t>{1, 1},
                               {32, 32},
                               {5, 60},
                               {60, 5},
                               {7, 0},
                               {128, 128}}) {
      Keys keys = drawKeys(t, n + m, random);
      const Keys a(keys.begin(), keys.begin() + static_cast<long>(n));
      const Keys b(keys.begin() + static_cast<long>(n), keys.end());
      const std::vector<uint64_t> first = sortedPairs(t, a, 0);
      const std::vector<uint64_t> second =
          sortedPairs(t, b, static_cast<uint32_t>(n));
      std::vector<uint64_t> got(n + m);
      numerics::mergePairs(t, first.data(), n, second.data(), m, got.data());
      ASSERT_EQ(sortedPairs(t, keys, 0), got) << name(t) << " " << n;
    }
  }
}

} // namespace
} // namespace kiln::isa
