// SPDX-License-Identifier: Apache-2.0
//
// search: the best setting of a space, with as few measurements as it takes.
//
//   SearchOptions options;
//   options.trials = 50;
//   Result<SearchResult> found = search(space, measurer, options);
//   settingText(space, found->trials[*found->best].setting);
//
// Exhaustive: every legal setting. Otherwise guided by a model: the default
// and a spread of settings first; then, trial by trial, the setting that a
// Gaussian process over the measured ones (surrogate.h) promises most from,
// by expected improvement (Jones, Schonlau, Welch: Efficient global
// optimization of expensive black-box functions, J. Global Optimization 13,
// 1998); at the end those of the least expected cost. Candidates are
// candidates.h's. A trial is stopped at twice the least cost that was known
// when it was chosen: the model does not tell such settings apart.
//
// Contract: the trials, their order and the result depend on the space, the
// costs, the seed and the options only, never on the speed or the number of
// workers: trial i is chosen knowing trials 0 to i - searchWindow() and no
// other.
//
// Errors: kDoesNotFit when no setting is legal; those of the measurer. Trials
// that fail are part of the result; without one that succeeds `best` is empty.
#pragma once

#include "compiler/tuning/measurer.h"

#include <optional>

namespace kiln::tuning {

struct Trial {
  Setting setting;
  Measurement measurement;
};

struct SearchProgress {
  uint64_t done = 0, total = 0;
  const Trial *last = nullptr; // that is done
  const Trial *best = nullptr; // null: none yet
};

struct SearchOptions {
  bool exhaustive = false;
  /// At most; 0: a tenth of the legal settings, at least 1 and at most
  /// kMostTrials.
  uint64_t trials = 0;
  uint64_t seed = 1;
  /// Every legal setting, in the order of SearchSpace::legalSettings(), where
  /// the caller has listed them (legal_settings.h); else they are listed here.
  std::vector<Setting> legal{};
  /// An estimate of the cost (> 0) in any unit, much cheaper than a
  /// measurement; the model corrects it by what is measured. May be empty.
  std::function<double(const Setting &)> estimate{};
  /// Called after every trial, in the order in which they were chosen.
  std::function<void(const SearchProgress &)> progress{};

  /// More than twice what any of the recorded searches of kernels took to come
  /// within 2 % of the best (docs/rationale/tuning.md).
  static constexpr uint64_t kMostTrials = 256;
  /// Combinations of a space whose legal settings are listed.
  static constexpr int64_t kMostListed = 1 << 14;
  /// The same of an exhaustive search, which takes no more.
  static constexpr int64_t kMostExhaustive = 1 << 16;
};

struct SearchResult {
  std::vector<Trial> trials; // in the order in which they were chosen
  std::optional<size_t> best;
  uint64_t legal = 0; // settings of the space; 0: too many to list
};

/// Whether a search lists the legal settings of a space first: a tenth of them
/// are its trials. Larger spaces are sampled (candidates.h).
bool isListed(const SearchSpace &space, bool exhaustive);

/// Trials under way at once in a guided search of this many.
uint64_t searchWindow(uint64_t trials);

Result<SearchResult> search(const SearchSpace &space, Measurer &measurer,
                            const SearchOptions &options);

} // namespace kiln::tuning
