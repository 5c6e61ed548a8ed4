// SPDX-License-Identifier: Apache-2.0
//
// The main program of tests with seeds.
#include "tests/support/seeds.h"

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string_view>

#include <gtest/gtest.h>

namespace kiln::test {
namespace {

struct Settings {
  uint64_t offset = 0, times = 1;
};

Settings &settings() {
  static Settings instance;
  return instance;
}

/// The value of "--name=value", or null.
const char *valueOf(std::string_view argument, std::string_view name) {
  return argument.starts_with(name) ? argument.data() + name.size() : nullptr;
}

bool parse(const char *argument) {
  if (const char *times = valueOf(argument, "--times=")) {
    settings().times = std::strtoull(times, nullptr, 10);
    return settings().times > 0;
  }
  if (const char *first = valueOf(argument, "--first-seed=")) {
    settings().offset = std::string_view(first) == "random"
                            ? std::random_device()()
                            : std::strtoull(first, nullptr, 10);
    return true;
  }
  return false;
}

} // namespace

std::ranges::iota_view<uint64_t, uint64_t> seeds(uint64_t first,
                                                 uint64_t count) {
  first += settings().offset;
  return {first, first + count * settings().times};
}

} // namespace kiln::test

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    if (!kiln::test::parse(argv[i])) {
      std::fprintf(stderr, "unknown or bad argument %s\n", argv[i]);
      return 2;
    }
  }
  const kiln::test::Settings &used = kiln::test::settings();
  if (argc > 1) {
    std::printf("seeds: repeat with --times=%llu --first-seed=%llu\n",
                static_cast<unsigned long long>(used.times),
                static_cast<unsigned long long>(used.offset));
    std::fflush(stdout);
  }
  return RUN_ALL_TESTS();
}
