// SPDX-License-Identifier: Apache-2.0
#include "compiler/tuning/legal_settings.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tuning {
namespace {

SearchSpace space(bool (*isLegal)(const Setting &)) {
  SearchSpace space;
  space.knobs = {{"a", {3, 1, 2, 9}}, {"b", {5, 6, 7}}, {"c", {}}};
  for (int64_t c = 0; c < 25; ++c) {
    space.knobs[2].values.push_back(c * c);
  }
  space.isLegal = isLegal;
  return space;
}

TEST(LegalSettings, AreTheSameInTheSameOrderByAnyNumberOfProcesses) {
  const SearchSpace some =
      space([](const Setting &s) { return (s[0] + s[1] + s[2]) % 3 == 0; });
  const std::vector<Setting> expected = some.legalSettings();
  EXPECT_GT(expected.size(), 64U);
  EXPECT_LT(expected.size(), 300U);
  for (uint32_t workers : {1U, 2U, 7U}) {
    Result<std::vector<Setting>> listed = listLegal(some, {.workers = workers});
    ASSERT_TRUE(listed) << listed.status().message();
    EXPECT_EQ(*listed, expected) << workers;
  }
}

TEST(LegalSettings, AreAllWithoutARule) {
  SearchSpace all = space(nullptr);
  all.isLegal = nullptr;
  Result<std::vector<Setting>> listed = listLegal(all, {.workers = 2});
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->size(), 300U);
  EXPECT_EQ(*listed, all.legalSettings());
}

TEST(LegalSettings, OfARuleThatEndsItsProcessAreAnError) {
  Result<std::vector<Setting>> listed =
      listLegal(space([](const Setting &s) {
                  if (s[0] == 2 && s[1] == 6) {
                    std::abort();
                  }
                  return true;
                }),
                {.workers = 2});
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.status().code(), StatusCode::kDeviceLost);
  EXPECT_THAT(listed.status().message(),
              testing::HasSubstr("listing the legal settings"));
}

} // namespace
} // namespace kiln::tuning
