// SPDX-License-Identifier: Apache-2.0
#include "compiler/tuning/search.h"

#include "compiler/tuning/candidates.h"
#include "compiler/tuning/surrogate.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <tuple>

namespace kiln::tuning {

namespace {

// Chosen by replaying recorded spaces of three kernels with many seeds
// (docs/rationale/tuning.md).
constexpr double kSpreadShare = 0.2;  // of the trials: before the model
constexpr double kExploitShare = 0.2; // at the end: by least expected cost
// Costs above e^0.5 = 1.65 times the best are the same to the model: what lies
// far off says little about the neighbourhood of the best.
constexpr double kCap = 0.5;
constexpr uint64_t kAbortFactor = 2;
static_assert(kAbortFactor > 1.65);
// Least improvement, in e-folds, worth a trial.
constexpr double kMargin = 0.003;
// The model is fitted to the best trials only, and asked around the best few.
constexpr size_t kMostPoints = 128;
constexpr size_t kParents = 8;
// Settings that are asked whether they are legal, for one trial.
constexpr size_t kMostAsked = 64;

double logCost(const Measurement &m) {
  return std::log(static_cast<double>(std::max<uint64_t>(m.cycles, 1)));
}

bool isMeasured(const Trial &trial) {
  return trial.measurement.code == StatusCode::kOk;
}

/// Logarithm of the expected improvement below `-margin` of a value that is
/// distributed as predicted.
double improvement(const Prediction &p) {
  const double deviation = std::max(p.deviation, 1e-9);
  const double z = (-kMargin - p.mean) / deviation;
  if (z < -30) {
    return z * std::fabs(z);
  }
  const double density = std::exp(-0.5 * z * z) / std::sqrt(2 * M_PI);
  const double below = 0.5 * std::erfc(-z / std::sqrt(2.0));
  return std::log(deviation) + std::log(std::max(density + z * below, 1e-300));
}

/// Chooses setting after setting.
class Guide {
public:
  Guide(const SearchSpace &space, const SearchOptions &options, uint64_t trials,
        Candidates &candidates)
      : options_(options), trials_(trials), candidates_(candidates) {
    const auto share = static_cast<uint64_t>(
        std::ceil(kSpreadShare * static_cast<double>(trials)));
    spread_ = std::clamp<uint64_t>(share, 2, 2 * space.knobs.size() + 2);
  }

  /// Nothing when every setting has been chosen.
  std::optional<Setting> next(std::span<const Trial> known,
                              std::span<const Setting> running) {
    const uint64_t index = known.size() + running.size();
    const bool anyMeasured =
        std::any_of(known.begin(), known.end(), isMeasured);
    if (index < spread_ || !anyMeasured) {
      return candidates_.spread();
    }
    learn(known, running);
    const bool exploit = static_cast<double>(index) >=
                         static_cast<double>(trials_) * (1 - kExploitShare);
    const std::vector<Setting> open = candidates_.open(parents(known));
    std::vector<std::pair<double, size_t>> order; // by promise
    for (const Setting &setting : open) {
      Prediction p = model_.predict(candidates_.point(setting));
      p.mean += offset(setting);
      order.emplace_back(exploit ? p.mean : -improvement(p), order.size());
    }
    std::sort(order.begin(), order.end());
    order.resize(std::min(order.size(), kMostAsked));
    for (const auto &[promise, index] : order) {
      if (candidates_.accepts(open[index])) {
        candidates_.take(open[index]);
        return open[index];
      }
    }
    return order.empty() ? std::nullopt : candidates_.spread();
  }

private:
  /// What the estimate says, as a logarithm.
  double offset(const Setting &setting) const {
    return options_.estimate
               ? std::log(std::max(options_.estimate(setting), 1e-300))
               : 0;
  }

  /// Measured trials, the best first.
  static std::vector<const Trial *> ranked(std::span<const Trial> known) {
    std::vector<const Trial *> order;
    for (const Trial &trial : known) {
      order.push_back(&trial);
    }
    auto rank = [](const Trial *t) {
      return std::tuple(!isMeasured(*t), t->measurement.cycles, t);
    };
    std::sort(order.begin(), order.end(), [&](const Trial *a, const Trial *b) {
      return rank(a) < rank(b);
    });
    return order;
  }

  static std::vector<Setting> parents(std::span<const Trial> known) {
    std::vector<Setting> settings;
    for (const Trial *trial : ranked(known)) {
      if (settings.size() < kParents && isMeasured(*trial)) {
        settings.push_back(trial->setting);
      }
    }
    return settings;
  }

  /// Fits the model to what is known; what is under way is taken to cost what
  /// the model expects (Ginsbourger, Le Riche, Carraro: Kriging is well-suited
  /// to parallelize optimization, 2010: the kriging believer).
  void learn(std::span<const Trial> known, std::span<const Setting> running) {
    std::vector<const Trial *> order = ranked(known);
    const double best = logCost(order.front()->measurement);
    order.resize(std::min(order.size(), kMostPoints));
    std::vector<Surrogate::Point> points;
    std::vector<double> values;
    for (const Trial *trial : order) {
      const double above = logCost(trial->measurement) - best;
      points.push_back(candidates_.point(trial->setting));
      values.push_back((isMeasured(*trial) ? std::min(above, kCap) : kCap) -
                       offset(trial->setting));
    }
    const bool isDue = known.size() >= learnAt_;
    if (isDue) {
      learnAt_ = known.size() + 1 + known.size() / 16;
    }
    model_.fit(points, values, isDue);
    if (!running.empty()) {
      for (const Setting &setting : running) {
        points.push_back(candidates_.point(setting));
        values.push_back(model_.predict(points.back()).mean);
      }
      model_.fit(std::move(points), std::move(values), false);
    }
  }

