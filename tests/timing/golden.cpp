// SPDX-License-Identifier: Apache-2.0
#include "tests/timing/golden.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace kiln::test {

namespace {

constexpr char kPath[] = "tests/timing/golden_cycles.txt";

struct Golden {
  uint64_t cycles = 0, kernelCycles = 0;
};

/// The file, and whether this run rewrites it. One per test program.
struct Book {
  bool refresh = false;
  int64_t delta = 0;
  std::map<std::string, Golden> kernels;

  Book() {
    std::ifstream in(kPath);
    for (std::string line; std::getline(in, line);) {
      std::istringstream fields(line);
      std::string name;
      Golden golden;
      if (line.empty() || line[0] == '#' ||
          !(fields >> name >> golden.cycles >> golden.kernelCycles)) {
        continue;
      }
      kernels[name] = golden;
    }
  }
  void write() const {
    std::ofstream out(kPath);
    out << "# SPDX-License-Identifier: Apache-2.0\n"
           "# Golden cycles on k1, one core: kernel, cycles with launch, "
           "kernel cycles.\n"
           "# Refresh: build/tests/timing_golden_test --refresh (assembly),\n"
           "# build/tests/timing_library_test --refresh (library/kernel).\n";
    for (const auto &[name, golden] : kernels) {
      out << name << ' ' << golden.cycles << ' ' << golden.kernelCycles << '\n';
    }
  }
};

Book &book() {
  static Book instance;
  return instance;
}

} // namespace

void GoldenCycles::expect(const std::string &kernel,
                          const sim::LaunchReport &report) {
  Book &b = book();
  auto found = b.kernels.find(kernel);
  if (b.refresh) {
    Golden &golden = b.kernels[kernel];
    b.delta += static_cast<int64_t>(report.kernelCycles) -
               static_cast<int64_t>(golden.kernelCycles);
    golden = {report.cycles, report.kernelCycles};
    return;
  }
  ASSERT_NE(found, b.kernels.end()) << kernel << " has no golden cycles";
  EXPECT_EQ(report.cycles, found->second.cycles) << kernel;
  EXPECT_EQ(report.kernelCycles, found->second.kernelCycles) << kernel;
}

int goldenMain(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  book().refresh = argc > 1 && std::strcmp(argv[1], "--refresh") == 0;
  int result = RUN_ALL_TESTS();
  if (book().refresh && result == 0) {
    book().write();
    std::printf("kernel cycles changed by %lld in sum\n",
                static_cast<long long>(book().delta));
  }
  return result;
}

} // namespace kiln::test
