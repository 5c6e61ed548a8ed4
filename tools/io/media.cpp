// SPDX-License-Identifier: Apache-2.0
#include "tools/io/media.h"

#include "tools/io/file.h"
#include "tools/io/png.h"
#include "tools/io/wav.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

using ops::DataType;

constexpr std::string_view kPicture = ".png", kSound = ".wav";

struct Range {
  double low = 0, high = 1;
};
struct Frames {
  int64_t first = 0, count = 0;
};
struct Modifiers {
  std::string layout; // empty: the default, as below
  DataType type = DataType::F32;
  std::string channels; // as layout
  std::optional<Range> range;
  std::vector<double> mean = {0}, std = {1};
  std::optional<Frames> frames;
};

Status invalid(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

bool isPicture(const Samples &samples) { return samples.extents.size() == 2; }

//===- modifiers ----------------------------------------------------------===//

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
std::string_view setModifier(Modifiers &to, std::string_view key,
                             std::string_view value) {
  if (key == "layout") {
    to.layout = value;
    return to.layout.empty() ? "letters such as nchw" : "";
  }
  if (key == "type") {
    std::optional<DataType> type = ops::parseDataType(value);
    to.type = type.value_or(DataType::Bool);
    return to.type == DataType::Bool ? "a number type such as f32 or u8" : "";
  }
  if (key == "channels") {
    to.channels = value;
    return to.channels.empty() ? "a word such as rgb" : "";
  }
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
  const bool isMean = key == "mean", isStd = key == "std";
  if (!isMean && !isStd) {
    return "one of layout, type, channels, range, mean, std, frames as key";
  }
  (isMean ? to.mean : to.std) = listOf(value);
  if (isMean) {
    return to.mean.empty() ? "numbers with ',' between" : "";
  }
  bool divides =
      !to.std.empty() && std::ranges::find(to.std, 0.0) == to.std.end();
  return divides ? "" : "numbers other than 0 with ',' between";
}

Result<Modifiers> parseModifiers(std::string_view text) {
  Modifiers modifiers;
  while (!text.empty()) { // starts with ':'
    size_t end = std::min(text.find(':', 1), text.size());
    std::string_view one = text.substr(1, end - 1);
    size_t equals = std::min(one.find('='), one.size());
    std::string_view value =
        equals < one.size() ? one.substr(equals + 1) : std::string_view();
    std::string_view expected =
        setModifier(modifiers, one.substr(0, equals), value);
    if (!expected.empty()) {
      return invalid(fmt::format("modifier '{}': expected {}", one, expected));
    }
    text.remove_prefix(end);
  }
  return modifiers;
}

//===- samples to tensor --------------------------------------------------===//

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

/// What a picture's channels may become; `letters` is red, green, blue, alpha
/// or y for grey.
struct Colours {
  std::string_view word, letters;
};
constexpr Colours kColours[] = {
    {"grey", "y"}, {"rgb", "rgb"}, {"bgr", "bgr"}, {"rgba", "rgba"}};

/// ITU-R BT.601, in the numbers of the file.
double greyOf(double red, double green, double blue) {
  return std::round((299 * red + 587 * green + 114 * blue) / 1000);
}

Status changeColours(Samples &picture, std::string_view word) {
  const int64_t has = picture.channels;
  const bool isGrey = has < 3;
  if (word.empty()) {
    word = isGrey ? "grey" : "rgb";
  }
  const auto *colours = std::ranges::find(kColours, word, &Colours::word);
  if (colours == std::end(kColours)) {
    return invalid(fmt::format("channels={}: expected grey, rgb, bgr or rgba "
                               "of a picture",
                               word));
  }
  std::vector<double> values;
  for (size_t at = 0; at < picture.values.size(); at += has) {
    const double *from = &picture.values[at];
    const double red = from[0], green = from[isGrey ? 0 : 1],
                 blue = from[isGrey ? 0 : 2];
    for (char letter : colours->letters) {
      values.push_back(letter == 'r'   ? red
                       : letter == 'g' ? green
                       : letter == 'b' ? blue
                       : letter == 'y'
                           ? (isGrey ? red : greyOf(red, green, blue))
                       : has % 2 == 0 ? from[has - 1]
                                      : picture.high);
    }
  }
  picture.values = std::move(values);
  picture.channels = static_cast<int64_t>(colours->letters.size());
  return Status::ok();
}

/// The mean of all channels.
void mixToMono(Samples &sound) {
  const int64_t has = sound.channels;
  std::vector<double> values;
  for (size_t at = 0; at < sound.values.size(); at += has) {
    double sum = 0;
    for (int64_t c = 0; c < has; ++c) {
      sum += sound.values[at + c];
    }
    values.push_back(sum / static_cast<double>(has));
  }
  sound.values = std::move(values);
  sound.channels = 1;
}

Status changeChannels(Samples &samples, const std::string &word) {
  if (isPicture(samples)) {
    return changeColours(samples, word);
  }
  if (word == "mono") {
    mixToMono(samples);
  } else if (!word.empty()) {
    return invalid(fmt::format("channels={}: expected mono of a sound", word));
  }
  return Status::ok();
}

/// range, mean and std.
Status scale(Samples &samples, const Modifiers &m) {
  Range range = {samples.low, samples.high};
  if (m.range) {
    range = *m.range;
  } else if (ops::isFloat(m.type)) {
    range = isPicture(samples) ? Range{0, 1} : Range{-1, 1};
  } else if (samples.high == 1) {
    return invalid(fmt::format("a sound of floats as {} needs range=LOW..HIGH",
                               ops::name(m.type)));
  }
  const double full = samples.high - samples.low;
  for (auto [key, list] :
       {std::pair("mean", &m.mean), std::pair("std", &m.std)}) {
    if (list->size() != 1 &&
        list->size() != static_cast<size_t>(samples.channels)) {
      return invalid(fmt::format("{} has {} numbers, the file {} channels", key,
                                 list->size(), samples.channels));
    }
  }
  const bool asStored = range.low == samples.low && range.high == samples.high;
  for (size_t i = 0; i < samples.values.size(); ++i) {
    const size_t c = i % static_cast<size_t>(samples.channels);
    double &x = samples.values[i];
    x = asStored
            ? x
            : range.low + (x - samples.low) * (range.high - range.low) / full;
    x = (x - m.mean[c % m.mean.size()]) / m.std[c % m.std.size()];
  }
  return Status::ok();
}

/// Step in `values` of every letter of the layout, and its extent.
struct Axis {
  int64_t extent = 1, step = 0;
};

Result<std::vector<Axis>> axesOf(const Samples &s, std::string layout) {
  const bool picture = isPicture(s);
  if (layout.empty()) {
    layout = picture ? "nchw" : s.channels > 1 ? "nct" : "nt";
  }
  std::string needed = picture ? "hw" : "t";
  needed += s.channels > 1 ? "c" : "";
  bool fits = layout.find_first_not_of("nc" + needed) == std::string::npos;
  for (char letter : std::string("nc") + needed) {
    auto count = std::ranges::count(layout, letter);
    bool must = needed.find(letter) != std::string::npos;
    fits = fits && count <= 1 && (count == 1 || !must);
  }
  if (!fits) {
    return invalid(fmt::format("layout={}: expected each of '{}' once, and at "
                               "most one n and c",
                               layout, needed));
  }
  std::vector<Axis> axes;
  for (char letter : layout) {
    const int64_t c = s.channels;
    axes.push_back(letter == 'n'   ? Axis{1, 0}
                   : letter == 'c' ? Axis{c, 1}
                   : letter == 'h' ? Axis{s.extents[0], s.extents[1] * c}
                                   : Axis{s.extents.back(), c});
  }
  return axes;
}

/// The value in the type; nothing when an integer cannot hold it.
std::optional<double> stored(DataType type, double x) {
  if (ops::isFloat(type)) {
    return ops::roundTo(type, x);
  }
  const double whole = std::nearbyint(x);
  return ops::roundTo(type, whole) == whole ? std::optional(whole)
                                            : std::nullopt;
}

Result<HostTensor> arrange(const Samples &samples, const Modifiers &m) {
  KILN_ASSIGN_OR_RETURN(std::vector<Axis> axes, axesOf(samples, m.layout));
  ops::Shape shape;
  for (const Axis &axis : axes) {
    shape.push_back(axis.extent);
  }
  ops::Tensor tensor(m.type, shape);
  std::vector<int64_t> index(axes.size());
  int64_t from = 0;
  for (double &to : tensor.values) {
    std::optional<double> value = stored(m.type, samples.values[from]);
    if (!value) {
      return invalid(fmt::format("{} does not fit {}; give range= or another "
                                 "type=",
                                 samples.values[from], ops::name(m.type)));
    }
    to = *value;
    for (size_t d = axes.size(); d-- > 0;) { // the next index
      from += axes[d].step;
      if (++index[d] < axes[d].extent) {
        break;
      }
      from -= axes[d].step * axes[d].extent;
      index[d] = 0;
    }
  }
  return fromReference(tensor, "");
}

} // namespace

size_t modifiersAt(std::string_view text) {
  for (std::string_view extension : {kPicture, kSound}) {
    size_t at = text.rfind(std::string(extension) + ":");
    if (at != std::string_view::npos) {
      return at + extension.size();
    }
  }
  return text.size();
}

bool isMedia(std::string_view text) {
  std::string_view file = text.substr(0, modifiersAt(text));
  return file.ends_with(kPicture) || file.ends_with(kSound);
}

Result<HostTensor> loadMedia(std::string_view text) {
  const size_t end = modifiersAt(text);
  const std::string_view file = text.substr(0, end);
  KILN_ASSIGN_OR_RETURN(Modifiers modifiers, parseModifiers(text.substr(end)));
  KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, readFile(file));
  KILN_ASSIGN_OR_RETURN(Samples samples, file.ends_with(kPicture)
                                             ? parsePng(bytes)
                                             : parseWav(bytes));
  if (modifiers.frames) {
    KILN_RETURN_IF_ERROR(cutFrames(samples, *modifiers.frames));
  }
  KILN_RETURN_IF_ERROR(changeChannels(samples, modifiers.channels));
  KILN_RETURN_IF_ERROR(scale(samples, modifiers));
  return arrange(samples, modifiers);
}

} // namespace kiln::tools
