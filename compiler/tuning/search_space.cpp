// SPDX-License-Identifier: Apache-2.0
#include "compiler/tuning/search_space.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace kiln::tuning {

namespace {

Status invalid(std::string message) {
  return Status(StatusCode::kInvalidArgument, std::move(message));
}

std::string namesOf(const SearchSpace &space) {
  std::string text;
  for (const Knob &knob : space.knobs) {
    text += (text.empty() ? "" : ", ") + knob.name;
  }
  return text.empty() ? "there are none" : "there are " + text;
}

std::string valuesOf(const Knob &knob) {
  std::string text;
  for (int64_t value : knob.values) {
    text += (text.empty() ? "" : ", ") + std::to_string(value);
  }
  return text;
}

/// "name=value" into its place of `setting`.
Status parsePart(const SearchSpace &space, std::string_view part,
                 std::vector<bool> &named, Setting &setting) {
  const size_t equals = part.find('=');
  const std::string name(part.substr(0, equals));
  if (equals == std::string_view::npos || name.empty()) {
    return invalid("'" + std::string(part) +
                   "' is no setting of a knob; expected NAME=VALUE");
  }
  const auto knob = std::find_if(space.knobs.begin(), space.knobs.end(),
                                 [&](const Knob &k) { return k.name == name; });
  if (knob == space.knobs.end()) {
    return invalid("no knob '" + name + "'; " + namesOf(space));
  }
  const auto index = static_cast<size_t>(knob - space.knobs.begin());
  if (named[index]) {
    return invalid("knob '" + name + "' is set twice");
  }
  named[index] = true;
  const std::string_view text = part.substr(equals + 1);
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), setting[index]);
  const auto &values = knob->values;
  if (error != std::errc() || end != text.data() + text.size() ||
      std::find(values.begin(), values.end(), setting[index]) == values.end()) {
    return invalid("knob '" + name + "' cannot be '" + std::string(text) +
                   "'; its values are " + valuesOf(*knob));
  }
  return Status::ok();
}

} // namespace

int64_t SearchSpace::combinations() const {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  int64_t count = 1;
  for (const Knob &knob : knobs) {
    const auto values = static_cast<int64_t>(knob.values.size());
    if (values != 0 && count > kMost / values) {
      return kMost;
    }
    count *= values;
  }
  return count;
}

Setting SearchSpace::setting(int64_t number) const {
  Setting setting(knobs.size());
  for (size_t i = knobs.size(); i-- > 0;) {
    const auto values = static_cast<int64_t>(knobs[i].values.size());
    setting[i] = knobs[i].values[static_cast<size_t>(number % values)];
    number /= values;
  }
  return setting;
}

std::vector<Setting> SearchSpace::legalSettings() const {
  std::vector<Setting> legal;
  for (int64_t i = 0, count = combinations(); i < count; ++i) {
    Setting combination = setting(i);
    if (!isLegal || isLegal(combination)) {
      legal.push_back(std::move(combination));
    }
  }
  return legal;
}

std::string settingText(const SearchSpace &space, const Setting &setting) {
  std::string text;
  for (size_t i = 0; i < setting.size(); ++i) {
    text += (i == 0 ? "" : ",") + space.knobs[i].name + "=" +
            std::to_string(setting[i]);
  }
  return text;
}

Result<Setting> parseSetting(const SearchSpace &space, std::string_view text) {
  Setting setting;
  for (const Knob &knob : space.knobs) {
    setting.push_back(knob.values.front());
  }
  std::vector<bool> named(space.knobs.size(), false);
  for (size_t start = 0; start < text.size();) {
    const size_t comma = std::min(text.find(',', start), text.size());
    KILN_RETURN_IF_ERROR(
        parsePart(space, text.substr(start, comma - start), named, setting));
    start = comma + 1;
  }
  return setting;
}

} // namespace kiln::tuning
