// SPDX-License-Identifier: Apache-2.0
//
// The drivers the suite runs on, and what each may leave out. A new driver
// joins the suite by one entry here and a kit in program_kit.h.
#pragma once

#include "tests/conformance/hal/case.h"

#include <string>
#include <vector>

namespace kiln::hal::conformance {

/// A body that a driver does not pass. Permanent: it never will, by design.
/// Expected failure: it should; the suite turns red when it starts to pass.
struct Exclusion {
  enum Kind { kPermanent, kExpectedFailure } kind;
  std::string body;
  std::string reason;
};

struct DriverUnderTest {
  std::string name;
  CaseSetup setup;
  std::vector<Exclusion> exclusions;

  const Exclusion *exclusionOf(const std::string &body) const;
};

const std::vector<DriverUnderTest> &driversUnderTest();

/// The reference driver with a planted bug.
CaseSetup setupWithBug(const std::string &bug);

} // namespace kiln::hal::conformance
