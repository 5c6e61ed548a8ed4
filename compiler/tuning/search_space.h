// SPDX-License-Identifier: Apache-2.0
//
// SearchSpace: what a tuner may choose from. Hand-written kernels with knobs
// and, later, the annotations of generated schedules are both given to the
// search in this form; nothing here knows what a setting means.
//
//   SearchSpace space;
//   space.knobs = {{"tileM", {16, 32, 64, 128}}, {"tileN", {16, 32, 64}}};
//   space.isLegal = [](const Setting &s) { return s[0] * s[1] <= 4096; };
//   for (const Setting &s : space.legalSettings()) ...
//   settingText(space, s);                        // "tileM=128,tileN=32"
//   parseSetting(space, "tileN=32,tileM=128");    // -> {128, 32}
//
// Contract: a legal setting compiles. One that does not is a bug of whoever
// gave isLegal.
#pragma once

#include "isa/support/status.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::tuning {

/// A choice with its values in the order they were declared; the first is the
/// default. At least one, all different.
struct Knob {
  std::string name;
  std::vector<int64_t> values;
};

/// One value per knob, in the order of SearchSpace::knobs.
using Setting = std::vector<int64_t>;

struct SearchSpace {
  std::vector<Knob> knobs;
  /// Empty: every combination is legal. Depends on its argument only; may be
  /// called from several threads.
  std::function<bool(const Setting &)> isLegal{};

  /// Combinations, legal or not; saturates at 2^63 - 1.
  int64_t combinations() const;
  /// The combination of a number below combinations(), the last knob fastest.
  Setting setting(int64_t number) const;
  /// Every legal setting, the last knob fastest. Calls isLegal
  /// combinations() times; where that is slow, legal_settings.h.
  std::vector<Setting> legalSettings() const;
};

/// "name=value,name=value" in the order of the knobs: the form that records and
/// command lines use.
std::string settingText(const SearchSpace &space, const Setting &setting);

/// The inverse, in any order; a knob that is not named keeps its default.
/// kInvalidArgument: unknown or repeated knob, a value that is not one of its
/// values, no number; names what was found and what is known. Legality is not
/// looked at.
Result<Setting> parseSetting(const SearchSpace &space, std::string_view text);

} // namespace kiln::tuning