  const SearchOptions &options_;
  uint64_t trials_, spread_;
  Candidates &candidates_;
  Surrogate model_;
  uint64_t learnAt_ = 0;
};

/// Trials under way, put back into the order in which they were chosen.
class Run {
public:
  Run(Measurer &measurer, const SearchOptions &options, uint64_t total)
      : measurer_(measurer), options_(options), total_(total) {}

  void submit(Setting setting, uint64_t abortAbove) {
    measurer_.submit(chosen_.size(), setting, abortAbove);
    chosen_.push_back(std::move(setting));
  }

  /// Waits for one trial to finish.
  Status wait() {
    KILN_ASSIGN_OR_RETURN(Finished finished, measurer_.next());
    early_[finished.trial] = std::move(finished.measurement);
    auto first = early_.begin();
    while (first != early_.end() && first->first == result_.trials.size()) {
      add({chosen_[first->first], std::move(first->second)});
      first = early_.erase(first);
    }
    return Status::ok();
  }

  const std::vector<Trial> &done() const { return result_.trials; }
  const std::vector<Setting> &chosen() const { return chosen_; }
  SearchResult takeResult() { return std::move(result_); }

private:
  void add(Trial trial) {
    auto &trials = result_.trials;
    trials.push_back(std::move(trial));
    const bool isBest =
        isMeasured(trials.back()) &&
        (!result_.best || trials.back().measurement.cycles <
                              trials[*result_.best].measurement.cycles);
    if (isBest) {
      result_.best = trials.size() - 1;
    }
    if (options_.progress) {
      options_.progress(
          {.done = trials.size(),
           .total = total_,
           .last = &trials.back(),
           .best = result_.best ? &trials[*result_.best] : nullptr});
    }
  }

  Measurer &measurer_;
  const SearchOptions &options_;
  uint64_t total_;
  std::vector<Setting> chosen_;
  std::map<size_t, Measurement> early_; // finished before one chosen earlier
  SearchResult result_;
};

uint64_t leastCycles(std::span<const Trial> trials) {
  uint64_t least = 0;
  for (const Trial &trial : trials) {
    if (isMeasured(trial) && (least == 0 || trial.measurement.cycles < least)) {
      least = trial.measurement.cycles;
    }
  }
  return least;
}

Status runAll(const std::vector<Setting> &settings, Run &run) {
  for (const Setting &setting : settings) {
    run.submit(setting, 0);
  }
  while (run.done().size() < settings.size()) {
    KILN_RETURN_IF_ERROR(run.wait());
  }
  return Status::ok();
}

Status runGuided(Guide &guide, uint64_t trials, Run &run) {
  const uint64_t window = searchWindow(trials);
  bool isUsedUp = false;
  while (true) {
    const uint64_t index = run.chosen().size();
    const uint64_t knows = index >= window ? index - window + 1 : 0;
    const bool isComplete = isUsedUp || index == trials;
    if (isComplete && run.done().size() == index) {
      return Status::ok();
    }
    if (isComplete || run.done().size() < knows) {
      KILN_RETURN_IF_ERROR(run.wait());
      continue;
    }
    const auto known = std::span(run.done()).first(knows);
    std::optional<Setting> setting =
        guide.next(known, std::span(run.chosen()).subspan(knows));
    if (!setting) {
      isUsedUp = true;
      continue;
    }
    run.submit(std::move(*setting), kAbortFactor * leastCycles(known));
  }
}

} // namespace

uint64_t searchWindow(uint64_t trials) {
  return std::clamp<uint64_t>(trials / 12, 1, 16);
}

bool isListed(const SearchSpace &space, bool exhaustive) {
  return space.combinations() <= (exhaustive ? SearchOptions::kMostExhaustive
                                             : SearchOptions::kMostListed);
}

Result<SearchResult> search(const SearchSpace &space, Measurer &measurer,
                            const SearchOptions &options) {
  const bool listed = isListed(space, options.exhaustive);
  if (options.exhaustive && !listed) {
    return Status(StatusCode::kInvalidArgument,
                  "the space has " + std::to_string(space.combinations()) +
                      " combinations; a search of all takes at most " +
                      std::to_string(SearchOptions::kMostExhaustive));
  }
  std::vector<Setting> all;
  if (listed) {
    all = options.legal.empty() ? space.legalSettings() : options.legal;
  }
  const uint64_t legal = all.size();
  if (listed && legal == 0) {
    return Status(StatusCode::kDoesNotFit,
                  "no setting of the knobs is legal for this shape and "
                  "machine");
  }
  const uint64_t most = listed ? legal : UINT64_MAX;
  uint64_t trials = options.trials;
  if (trials == 0) {
    trials = std::clamp<uint64_t>(most / 10, 1, SearchOptions::kMostTrials);
  }
  trials = options.exhaustive ? legal : std::min(trials, most);
  Run run(measurer, options, trials);
  if (options.exhaustive) {
    KILN_RETURN_IF_ERROR(runAll(all, run));
  } else {
    Candidates candidates(space, options.seed, all);
    Guide guide(space, options, trials, candidates);
    KILN_RETURN_IF_ERROR(runGuided(guide, trials, run));
  }
  SearchResult result = run.takeResult();
  result.legal = legal;
  return result;
}

} // namespace kiln::tuning
