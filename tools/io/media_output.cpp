// SPDX-License-Identifier: Apache-2.0
//
// Tensor to picture or sound: media.cpp the other way round.
#include "tools/io/media.h"

#include "tools/io/media_modifiers.h"
#include "tools/io/png.h"
#include "tools/io/wav.h"

#include <algorithm>
#include <cmath>
#include <span>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

using ops::DataType;

Status invalid(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

constexpr DataType kPictureTypes[] = {DataType::U8, DataType::U16};
constexpr DataType kSoundTypes[] = {DataType::I16, DataType::U8, DataType::I32,
                                    DataType::F32, DataType::F64};

/// The type of the file's numbers: as asked, else the tensor's own when it is
/// an integer type that the file has, else the first of the list.
Result<DataType> fileType(const Modifiers &m, DataType tensorType,
                          bool picture) {
  std::span<const DataType> types =
      picture ? std::span<const DataType>(kPictureTypes) : kSoundTypes;
  const DataType wanted = m.type.value_or(tensorType);
  const bool known = std::ranges::find(types, wanted) != types.end();
  if (!m.type) {
    return known && !ops::isFloat(wanted) ? wanted : types.front();
  }
  if (known) {
    return wanted;
  }
  return invalid(fmt::format("type={}: expected {}", ops::name(wanted),
                             picture ? "u8 or u16 of a picture"
                                     : "i16, u8, i32, f32 or f64 of a sound"));
}

/// Every sample at its place, none filled in yet: extents, channels and full
/// scale; and where the tensor has them.
struct Plan {
  Samples samples;
  int64_t row = 0, column = 0, channel = 0; // steps in the tensor
};

std::string defaultLayout(size_t rank, bool picture) {
  if (picture) {
    return rank == 2 ? "hw" : rank == 3 ? "chw" : rank == 4 ? "nchw" : "";
  }
  return rank == 1 ? "t" : rank == 2 ? "nt" : rank == 3 ? "nct" : "";
}

/// Letters that fit a file and the tensor's rank, or the reason why not.
Result<std::string> layoutOf(const Modifiers &m, size_t rank, bool picture) {
  const std::string layout =
      m.layout.empty() ? defaultLayout(rank, picture) : m.layout;
  if (layout.empty()) {
    return invalid(fmt::format(
        "the tensor has {} dimensions, a {}; name them by layout=, or write "
        ".npy",
        rank,
        picture ? "picture 2 to 4 (hw, chw, nchw)"
                : "sound 1 to 3 (t, nt, nct)"));
  }
  KILN_RETURN_IF_ERROR(checkLayout(layout, picture ? "hw" : "t"));
  if (layout.size() != rank) {
    return invalid(fmt::format("layout={} names {} dimensions, the tensor has "
                               "{}",
                               layout, layout.size(), rank));
  }
  return layout;
}

Result<Plan> planOf(const ops::Shape &shape, const std::string &layout) {
  const std::vector<int64_t> strides = ops::stridesOf(shape);
  Plan plan;
  int64_t height = 1, width = 1;
  bool picture = false;
  for (size_t d = 0; d < layout.size(); ++d) {
    const int64_t extent = shape[d];
    switch (layout[d]) {
    case 'n':
      if (extent != 1) {
        return invalid(fmt::format("as {} the tensor has n = {}, a file holds "
                                   "one; give another layout=, or write .npy",
                                   layout, extent));
      }
      break;
    case 'c':
      plan.samples.channels = extent;
      plan.channel = strides[d];
      break;
    case 'h':
      picture = true;
      height = extent;
      plan.row = strides[d];
      break;
    default: // w, t
      width = extent;
      plan.column = strides[d];
    }
  }
  if (picture && (height == 0 || width == 0)) {
    return invalid(fmt::format("{}x{} pixels are no picture", height, width));
  }
  plan.samples.extents =
      picture ? ops::Shape{height, width} : ops::Shape{width};
  return plan;
}

Status checkChannels(const Plan &plan, const std::string &layout,
                     const std::string &word) {
  const int64_t has = plan.samples.channels;
  std::string expected; // empty: they fit
  if (isPicture(plan.samples) && !word.empty()) {
    KILN_ASSIGN_OR_RETURN(Colours colours, coloursNamed(word));
    const size_t needed = colours.letters.size();
    if (has != static_cast<int64_t>(needed)) {
      expected = fmt::format("channels={} of a picture means {}", word, needed);
    }
  } else if (isPicture(plan.samples)) {
    expected = has == 1 || has == 3 || has == 4
                   ? ""
                   : "a picture has 1, 3 or 4 (grey, rgb, rgba)";
  } else if (!word.empty() && word != "mono") {
    return invalid("channels=" + word + ": expected mono of a sound");
  } else {
    const int64_t most = word.empty() ? kMostWavChannels : 1;
    expected = has >= 1 && has <= most
                   ? ""
                   : fmt::format("a sound has 1 to {} here", most);
  }
  return expected.empty()
             ? Status::ok()
             : invalid(fmt::format("as {} the tensor has {} channels, but {}; "
                                   "give another layout=, or write .npy",
                                   layout, has, expected));
}

/// Full scale of a file of this type, as the readers have it.
void setFullScale(Samples &samples, DataType type) {
  const int bits = 8 * static_cast<int>(ops::sizeOf(type));
  if (isPicture(samples)) {
    samples.high = std::ldexp(1, bits) - 1;
  } else if (ops::isFloat(type)) {
    samples.low = -1;
  } else {
    samples.high = type == DataType::U8 ? 256 : std::ldexp(1, bits - 1);
    samples.low = samples.high - std::ldexp(1, bits);
  }
}

/// Copies the tensor's elements to where the file has them.
void gather(Plan &plan, const ops::Tensor &tensor, bool reversed) {
  Samples &s = plan.samples;
  const bool picture = isPicture(s);
  const int64_t height = picture ? s.extents[0] : 1, width = s.extents.back();
  s.values.reserve(tensor.values.size());
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const int64_t place = y * plan.row + x * plan.column;
      for (int64_t c = 0; c < s.channels; ++c) {
        const int64_t from = reversed ? s.channels - 1 - c : c;
        s.values.push_back(tensor.values[place + from * plan.channel]);
      }
    }
  }
}

