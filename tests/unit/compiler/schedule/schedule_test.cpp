// SPDX-License-Identifier: Apache-2.0
#include "compiler/schedule/schedule.h"

#include <gtest/gtest.h>

namespace kiln::schedule {
namespace {

Schedule sample() {
  return {"contraction",
          {{"cores", {784, 64}, {}}, {"l1", {784, 64, 576}, {1, 0}}},
          {{"a", isa::Space::L1, 2}, {"acc", isa::Space::L0C, 2}}};
}

TEST(Schedule, PrintsOneLine) {
  EXPECT_EQ(print(sample()), "contraction: cores[784,64]; l1[784,64,576] "
                             "order[1,0]; a@L1x2; acc@L0Cx2");
}

TEST(Schedule, ParsesWhatItPrints) {
  Result<Schedule> s = parse(print(sample()));
  ASSERT_TRUE(s) << s.status().message();
  EXPECT_EQ(*s, sample());
}

TEST(Schedule, HashFollowsTheText) {
  Schedule other = sample();
  EXPECT_EQ(hash(other), hash(sample()));
  other.placements[1].depth = 1;
  EXPECT_NE(hash(other), hash(sample()));
}

TEST(Schedule, RefusesMalformedTextAndNamesThePiece) {
  for (const char *text :
       {"", "no colon", ": l1[1]", "v: l1", "v: l1[a]", "v: l1[1,]",
        "v: l1[-1]", "v: l1[1] size[2]", "v: a@L9x1", "v: a@L1", "v: a@L1xq",
        "v: l1[1];;", "v: [1]"}) {
    Result<Schedule> s = parse(text);
    ASSERT_FALSE(s) << text;
    EXPECT_EQ(s.status().code(), StatusCode::kCorrupt) << text;
  }
  EXPECT_NE(parse("v: a@L9x1").status().message().find("'L9'"),
            std::string::npos);
}

TEST(Schedule, DepthOfAnUnlistedOperandIsOne) {
  EXPECT_EQ(sample().depth("acc", isa::Space::L0C), 2);
  EXPECT_EQ(sample().depth("acc", isa::Space::L1), 1);
}

} // namespace
} // namespace kiln::schedule
