// SPDX-License-Identifier: Apache-2.0
//
// Normalisations: BatchNormalization in inference mode, Softmax.
#pragma once

#include "ops/reference/tensor.h"

namespace kiln::ops {

struct BatchNormInputs {
  const Tensor &scale;
  const Tensor &bias;
  const Tensor &mean;
  const Tensor &variance;
};

/// scale * (x - mean) / sqrt(variance + epsilon) + bias, one value of each
/// per channel (dimension 1).
Result<Tensor> batchNorm(const Tensor &x, const BatchNormInputs &inputs,
                         double epsilon);

/// exp(x - max) / sum(exp(x - max)) along `axis` (negative counts from the
/// end).
Result<Tensor> softmax(const Tensor &x, int64_t axis);

/// The form of opset 1 to 12: x is seen as a matrix whose rows are the
/// dimensions before `axis`.
Result<Tensor> softmaxFlattened(const Tensor &x, int64_t axis);

} // namespace kiln::ops
