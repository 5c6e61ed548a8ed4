// SPDX-License-Identifier: Apache-2.0
//
// Convolution (ONNX Conv, opset 1 to 21): any spatial rank, strides, pads,
// dilations, groups (groups = channels is depthwise), optional bias.
//
//   y[n,m,o] = bias[m] + sum over c, k of x[n, g*C/G + c, o*s - p + k*d]
//                                         * w[m, c, k]      g = m / (M/G)
//
// Sums in double, one rounding to the type of x.
#pragma once

#include "ops/reference/window.h"

namespace kiln::ops {

struct ConvAttributes {
  Window window; // kernel: taken from the weights when empty
  int64_t groups = 1;
};

/// x [N,C,spatial...], w [M,C/groups,kernel...], bias [M] or null.
Result<Tensor> conv(const Tensor &x, const Tensor &w, const Tensor *bias,
                    const ConvAttributes &attributes);

} // namespace kiln::ops
