// SPDX-License-Identifier: Apache-2.0
//
// Random programs until so many instructions have run: the eager, the lazy and
// a random order of the functional engine (with race and flag checks in the
// eager one) and the cycle engine leave the same bits as the steps one by one.
// Prints what was covered and the CPU time; fails on a difference, with the
// program shrunk, and when a possible combination was not covered.
//
//   random_run [--instructions=1000000] [--first-seed=1|random] [--table]
//
// Instructions are the data commands, kcfg and copies of S that were drawn;
// flags, semaphores and barriers are counted apart.
#include "tests/engines/random/coverage.h"
#include "tests/engines/random/laboratory.h"

#include <cstdio>
#include <cstring>
#include <ctime>
#include <random>

namespace kiln::test {
namespace {

struct Options {
  uint64_t instructions = 1'000'000, firstSeed = 1;
  bool table = false;
};

bool parse(int argc, char **argv, Options &options) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const std::string value = argument.substr(argument.find('=') + 1);
    if (argument == "--table") {
      options.table = true;
    } else if (argument.starts_with("--instructions=")) {
      options.instructions = std::strtoull(value.c_str(), nullptr, 10);
    } else if (argument == "--first-seed=random") {
      options.firstSeed = std::random_device()();
    } else if (argument.starts_with("--first-seed=")) {
      options.firstSeed = std::strtoull(value.c_str(), nullptr, 10);
    } else {
      std::fprintf(stderr, "unknown argument %s\n", argument.c_str());
      return false;
    }
  }
  return true;
}

/// A machine and the blocks a program has on it, in turn.
struct Place {
  Laboratory *lab;
  uint32_t blocks;
};

struct Totals {
  uint64_t programs = 0, instructions = 0, synchronisation = 0;
  Coverage coverage;
};

/// False after a difference, which is printed.
bool runOne(const Place &place, uint64_t seed, Totals &totals) {
  Laboratory &lab = *place.lab;
  const std::vector<Step> steps =
      randomSteps(lab.bench.arch, lab.gm, seed, 20 + seed % 40, place.blocks);
  const std::string bad = lab.run(steps, seed, 1);
  if (!bad.empty()) {
    std::printf("%s, %u blocks, %s", lab.bench.arch.name.c_str(), place.blocks,
                bad.c_str());
    return false;
  }
  const SyncedProgram program = synchronise(steps, lab.bench.arch, seed);
  totals.coverage.add(program);
  totals.instructions += steps.size();
  totals.synchronisation += program.issues.size() - steps.size();
  ++totals.programs;
  return true;
}

int run(const Options &options) {
  Laboratory nano("k1-nano"), k1("k1"), edge("k1-edge");
  const Place places[] = {{&nano, 1}, {&k1, 1},   {&nano, 1},
                          {&edge, 2}, {&nano, 1}, {&k1, 4}};
  std::printf("seeds: repeat with --instructions=%llu --first-seed=%llu\n",
              static_cast<unsigned long long>(options.instructions),
              static_cast<unsigned long long>(options.firstSeed));
  std::fflush(stdout);
  Totals totals;
  for (uint64_t seed = options.firstSeed;
       totals.instructions < options.instructions; ++seed) {
    if (!runOne(places[seed % std::size(places)], seed, totals)) {
      return 1;
    }
  }
  if (options.table) {
    std::fputs(totals.coverage.text().c_str(), stdout);
  }
  for (const Combination &c : totals.coverage.missing()) {
    std::printf("not covered: %s\n", text(c).c_str());
  }
  std::printf("%llu programs, %llu instructions and %llu of synchronisation: "
              "three orders and the cycle engine agree in every bit; %zu of "
              "%zu combinations covered; %.0f CPU s\n",
              static_cast<unsigned long long>(totals.programs),
              static_cast<unsigned long long>(totals.instructions),
              static_cast<unsigned long long>(totals.synchronisation),
              totals.coverage.covered(), possibleCombinations().size(),
              static_cast<double>(std::clock()) / CLOCKS_PER_SEC);
  return totals.coverage.missing().empty() ? 0 : 1;
}

} // namespace
} // namespace kiln::test

int main(int argc, char **argv) {
  kiln::test::Options options;
  return kiln::test::parse(argc, argv, options) ? kiln::test::run(options) : 2;
}
