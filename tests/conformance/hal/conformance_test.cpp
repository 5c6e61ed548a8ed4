// SPDX-License-Identifier: Apache-2.0
//
// The suite: every body on every driver.
#include "tests/conformance/hal/drivers_under_test.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <set>

namespace kiln::hal::conformance {
namespace {

class Hal : public testing::TestWithParam<std::tuple<size_t, size_t>> {
protected:
  const DriverUnderTest &driver() const {
    return driversUnderTest()[std::get<0>(GetParam())];
  }
  const Body &body() const { return allBodies()[std::get<1>(GetParam())]; }
};

TEST_P(Hal, Conforms) {
  const Exclusion *exclusion = driver().exclusionOf(body().name);
  if (exclusion && exclusion->kind == Exclusion::kPermanent) {
    GTEST_SKIP() << exclusion->reason;
  }
  Case c(driver().setup);
  body().run(c);
  if (exclusion) {
    EXPECT_TRUE(c.failed())
        << "passes now; remove the exclusion: " << exclusion->reason;
    return;
  }
  for (const std::string &failure : c.failures()) {
    ADD_FAILURE() << failure;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Drivers, Hal,
    testing::Combine(testing::Range<size_t>(0, driversUnderTest().size()),
                     testing::Range<size_t>(0, allBodies().size())),
    [](const auto &info) {
      return driversUnderTest()[std::get<0>(info.param)].name + "_" +
             allBodies()[std::get<1>(info.param)].name;
    });

TEST(HalSuite, HasDistinctBodies) {
  std::set<std::string> names;
  std::set<void (*)(Case &)> functions;
  for (const Body &body : allBodies()) {
    EXPECT_TRUE(names.insert(body.name).second) << body.name;
    EXPECT_TRUE(functions.insert(body.run).second) << body.name;
  }
  EXPECT_GE(names.size(), 60u);
  std::printf("%zu bodies over", names.size());
  for (const DriverUnderTest &driver : driversUnderTest()) {
    std::printf(" %s", driver.name.c_str());
  }
  std::printf("\n");
}

TEST(HalSuite, ExcludesOnlyBodiesThereAre) {
  std::set<std::string> names;
  for (const Body &body : allBodies()) {
    names.insert(body.name);
  }
  for (const DriverUnderTest &driver : driversUnderTest()) {
    std::set<std::string> excluded;
    for (const Exclusion &exclusion : driver.exclusions) {
      EXPECT_TRUE(names.contains(exclusion.body)) << exclusion.body;
      EXPECT_TRUE(excluded.insert(exclusion.body).second) << exclusion.body;
      EXPECT_FALSE(exclusion.reason.empty()) << exclusion.body;
    }
  }
}

} // namespace
} // namespace kiln::hal::conformance
