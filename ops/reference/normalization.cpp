// SPDX-License-Identifier: Apache-2.0
#include "ops/reference/normalization.h"

#include <algorithm>
#include <cmath>

namespace kiln::ops {
namespace {

/// Softmax of `count` elements `stride` apart.
void softmaxLine(double *x, int64_t count, int64_t stride) {
  double largest = -std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < count; ++i) {
    largest = std::max(largest, x[i * stride]);
  }
  double total = 0;
  for (int64_t i = 0; i < count; ++i) {
    x[i * stride] = std::exp(x[i * stride] - largest);
    total += x[i * stride];
  }
  for (int64_t i = 0; i < count; ++i) {
    x[i * stride] /= total;
  }
}

Result<int64_t> normalizeAxis(const Tensor &x, int64_t axis) {
  int64_t rank = x.rank();
  if (!isFloat(x.type) || axis < -rank || axis >= std::max<int64_t>(rank, 1)) {
    return Status(StatusCode::kInvalidArgument,
                  "Softmax: axis " + std::to_string(axis) + " of input " +
                      toString(x.shape) + " " + std::string(name(x.type)));
  }
  return axis < 0 ? axis + rank : axis;
}

} // namespace

Result<Tensor> batchNorm(const Tensor &x, const BatchNormInputs &inputs,
                         double epsilon) {
  int64_t channels = x.rank() >= 2 ? x.shape[1] : -1;
  for (const Tensor *t :
       {&inputs.scale, &inputs.bias, &inputs.mean, &inputs.variance}) {
    if (!isFloat(x.type) || t->rank() != 1 || t->shape[0] != channels) {
      return Status(StatusCode::kInvalidArgument,
                    "BatchNormalization: input " + toString(x.shape) +
                        " needs statistics of " + std::to_string(channels) +
                        " values, found " + toString(t->shape));
    }
  }
  Tensor y = x;
  int64_t imageSize = 1;
  for (size_t d = 2; d < x.shape.size(); ++d) {
    imageSize *= x.shape[d];
  }
  for (int64_t i = 0; i < y.count(); ++i) {
    int64_t c = i / imageSize % channels;
    double deviation = std::sqrt(inputs.variance.values[c] + epsilon);
    y.values[i] = inputs.scale.values[c] *
                      (x.values[i] - inputs.mean.values[c]) / deviation +
                  inputs.bias.values[c];
  }
  roundTo(y);
  return y;
}

Result<Tensor> softmax(const Tensor &x, int64_t axis) {
  KILN_ASSIGN_OR_RETURN(int64_t at, normalizeAxis(x, axis));
  Tensor y = x;
  int64_t length = x.rank() == 0 ? 1 : x.shape[at], inner = 1;
  for (int64_t d = at + 1; d < x.rank(); ++d) {
    inner *= x.shape[d];
  }
  for (int64_t line = 0; line * length < y.count(); ++line) {
    int64_t start = line / inner * inner * length + line % inner;
    softmaxLine(y.values.data() + start, length, inner);
  }
  roundTo(y);
  return y;
}

Result<Tensor> softmaxFlattened(const Tensor &x, int64_t axis) {
  KILN_ASSIGN_OR_RETURN(int64_t at, normalizeAxis(x, axis));
  int64_t columns = 1;
  for (int64_t d = at; d < x.rank(); ++d) {
    columns *= x.shape[d];
  }
  Tensor y = x;
  for (int64_t start = 0; start < y.count(); start += columns) {
    softmaxLine(y.values.data() + start, columns, 1);
  }
  roundTo(y);
  return y;
}

} // namespace kiln::ops
