// SPDX-License-Identifier: Apache-2.0
#include "compiler/tuning/candidates.h"

#include <algorithm>
#include <cmath>

namespace kiln::tuning {

namespace {

// Candidates that the model is asked about for one trial.
constexpr size_t kMostAsked = 512;
// Random settings among them, and attempts to find one that is legal.
constexpr int kRandomAsked = 256;
constexpr int kAttempts = 64;
// Knobs in which a random setting near another one may differ from it.
constexpr size_t kMostChanged = 3;
// Random settings from which spread() takes the farthest.
constexpr int kSpread = 3;

} // namespace

Candidates::Candidates(const SearchSpace &space, uint64_t seed,
                       std::vector<Setting> legal)
    : space_(space), random_(seed) {
  for (const Knob &knob : space.knobs) {
    const auto [low, high] =
        std::minmax_element(knob.values.begin(), knob.values.end());
    Axis axis{.isLogarithmic = *low > 0, .low = 0, .range = 0};
    auto place = [&](int64_t value) {
      const auto v = static_cast<double>(value);
      return axis.isLogarithmic ? std::log2(v) : v;
    };
    axis.low = place(*low);
    axis.range = std::max(place(*high) - axis.low, 1e-9);
    axes_.push_back(axis);
  }
  all_ = std::move(legal);
  listed_ = !all_.empty();
  legal_.insert(all_.begin(), all_.end());
}

Surrogate::Point Candidates::point(const Setting &setting) const {
  Surrogate::Point point;
  for (size_t i = 0; i < setting.size(); ++i) {
    const auto value = static_cast<double>(setting[i]);
    const double place = axes_[i].isLogarithmic ? std::log2(value) : value;
    point.push_back((place - axes_[i].low) / axes_[i].range);
  }
  return point;
}

bool Candidates::isOpen(const Setting &setting) const {
  if (taken_.contains(setting)) {
    return false;
  }
  return listed_ ? legal_.contains(setting) : !illegal_.contains(setting);
}

bool Candidates::accepts(const Setting &setting) {
  if (listed_ || !space_.isLegal || legal_.contains(setting)) {
    return true;
  }
  if (illegal_.contains(setting)) {
    return false;
  }
  const bool legal = space_.isLegal(setting);
  (legal ? legal_ : illegal_).insert(setting);
  return legal;
}

Setting Candidates::anywhere() {
  Setting setting;
  for (const Knob &knob : space_.knobs) {
    setting.push_back(knob.values[draw(knob.values.size())]);
  }
  return setting;
}

Setting Candidates::nearTaken() {
  if (taken_.empty()) {
    return anywhere();
  }
  auto from = taken_.begin();
  std::advance(from, static_cast<ptrdiff_t>(draw(taken_.size())));
  Setting setting = *from;
  for (uint64_t changes = 1 + draw(kMostChanged); changes > 0; --changes) {
    const uint64_t knob = draw(setting.size());
    const std::vector<int64_t> &values = space_.knobs[knob].values;
    setting[knob] = values[draw(values.size())];
  }
  return setting;
}

std::optional<Setting> Candidates::random() {
  if (listed_) {
    // Every open setting is equally likely: the one at a random place, or the
    // next that is open.
    const size_t start = all_.empty() ? 0 : draw(all_.size());
    for (size_t i = 0; i < all_.size(); ++i) {
      const Setting &setting = all_[(start + i) % all_.size()];
      if (!taken_.contains(setting)) {
        return setting;
      }
    }
    return std::nullopt;
  }
  // Where few combinations are legal, those near a legal one often are.
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    Setting setting = attempt % 2 == 0 ? anywhere() : nearTaken();
    if (isOpen(setting) && accepts(setting)) {
      return setting;
    }
  }
  return std::nullopt;
}

double Candidates::distanceToTaken(const Setting &setting) const {
  const Surrogate::Point here = point(setting);
  double nearest = INFINITY;
  for (const Setting &taken : taken_) {
    const Surrogate::Point there = point(taken);
    double sum = 0;
    for (size_t i = 0; i < here.size(); ++i) {
      sum += (here[i] - there[i]) * (here[i] - there[i]);
    }
    nearest = std::min(nearest, sum);
  }
  return nearest;
}

std::optional<Setting> Candidates::spread() {
  std::optional<Setting> chosen;
  if (taken_.empty()) {
    Setting first;
    for (const Knob &knob : space_.knobs) {
      first.push_back(knob.values.front());
    }
    if (isOpen(first) && accepts(first)) {
      chosen = std::move(first);
    }
  }
  double farthest = -1;
  for (int i = 0; i < kSpread && !(chosen && taken_.empty()); ++i) {
    std::optional<Setting> setting = random();
    if (!setting) {
      continue;
    }
    const double distance = distanceToTaken(*setting);
    if (distance > farthest) {
      farthest = distance;
      chosen = std::move(setting);
    }
    if (taken_.empty()) {
      break;
    }
  }
  if (chosen) {
    take(*chosen);
  }
  return chosen;
}

void Candidates::addNeighbours(const Setting &setting,
                               std::set<Setting> &found) {
  for (size_t i = 0; i < setting.size(); ++i) {
    for (int64_t value : space_.knobs[i].values) {
      Setting near = setting;
      near[i] = value;
      if (isOpen(near)) {
        found.insert(std::move(near));
      }
    }
  }
}

void Candidates::addCrossings(const std::vector<Setting> &best,
                              std::set<Setting> &found) {
  for (int i = 0; i < kRandomAsked && best.size() > 1; ++i) {
    Setting child = best[draw(best.size())];
    const Setting &other = best[draw(best.size())];
    for (size_t k = 0; k < child.size(); ++k) {
      const auto &values = space_.knobs[k].values;
      const uint64_t die = draw(8);
      child[k] = die == 0  ? values[draw(values.size())]
                 : die < 4 ? other[k]
                           : child[k];
    }
    if (isOpen(child)) {
      found.insert(std::move(child));
    }
  }
}

std::vector<Setting> Candidates::open(const std::vector<Setting> &best) {
  if (listed_ && all_.size() - taken_.size() <= kMostAsked) {
    std::vector<Setting> open;
    for (const Setting &setting : all_) {
      if (!taken_.contains(setting)) {
        open.push_back(setting);
      }
    }
    return open;
  }
  std::set<Setting> found;
  for (const Setting &setting : best) {
    if (found.size() < kMostAsked / 2) {
      addNeighbours(setting, found);
    }
  }
  addCrossings(best, found);
  for (int i = 0; i < kRandomAsked; ++i) {
    if (!listed_) {
      Setting near = nearTaken();
      if (isOpen(near)) {
        found.insert(std::move(near));
      }
    } else if (std::optional<Setting> setting = random()) {
      found.insert(std::move(*setting));
    }
  }
  return {found.begin(), found.end()};
}

} // namespace kiln::tuning
