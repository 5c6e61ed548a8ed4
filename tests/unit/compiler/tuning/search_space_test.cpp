// SPDX-License-Identifier: Apache-2.0
#include "compiler/tuning/search_space.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tuning {
namespace {

using testing::HasSubstr;

SearchSpace tiles() {
  SearchSpace space;
  space.knobs = {{"tileM", {16, 32, 64}}, {"depth", {2, 1}}};
  return space;
}

TEST(SearchSpace, ListsLegalSettingsWithTheLastKnobFastest) {
  SearchSpace space = tiles();
  space.isLegal = [](const Setting &s) { return s[0] * s[1] <= 64; };
  EXPECT_EQ(space.combinations(), 6);
  const std::vector<Setting> legal = {
      {16, 2}, {16, 1}, {32, 2}, {32, 1}, {64, 1}};
  EXPECT_EQ(space.legalSettings(), legal);
}

TEST(SearchSpace, WithoutKnobsHasOneEmptySetting) {
  EXPECT_EQ(SearchSpace().legalSettings(), std::vector<Setting>(1));
}

TEST(SearchSpace, CombinationsSaturate) {
  SearchSpace space;
  for (int i = 0; i < 40; ++i) {
    space.knobs.push_back({"k", {1, 2, 3, 4}});
  }
  EXPECT_EQ(space.combinations(), std::numeric_limits<int64_t>::max());
}

TEST(SearchSpace, TextGoesBothWays) {
  const SearchSpace space = tiles();
  for (const Setting &setting : space.legalSettings()) {
    Result<Setting> back = parseSetting(space, settingText(space, setting));
    ASSERT_TRUE(back) << back.status().message();
    EXPECT_EQ(*back, setting);
  }
  EXPECT_EQ(settingText(space, {64, 1}), "tileM=64,depth=1");
}

TEST(SearchSpace, AKnobThatIsNotNamedKeepsItsDefault) {
  EXPECT_EQ(*parseSetting(tiles(), "depth=1"), (Setting{16, 1}));
  EXPECT_EQ(*parseSetting(tiles(), ""), (Setting{16, 2}));
}

TEST(SearchSpace, BadTextIsNamed) {
  const std::pair<const char *, const char *> cases[] = {
      {"tileX=1", "no knob 'tileX'; there are tileM, depth"},
      {"depth=3", "knob 'depth' cannot be '3'; its values are 2, 1"},
      {"depth=1x", "knob 'depth' cannot be '1x'"},
      {"depth=", "knob 'depth' cannot be ''"},
      {"depth=99999999999999999999", "knob 'depth' cannot be"},
      {"depth=1,depth=2", "knob 'depth' is set twice"},
      {"depth", "'depth' is no setting of a knob; expected NAME=VALUE"},
      {"=1", "expected NAME=VALUE"},
      {"depth=1,,tileM=16", "expected NAME=VALUE"}};
  for (const auto &[text, message] : cases) {
    Result<Setting> setting = parseSetting(tiles(), text);
    ASSERT_FALSE(setting) << text;
    EXPECT_EQ(setting.status().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(setting.status().message(), HasSubstr(message));
  }
}

} // namespace
} // namespace kiln::tuning
