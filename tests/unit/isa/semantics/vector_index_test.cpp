// SPDX-License-Identifier: Apache-2.0
//
// Sequences, gather, scatter and sorting as the commands do them, against
// references written here from the manual's text.
#include "test_core.h"

namespace kiln::isa {
namespace {

using namespace testing;

/// Byte address of element (r,e) of a view.
uint32_t at(const LocalView &v, uint32_t size, uint32_t r, uint32_t e) {
  const uint32_t perBlock = 32 / size;
  return v.addr + 32 * (r * v.rowStride + e / perBlock * v.blkStride) +
         e % perBlock * size;
}

TEST(VectorIndex, SequencesStartAndStep) {
  TestCore core;
  core.fillRandom(1);
  const LocalView dst{0x1000, 200, 2, 2};
  const LocalView shape{0, 0, 0, 700};
  core.runOk(command(Opcode::kViota, ElementType::I16, dst.pack(), shape.pack(),
                     Sequence{.start = 0xfffe, .step = 3}.pack()));
  for (uint32_t r = 0; r < 2; ++r) {
    for (uint32_t e = 0; e < 700; ++e) {
      ASSERT_EQ(static_cast<int16_t>(-2 + 3 * int(e)),
                core.get<int16_t>(Space::UB, at(dst, 2, r, e)));
    }
  }
  // 0.1 + 3.3 e in f16, whose e is not an f16 beyond 2048: one rounding.
  const uint16_t start = halfBits(0.1f), step = halfBits(3.3f);
  const LocalView longRow{0x1000, 0, 1, 1};
  core.runOk(command(Opcode::kViota, ElementType::F16, longRow.pack(),
                     view(0, 0, 0, 9000),
                     Sequence{.start = start, .step = step}.pack()));
  for (uint32_t e = 0; e < 9000; ++e) {
    // Exact in double, and the f32 rounding of it is innocuous for f16 except
    // at ties, which step and start avoid.
    const double exact = double(halfValue(start)) + double(e) * halfValue(step);
    ASSERT_EQ(halfBits(static_cast<float>(exact)),
              core.get<uint16_t>(Space::UB, at(longRow, 2, 0, e)))
        << e;
  }
}

TEST(VectorIndex, GatherTakesWhatExistsAndZeroElse) {
  TestCore core;
  core.fillRandom(2);
  const LocalView index{0x2000, 10, 1, 70}, dst{0x6000, 30, 2, 3};
  const Table table{.addr = 0xa000, .count = 50};
  for (uint32_t r = 0; r < 3; ++r) {
    for (uint32_t e = 0; e < 70; ++e) {
      core.set<int32_t>(Space::UB, at(index, 4, r, e),
                        static_cast<int32_t>((e * 7 + r) % 53) - 1);
    }
  }
  core.runOk(command(Opcode::kVgather, ElementType::F16, dst.pack(),
                     index.pack(), table.pack()));
  for (uint32_t r = 0; r < 3; ++r) {
    for (uint32_t e = 0; e < 70; ++e) {
      const int i = int((e * 7 + r) % 53) - 1;
      const bool exists = i >= 0 && i < 50;
      ASSERT_EQ(exists ? core.get<uint16_t>(Space::UB, 0xa000 + 2 * uint32_t(i))
                       : 0,
                core.get<uint16_t>(Space::UB, at(dst, 2, r, e)));
    }
  }
}

TEST(VectorIndex, GatherBlocksTakesWhatExistsAndZeroElse) {
  for (ElementType t : {ElementType::I8, ElementType::F16, ElementType::F32}) {
    TestCore core;
    core.fillRandom(4);
    // Blocks of dst two apart, rows 40 apart.
    const LocalView index{0x2000, 3, 1, 17}, dst{0x6000, 40, 2, 3};
    const Table table{.addr = 0xa000, .count = 20};
    for (uint32_t r = 0; r < 3; ++r) {
      for (uint32_t b = 0; b < 17; ++b) {
        core.set<int32_t>(Space::UB, at(index, 4, r, b),
                          static_cast<int32_t>((b * 7 + r) % 23) - 1);
      }
    }
    core.runOk(
        command(Opcode::kVgatherb, t, dst.pack(), index.pack(), table.pack()));
    for (uint32_t r = 0; r < 3; ++r) {
      for (uint32_t b = 0; b < 17; ++b) {
        const int i = int((b * 7 + r) % 23) - 1;
        for (uint32_t byte = 0; byte < 32; ++byte) {
          const uint8_t expected =
              i >= 0 && i < 20
                  ? core.get<uint8_t>(Space::UB,
                                      0xa000 + 32 * uint32_t(i) + byte)
                  : 0;
          ASSERT_EQ(expected,
                    core.get<uint8_t>(Space::UB,
                                      0x6000 + 32 * (40 * r + 2 * b) + byte));
        }
      }
    }
  }
}

TEST(VectorIndex, ScatterKeepsTheLastOfEqualIndices) {
  for (ElementType t : {ElementType::I8, ElementType::F16, ElementType::F32}) {
    TestCore core;
    core.fillRandom(3);
    const uint32_t size = sizeOf(t);
    const LocalView values{0x2000, 10, 1, 40}, index{0x4000, 6, 1, 0};
    const Table table{.addr = 0xa000, .count = 30, .rows = 2};
    for (uint32_t r = 0; r < 2; ++r) {
      for (uint32_t e = 0; e < 40; ++e) {
        core.set<int32_t>(Space::UB, at(index, 4, r, e),
                          static_cast<int32_t>((e * 11 + r * 5) % 34) - 2);
      }
    }
    TestCore want = core;
    for (uint32_t r = 0; r < 2; ++r) {
      for (uint32_t e = 0; e < 40; ++e) {
        const int i = int((e * 11 + r * 5) % 34) - 2;
        for (uint32_t b = 0; i >= 0 && i < 30 && b < size; ++b) {
          want.set<uint8_t>(
              Space::UB, 0xa000 + size * uint32_t(i) + b,
              core.get<uint8_t>(Space::UB, at(values, size, r, e) + b));
        }
      }
    }
    core.runOk(command(Opcode::kVscatter, t, table.pack(), values.pack(),
                       index.pack()));
    EXPECT_EQ(want[Space::UB], core[Space::UB]) << name(t);
  }
}

/// The 40 largest of 200 numbers, as a kernel finds them: sort groups, merge
/// neighbours, keep what is needed, split.
TEST(VectorIndex, SortMergeAndSplitFindTheLargest) {
  TestCore core;
  core.fillRandom(4);
  std::mt19937 random(4);
  constexpr uint32_t kCount = 200;
  std::vector<float> values(kCount);
  const LocalView keys{0x1000, 0, 2, kCount};
  for (uint32_t e = 0; e < kCount; ++e) {
    values[e] = static_cast<float>(int(random() % 60) - 30);
    core.set<float>(Space::UB, at(keys, 4, 0, e), values[e]);
  }
  core.runOk(command(Opcode::kViota, ElementType::I32, view(0x3000, 0, 1, 1),
                     view(0, 0, 0, kCount),
                     Sequence{.start = 0, .step = 1}.pack()));
  core.runOk(command(Opcode::kVsort32, ElementType::F32, view(0x4000, 0, 1, 1),
                     keys.pack(), view(0x3000, 0, 1)));
  // The list so far at 0x5000, merged with group after group; at most 40.
  uint32_t have = 32, list = 0x4000, other = 0x6000;
  for (uint32_t group = 1; 32 * group < kCount; ++group) {
    const uint32_t more = std::min(32u, kCount - 32 * group);
    core.runOk(command(Opcode::kVmerge, ElementType::F32, view(other, 0, 1, 1),
                       view(list, 0, 1, have),
                       view(0x4000 + 256 * group, 0, 1, more)));
    have = std::min(40u, have + more);
    list = other;
    other = other == 0x6000 ? 0x7000 : 0x6000;
  }
  core.runOk(command(Opcode::kVpairK, ElementType::F32, view(0x8000, 0, 2, 1),
                     view(list, 0, 1, 40)));
  core.runOk(command(Opcode::kVpairI, ElementType::I32, view(0x9000, 0, 1, 1),
                     view(list, 0, 1, 40)));
  std::vector<uint32_t> order(kCount);
  for (uint32_t i = 0; i < kCount; ++i) {
    order[i] = i;
  }
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return values[a] > values[b] || (values[a] == values[b] && a < b);
  });
  for (uint32_t e = 0; e < 40; ++e) {
    EXPECT_EQ(order[e], core.get<uint32_t>(Space::UB, 0x9000 + 4 * e)) << e;
    EXPECT_EQ(values[order[e]],
              core.get<float>(Space::UB, at({0x8000, 0, 2, 1}, 4, 0, e)));
  }
}

TEST(VectorIndex, SortPadsShortKeysWithZeros) {
  TestCore core;
  core.fillRandom(5);
  core.runOk(command(Opcode::kVsort32, ElementType::F16, view(0x4000, 20, 1, 2),
                     view(0x1000, 5, 1, 50), view(0x3000, 0, 1)));
  for (uint32_t r = 0; r < 2; ++r) {
    for (uint32_t e = 0; e < 50; ++e) {
      EXPECT_EQ(0, core.get<uint16_t>(Space::UB, 0x4002 + 640 * r + 8 * e));
    }
  }
  core.runOk(command(Opcode::kVpairK, ElementType::F16, view(0x6000, 9, 1, 2),
                     view(0x4000, 20, 1, 50)));
  EXPECT_EQ(core.get<uint16_t>(Space::UB, 0x4000 + 640 + 8 * 49),
            core.get<uint16_t>(Space::UB, 0x6000 + 32 * 9 + 98));
}

} // namespace
} // namespace kiln::isa
