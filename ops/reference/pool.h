// SPDX-License-Identifier: Apache-2.0
//
// Pooling (ONNX MaxPool, AveragePool, GlobalAveragePool): any spatial rank,
// strides, pads, dilations, ceil_mode.
//
//   Result<Tensor> y = averagePool(x, {.kernel = {3, 3}}, countPad);
#pragma once

#include "ops/reference/window.h"

namespace kiln::ops {

struct MaxPoolResult {
  Tensor values;
  /// Flat position in x of each maximum (first one in row-major order).
  Tensor indices; // I64
};

/// Padding never wins. `columnMajor` (storage_order = 1) changes only how the
/// indices count the last two dimensions.
Result<MaxPoolResult> maxPool(const Tensor &x, Window window,
                              bool columnMajor = false);

/// Mean of the elements under the window. `countPad` (count_include_pad)
/// counts padding as zeros, but never what lies beyond the end padding.
Result<Tensor> averagePool(const Tensor &x, Window window, bool countPad);

/// Mean over all spatial positions; [N,C,1,...,1].
Result<Tensor> globalAveragePool(const Tensor &x);

} // namespace kiln::ops
