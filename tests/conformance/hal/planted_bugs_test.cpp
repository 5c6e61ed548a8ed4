// SPDX-License-Identifier: Apache-2.0
//
// The suite tested: every body fails on at least one planted driver bug, and
// every planted bug is caught by at least one body. Prints the counts.
#include "tests/conformance/hal/drivers_under_test.h"
#include "tests/conformance/hal/faulty_device.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <map>

namespace kiln::hal::conformance {
namespace {

/// Long enough for work that is not stuck, short enough for bugs that hang.
constexpr std::chrono::milliseconds kPatience{100};

bool fails(const Body &body, const CaseSetup &setup) {
  Case c(setup);
  body.run(c);
  return c.failed();
}

TEST(PlantedBugs, EveryBodyAndEveryBugMeet) {
  std::map<std::string, unsigned> caughtByBody, bodiesOfBug;
  for (const std::string &bug : plantedBugs()) {
    CaseSetup setup = setupWithBug(bug);
    setup.patience = kPatience;
    for (const Body &body : allBodies()) {
      if (fails(body, setup)) {
        ++caughtByBody[body.name];
        ++bodiesOfBug[bug];
      }
    }
    std::printf("%3u bodies catch %s\n", bodiesOfBug[bug], bug.c_str());
    EXPECT_GT(bodiesOfBug[bug], 0u) << bug << " is not caught";
  }
  for (const Body &body : allBodies()) {
    std::printf("%3u bugs fail %s\n", caughtByBody[body.name],
                body.name.c_str());
    EXPECT_GT(caughtByBody[body.name], 0u)
        << body.name << " fails on no planted bug";
  }
}

} // namespace
} // namespace kiln::hal::conformance
