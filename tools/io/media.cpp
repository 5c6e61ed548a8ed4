// SPDX-License-Identifier: Apache-2.0
#include "tools/io/media.h"

#include "tools/io/file.h"
#include "tools/io/media_modifiers.h"
#include "tools/io/png.h"
#include "tools/io/wav.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

using ops::DataType;

constexpr std::string_view kPicture = ".png", kSound = ".wav";

Status invalid(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

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
  KILN_ASSIGN_OR_RETURN(Colours colours, coloursNamed(word));
  std::vector<double> values;
  for (size_t at = 0; at < picture.values.size(); at += has) {
    const double *from = &picture.values[at];
    const double red = from[0], green = from[isGrey ? 0 : 1],
                 blue = from[isGrey ? 0 : 2];
    for (char letter : colours.letters) {
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
  picture.channels = static_cast<int64_t>(colours.letters.size());
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
  KILN_ASSIGN_OR_RETURN(Range range,
                        rangeOf(m, samples, m.type.value_or(DataType::F32)));
  KILN_RETURN_IF_ERROR(checkPerChannel(m, samples.channels));
  const double full = samples.high - samples.low;
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
  KILN_RETURN_IF_ERROR(checkLayout(layout, needed));
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
  const DataType type = m.type.value_or(DataType::F32);
  ops::Tensor tensor(type, shape);
  std::vector<int64_t> index(axes.size());
  int64_t from = 0;
  for (double &to : tensor.values) {
    std::optional<double> value = stored(type, samples.values[from]);
    if (!value) {
      return invalid(fmt::format("{} does not fit {}; give range= or another "
                                 "type=",
                                 samples.values[from], ops::name(type)));
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
  KILN_ASSIGN_OR_RETURN(Modifiers modifiers,
                        parseModifiers(text.substr(end), Media::Input));
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
