// SPDX-License-Identifier: Apache-2.0
//
// What follows the name of a picture or sound: "cat.png:layout=nhwc:type=u8".
// media.h says what each modifier means.
//
//   Result<Modifiers> m = parseModifiers(":mean=0.5:type=u8", Media::Input);
//
// Errors: kInvalidArgument, which names the modifier and what is allowed.
#pragma once

#include "isa/support/status.h"
#include "ops/reference/data_type.h"
#include "tools/io/samples.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::tools {

struct Range {
  double low = 0, high = 1;
};
struct Frames {
  int64_t first = 0, count = 0;
};
struct Modifiers {
  std::string layout;                // empty: the default
  std::optional<ops::DataType> type; // of the tensor; of an output's file
  std::string channels;              // empty: the default
  std::optional<Range> range;
  std::vector<double> mean = {0}, std = {1};
  std::optional<Frames> frames;
  uint32_t rate = 16000; // outputs: frames per second
  bool clip = false;     // outputs: the nearest instead of a refusal
};

enum class Media { Input, Output };

/// `text` is empty or starts with ':'.
Result<Modifiers> parseModifiers(std::string_view text, Media use);

/// What the numbers of the file's full scale are in the tensor.
Result<Range> rangeOf(const Modifiers &modifiers, const Samples &samples,
                      ops::DataType tensorType);
/// mean and std have one number, or one per channel.
Status checkPerChannel(const Modifiers &modifiers, int64_t channels);
/// Each letter of `needed` once, and at most one n and c.
Status checkLayout(std::string_view layout, std::string_view needed);
/// Keeps `frames` of a sound.
Status cutFrames(Samples &sound, const Frames &frames);

/// What a picture's channels may be; `letters` is red, green, blue, alpha or y
/// for grey.
struct Colours {
  std::string_view word, letters;
};
Result<Colours> coloursNamed(std::string_view word);

inline bool isPicture(const Samples &samples) {
  return samples.extents.size() == 2;
}

} // namespace kiln::tools
