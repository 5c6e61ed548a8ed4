// SPDX-License-Identifier: Apache-2.0
//
// Candidates: which settings a search may choose next, and where they lie for
// its model: of the legal settings where they are listed; larger spaces are
// sampled, and mutated and crossed over around the best.
//
//   Candidates candidates(space, /*seed=*/1, space.legalSettings());
//   std::optional<Setting> first = candidates.spread(); // the default
//   candidates.open({*first});       // settings worth asking the model about
//   candidates.accepts(setting);     // is it legal?
//   candidates.take(setting);        // never proposed again
//
// Whether a setting of a space that is not listed is legal may mean to build a
// kernel: accepts() asks, once, about those that the model likes best.
//
// Deterministic given the seed.
#pragma once

#include "compiler/tuning/search_space.h"
#include "compiler/tuning/surrogate.h"

#include <optional>
#include <random>
#include <set>

namespace kiln::tuning {

class Candidates {
public:
  /// `space` is borrowed. `legal`: every legal setting; empty where there are
  /// too many to list.
  Candidates(const SearchSpace &space, uint64_t seed,
             std::vector<Setting> legal);

  /// The default if it is legal; then settings at random, each the one of a
  /// few that is farthest from those taken. Takes it; nothing when all are.
  std::optional<Setting> spread();
  /// Settings that are not taken: all, or some hundred, those next to `best`
  /// (the first counts most) among them. Legal where legal ones are listed,
  /// else not known to be illegal.
  std::vector<Setting> open(const std::vector<Setting> &best);
  /// Whether a setting of open() is legal.
  bool accepts(const Setting &setting);
  void take(const Setting &setting) { taken_.insert(setting); }

  /// A coordinate per knob, 0 to 1: the logarithm of its value, or the value
  /// where not all are positive.
  Surrogate::Point point(const Setting &setting) const;

private:
  struct Axis {
    bool isLogarithmic = false;
    double low = 0, range = 1;
  };

  bool isOpen(const Setting &setting) const;
  /// A legal setting that is not taken; nothing when none is found.
  std::optional<Setting> random();
  double distanceToTaken(const Setting &setting) const;
  uint64_t draw(uint64_t below) { return random_() % below; }
  /// Settings of a space that is not listed, legal or not.
  Setting anywhere();
  Setting nearTaken();
  void addNeighbours(const Setting &setting, std::set<Setting> &found);
  void addCrossings(const std::vector<Setting> &best, std::set<Setting> &found);

  const SearchSpace &space_;
  std::vector<Axis> axes_;
  std::mt19937_64 random_; // its bits are the same everywhere
  bool listed_ = false;
  // Asked once: isLegal may build a kernel.
  std::vector<Setting> all_;
  std::set<Setting> legal_, illegal_, taken_;
};

} // namespace kiln::tuning
