// SPDX-License-Identifier: Apache-2.0
//
// Sliding windows over the spatial dimensions: shared by convolution and
// pooling.
//
//   Window w{.kernel = {3, 3}};
//   KILN_RETURN_IF_ERROR(resolve(w, {224, 224}));   // fills defaults
//   Shape out = outputShape(w, {224, 224});
#pragma once

#include "ops/reference/tensor.h"

namespace kiln::ops {

enum class AutoPad : uint8_t { NotSet, SameUpper, SameLower, Valid };

/// Geometry in ONNX's terms: `pads` = all begins, then all ends. Empty vectors
/// mean the defaults (stride 1, dilation 1, pads 0).
struct Window {
  Shape kernel{};
  Shape strides{};
  Shape dilations{};
  Shape pads{};
  AutoPad autoPad = AutoPad::NotSet;
  bool ceilMode = false;
};

/// Fills the defaults and turns `autoPad` into pads; checks every length,
/// sign and that an output exists.
Status resolve(Window &window, const Shape &spatial);

/// Output extent per spatial dimension of a resolved window. With ceilMode a
/// window that would start in the end padding is left out (ONNX AveragePool
/// since opset 19, the rule of PyTorch).
Shape outputShape(const Window &window, const Shape &spatial);

} // namespace kiln::ops
