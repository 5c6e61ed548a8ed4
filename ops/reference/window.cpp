// SPDX-License-Identifier: Apache-2.0
#include "ops/reference/window.h"

#include <algorithm>

namespace kiln::ops {
namespace {

Status fill(Shape &values, size_t size, int64_t missing, const char *what) {
  if (values.empty()) {
    values.assign(size, missing);
  }
  if (values.size() != size) {
    return {StatusCode::kInvalidArgument,
            std::string(what) + " has " + std::to_string(values.size()) +
                " values, the spatial rank needs " + std::to_string(size)};
  }
  return Status::ok();
}

Status checkAtLeast(const Shape &values, int64_t least, const char *what) {
  for (int64_t v : values) {
    if (v < least) {
      return {StatusCode::kInvalidArgument,
              std::string(what) + " " + std::to_string(v) +
                  " is below the least value " + std::to_string(least)};
    }
  }
  return Status::ok();
}

int64_t spanOf(const Window &w, size_t d) {
  return (w.kernel[d] - 1) * w.dilations[d] + 1;
}

void padSame(Window &w, const Shape &spatial) {
  size_t rank = spatial.size();
  for (size_t d = 0; d < rank; ++d) {
    int64_t out = (spatial[d] + w.strides[d] - 1) / w.strides[d];
    int64_t total = std::max<int64_t>(0, (out - 1) * w.strides[d] +
                                             spanOf(w, d) - spatial[d]);
    int64_t small = total / 2;
    bool upper = w.autoPad == AutoPad::SameUpper;
    w.pads[d] = upper ? small : total - small;
    w.pads[rank + d] = total - w.pads[d];
  }
}

} // namespace

Status resolve(Window &w, const Shape &spatial) {
  size_t rank = spatial.size();
  KILN_RETURN_IF_ERROR(fill(w.kernel, rank, 0, "kernel_shape"));
  KILN_RETURN_IF_ERROR(fill(w.strides, rank, 1, "strides"));
  KILN_RETURN_IF_ERROR(fill(w.dilations, rank, 1, "dilations"));
  KILN_RETURN_IF_ERROR(fill(w.pads, 2 * rank, 0, "pads"));
  KILN_RETURN_IF_ERROR(checkAtLeast(w.kernel, 1, "kernel_shape"));
  KILN_RETURN_IF_ERROR(checkAtLeast(w.strides, 1, "strides"));
  KILN_RETURN_IF_ERROR(checkAtLeast(w.dilations, 1, "dilations"));
  KILN_RETURN_IF_ERROR(checkAtLeast(w.pads, 0, "pads"));
  if (w.autoPad == AutoPad::SameUpper || w.autoPad == AutoPad::SameLower) {
    padSame(w, spatial);
  } else if (w.autoPad == AutoPad::Valid) {
    std::fill(w.pads.begin(), w.pads.end(), 0);
  }
  w.autoPad = AutoPad::NotSet;
  for (size_t d = 0; d < rank; ++d) {
    int64_t padded = spatial[d] + w.pads[d] + w.pads[rank + d];
    if (padded < spanOf(w, d)) {
      return {StatusCode::kInvalidArgument,
              "window of " + std::to_string(spanOf(w, d)) +
                  " does not fit the padded extent " + std::to_string(padded) +
                  " of spatial dimension " + std::to_string(d)};
    }
  }
  return Status::ok();
}

Shape outputShape(const Window &w, const Shape &spatial) {
  size_t rank = spatial.size();
  Shape out(rank);
  for (size_t d = 0; d < rank; ++d) {
    int64_t room = spatial[d] + w.pads[d] + w.pads[rank + d] - spanOf(w, d);
    out[d] = room / w.strides[d] + 1;
    if (w.ceilMode) {
      out[d] = (room + w.strides[d] - 1) / w.strides[d] + 1;
      if ((out[d] - 1) * w.strides[d] >= spatial[d] + w.pads[d]) {
        --out[d];
      }
    }
  }
  return out;
}

} // namespace kiln::ops