/// Turns the tensor's numbers into those of the file.
class Scaler {
public:
  Scaler(const Modifiers &m, Range range, DataType tensorType, DataType type)
      : m_(m), range_(range), exact_(!ops::isFloat(tensorType)), type_(type) {}

  Status operator()(Samples &samples) {
    const double full = samples.high - samples.low;
    const bool asStored =
        range_.low == samples.low && range_.high == samples.high;
    if (range_.low == range_.high) {
      return invalid(fmt::format("range={}..{}: both ends are equal",
                                 range_.low, range_.high));
    }
    const bool reversed = m_.channels == "bgr";
    const auto channels = static_cast<size_t>(samples.channels);
    for (size_t i = 0; i < samples.values.size(); ++i) {
      // mean and std are in the tensor's order of channels.
      const size_t c = reversed ? channels - 1 - i % channels : i % channels;
      double &x = samples.values[i];
      const double found = x;
      x = x * m_.std[c % m_.std.size()] + m_.mean[c % m_.mean.size()];
      x = asStored ? x
                   : samples.low +
                         (x - range_.low) * full / (range_.high - range_.low);
      x = stored(x, found, samples);
    }
    return verdict(samples.values.size());
  }

private:
  /// The number that the file holds for x; counts what it cannot hold.
  double stored(double x, double found, const Samples &samples) {
    if (!std::isfinite(x)) {
      return refused(found, 0);
    }
    if (ops::isFloat(type_)) {
      const double value = ops::roundTo(type_, x);
      return std::isfinite(value) ? value : refused(found, 0);
    }
    const double whole = std::nearbyint(x);
    const double lowest = samples.low;
    // A sound's upper full scale is one above its largest number.
    const double highest = samples.high - (isPicture(samples) ? 0 : 1);
    const double near = std::clamp(whole, lowest, highest);
    const bool fits = near == whole || (!exact_ && whole == samples.high);
    return fits || m_.clip ? near : refused(found, near);
  }

  double refused(double found, double near) {
    first_ = refused_++ == 0 ? found : first_;
    return near;
  }

  Status verdict(size_t count) const {
    if (refused_ == 0) {
      return Status::ok();
    }
    const bool number = std::isfinite(first_);
    return invalid(fmt::format(
        "{} of {} values do not fit {} with {}..{} as full scale, the first is "
        "{}{}",
        refused_, count, ops::name(type_), range_.low, range_.high, first_,
        number ? "; give range=, or outside=clip for the nearest"
               : ", which is no number to show; write .npy"));
  }

  const Modifiers &m_;
  Range range_;
  bool exact_; // integers: no number stands for another
  DataType type_;
  size_t refused_ = 0;
  double first_ = 0;
};

/// The samples of the file, and their type.
Result<Samples> samplesOf(const HostTensor &tensor, const Modifiers &m,
                          bool picture, DataType type) {
  KILN_ASSIGN_OR_RETURN(std::string layout,
                        layoutOf(m, tensor.shape.size(), picture));
  KILN_ASSIGN_OR_RETURN(Plan plan, planOf(tensor.shape, layout));
  KILN_RETURN_IF_ERROR(checkChannels(plan, layout, m.channels));
  KILN_RETURN_IF_ERROR(checkPerChannel(m, plan.samples.channels));
  setFullScale(plan.samples, type);
  KILN_ASSIGN_OR_RETURN(ops::Tensor values, toReference(tensor));
  KILN_ASSIGN_OR_RETURN(Range range, rangeOf(m, plan.samples, tensor.type));
  gather(plan, values, m.channels == "bgr");
  Scaler scale(m, range, tensor.type, type);
  KILN_RETURN_IF_ERROR(scale(plan.samples));
  if (m.frames) {
    KILN_RETURN_IF_ERROR(cutFrames(plan.samples, *m.frames));
  }
  return std::move(plan.samples);
}

} // namespace

Status checkMediaOutput(std::string_view text) {
  const size_t end = modifiersAt(text);
  const bool picture = text.substr(0, end).ends_with(".png");
  KILN_ASSIGN_OR_RETURN(Modifiers m,
                        parseModifiers(text.substr(end), Media::Output));
  return fileType(m, DataType::F32, picture).status();
}

Result<std::vector<uint8_t>> formatMedia(std::string_view text,
                                         const HostTensor &tensor) {
  const size_t end = modifiersAt(text);
  const bool picture = text.substr(0, end).ends_with(".png");
  KILN_ASSIGN_OR_RETURN(Modifiers m,
                        parseModifiers(text.substr(end), Media::Output));
  if (tensor.type == DataType::Bool) {
    return invalid("truth values are no samples; write .npy, or cast to u8 in "
                   "the model");
  }
  KILN_ASSIGN_OR_RETURN(DataType type, fileType(m, tensor.type, picture));
  KILN_ASSIGN_OR_RETURN(Samples samples, samplesOf(tensor, m, picture, type));
  return picture ? formatPng(samples) : formatWav(samples, {type, m.rate});
}

} // namespace kiln::tools
