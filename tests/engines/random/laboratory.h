// SPDX-License-Identifier: Apache-2.0
//
// Laboratory: runs random programs in every order and engine and compares GM
// with what the steps leave when they run one by one.
//
//   Laboratory lab("k1-nano");
//   std::string bad = lab.check(steps, seed);    // empty when all agree
#pragma once

#include "tests/engines/support/engine_bench.h"
#include "tests/engines/support/random_program.h"

namespace kiln::test {

class Laboratory {
public:
  explicit Laboratory(const char *machine);

  /// A launch with a core for each block.
  sim::LaunchRequest request(const SyncedProgram &synced);

  /// What an engine does differently from `expected`, an error or a finding
  /// among it; empty when nothing.
  std::string difference(const sim::LaunchRequest &request, bool cycle,
                         const std::vector<std::byte> &expected);

  /// The same of the eager, the lazy and `randomOrders` random orders and of
  /// the cycle engine.
  std::string differenceOfAny(const SyncedProgram &synced,
                              const std::vector<std::byte> &expected,
                              unsigned randomOrders);

  /// Synchronises the steps and runs them, with race and flag checks in the
  /// eager order; empty when all is right.
  std::string check(const std::vector<Step> &steps, uint64_t seed,
                    unsigned randomOrders = 6);

  /// check() of a random program; a failure is shrunk and has its text.
  std::string run(const std::vector<Step> &steps, uint64_t seed,
                  unsigned randomOrders = 6);

  EngineBench bench;
  uint64_t gm;
  std::vector<std::byte> initial; // contents of GM, fixed
};

} // namespace kiln::test
