// SPDX-License-Identifier: Apache-2.0
//
// Golden cycles: what whole kernels take, in tests/timing/golden_cycles.txt.
//
//   GoldenCycles goldens;
//   goldens.expect("gemm64", report);
//
// A test program that uses it ends its main() with goldenMain(argc, argv);
// run with --refresh it writes what it measured into the file instead of
// comparing, and prints the sum of the differences. A refreshed golden needs
// its reason in the commit.
#pragma once

#include "simulator/core/launch_report.h"

#include <cstdint>
#include <map>
#include <string>

namespace kiln::test {

class GoldenCycles {
public:
  /// Compares (or, refreshing, records) cycles and kernel cycles.
  static void expect(const std::string &kernel,
                     const sim::LaunchReport &report);
};

/// main() of a program with goldens.
int goldenMain(int argc, char **argv);

} // namespace kiln::test
