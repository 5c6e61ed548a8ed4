// SPDX-License-Identifier: Apache-2.0
//
// What random programs have exercised: pairs of timing classes, the earlier
// and the later command of a block, with how the later one depends on the
// earlier (byte by byte) and whether they are of one pipe.
//
//   Coverage coverage;
//   coverage.add(program);
//   std::puts(coverage.text().c_str());
//   coverage.missing();                     // empty when complete
//
// Which combinations are possible follows from the instruction table: the
// pipes of the instructions of a class, the memories and configuration words
// they read and write.
#pragma once

#include "tests/engines/random/step.h"

#include <set>

namespace kiln::test {

enum class Relation : uint8_t { kRaw, kWar, kWaw, kNone };
constexpr unsigned kNumRelations = 4;

/// A timing class, or the accesses of S to UB behind them.
constexpr unsigned kWindowClass = isa::kNumTimingClasses;
constexpr unsigned kNumClasses = kWindowClass + 1;

struct Combination {
  unsigned first = 0, second = 0; // classes
  Relation relation{};
  bool samePipe = false;
  auto operator<=>(const Combination &) const = default;
};

std::string text(const Combination &combination);

/// Why no program has a combination, or empty when one can.
std::string whyImpossible(const Combination &combination);

/// All that are possible, in order.
const std::vector<Combination> &possibleCombinations();

/// Whether dependence() of two commands is of a relation.
bool is(unsigned dependence, Relation relation);

class Coverage {
public:
  void add(const SyncedProgram &program);
  size_t covered() const { return seen_.size(); }
  std::vector<Combination> missing() const;
  /// Two matrices of classes, totals, and why the rest is impossible.
  std::string text() const;

private:
  std::string matrix(bool samePipe) const;
  std::set<Combination> seen_;
};

} // namespace kiln::test
