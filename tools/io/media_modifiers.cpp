// SPDX-License-Identifier: Apache-2.0
#include "tools/io/media_modifiers.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

using ops::DataType;

Status invalid(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

/// All of `text` as a number.
template <typename T> std::optional<T> numberOf(std::string_view text) {
  T value{};
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional<T>(value) : std::nullopt;
}

/// "A<separator>B" as two numbers.
template <typename T>
std::optional<std::pair<T, T>> pairOf(std::string_view text,
                                      std::string_view separator) {
  size_t at = text.find(separator, 1);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  std::optional<T> a = numberOf<T>(text.substr(0, at));
  std::optional<T> b = numberOf<T>(text.substr(at + separator.size()));
  return a && b ? std::optional(std::pair(*a, *b)) : std::nullopt;
}

/// "0.5,0.25"; empty when one is no number.
std::vector<double> listOf(std::string_view text) {
  std::vector<double> values;
  for (size_t start = 0; start <= text.size();) {
    size_t end = std::min(text.find(',', start), text.size());
    std::optional<double> value =
        numberOf<double>(text.substr(start, end - start));
    if (!value || !std::isfinite(*value)) {
      return {};
    }
    values.push_back(*value);
    start = end + 1;
  }
  return values;
}

/// What `key` takes, when `value` is not of that form.
std::string_view setNumbers(Modifiers &to, std::string_view key,
                            std::string_view value) {
  if (key == "range") {
    if (auto range = pairOf<double>(value, "..")) {
      to.range = {range->first, range->second};
    }
    return to.range ? "" : "LOW..HIGH, such as -1..1";
  }
  if (key == "frames") {
    if (auto frames = pairOf<int64_t>(value, "+")) {
      to.frames = {frames->first, frames->second};
    }
    return to.frames ? "" : "FIRST+COUNT, such as 0+16000";
  }
  if (key == "mean") {
    to.mean = listOf(value);
    return to.mean.empty() ? "numbers with ',' between" : "";
  }
  to.std = listOf(value);
  bool divides =
      !to.std.empty() && std::ranges::find(to.std, 0.0) == to.std.end();
  return divides ? "" : "numbers other than 0 with ',' between";
}

std::string_view setForOutput(Modifiers &to, std::string_view key,
                              std::string_view value) {
  if (key == "rate") {
    to.rate = numberOf<uint32_t>(value).value_or(0);
    return to.rate ? "" : "frames per second, such as 16000";
  }
  to.clip = value == "clip";
  return to.clip ? "" : "clip (without it, such values are refused)";
}

std::string_view setModifier(Modifiers &to, std::string_view key,
                             std::string_view value, Media use) {
  if (key == "layout") {
    to.layout = value;
    return to.layout.empty() ? "letters such as nchw" : "";
  }
  if (key == "type") {
    to.type = ops::parseDataType(value);
    bool isNumber = to.type && *to.type != DataType::Bool;
    return isNumber ? "" : "a number type such as f32 or u8";
  }
  if (key == "channels") {
    to.channels = value;
    return to.channels.empty() ? "a word such as rgb" : "";
  }
  for (std::string_view known : {"range", "mean", "std", "frames"}) {
    if (key == known) {
      return setNumbers(to, key, value);
    }
  }
  if (use == Media::Input) {
    return "one of layout, type, channels, range, mean, std, frames as key";
  }
  return key == "rate" || key == "outside"
             ? setForOutput(to, key, value)
             : "one of layout, type, channels, range, mean, std, frames, rate, "
               "outside as key";
}

} // namespace

Result<Modifiers> parseModifiers(std::string_view text, Media use) {
  Modifiers modifiers;
  while (!text.empty()) { // starts with ':'
    size_t end = std::min(text.find(':', 1), text.size());
    std::string_view one = text.substr(1, end - 1);
    size_t equals = std::min(one.find('='), one.size());
    std::string_view value =
        equals < one.size() ? one.substr(equals + 1) : std::string_view();
    std::string_view expected =
        setModifier(modifiers, one.substr(0, equals), value, use);
    if (!expected.empty()) {
      return invalid(fmt::format("modifier '{}': expected {}", one, expected));
    }
    text.remove_prefix(end);
  }
  return modifiers;
}

Result<Range> rangeOf(const Modifiers &modifiers, const Samples &samples,
                      DataType tensorType) {
  if (modifiers.range) {
    return *modifiers.range;
  }
  if (ops::isFloat(tensorType)) {
    return isPicture(samples) ? Range{0, 1} : Range{-1, 1};
  }
  if (samples.high == 1) {
    return invalid(fmt::format("a sound of floats as {} needs range=LOW..HIGH",
                               ops::name(tensorType)));
  }
  return Range{samples.low, samples.high};
}

Status checkPerChannel(const Modifiers &modifiers, int64_t channels) {
  for (auto [key, list] :
       {std::pair("mean", &modifiers.mean), std::pair("std", &modifiers.std)}) {
    if (list->size() != 1 && list->size() != static_cast<size_t>(channels)) {
      return invalid(fmt::format("{} has {} numbers, the file {} channels", key,
                                 list->size(), channels));
    }
  }
  return Status::ok();
}

Status checkLayout(std::string_view layout, std::string_view needed) {
  const std::string letters = "nc" + std::string(needed);
  bool fits = layout.find_first_not_of(letters) == std::string_view::npos;
  for (char letter : letters) {
    const auto count = std::ranges::count(layout, letter);
    const bool must = needed.find(letter) != std::string_view::npos;
    fits = fits && count <= 1 && (count == 1 || !must);
  }
  return fits ? Status::ok()
              : invalid(fmt::format("layout={}: expected each of '{}' once, "
                                    "and at most one n and c",
                                    layout, needed));
}

Status cutFrames(Samples &sound, const Frames &frames) {
  if (isPicture(sound)) {
    return invalid("frames is for sound");
  }
  const int64_t length = sound.extents[0];
  if (frames.first < 0 || frames.count < 1 || frames.first > length ||
      frames.count > length - frames.first) {
    return invalid(fmt::format("frames={}+{}: the sound has {} frames",
                               frames.first, frames.count, length));
  }
  auto begin = sound.values.begin() + frames.first * sound.channels;
  sound.values.assign(begin, begin + frames.count * sound.channels);
  sound.extents[0] = frames.count;
  return Status::ok();
}

Result<Colours> coloursNamed(std::string_view word) {
  constexpr Colours kColours[] = {
      {"grey", "y"}, {"rgb", "rgb"}, {"bgr", "bgr"}, {"rgba", "rgba"}};
  const auto *colours = std::ranges::find(kColours, word, &Colours::word);
  if (colours == std::end(kColours)) {
    return invalid(fmt::format("channels={}: expected grey, rgb, bgr or rgba "
                               "of a picture",
                               word));
  }
  return *colours;
}

} // namespace kiln::tools
