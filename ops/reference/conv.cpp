// SPDX-License-Identifier: Apache-2.0
#include "ops/reference/conv.h"

namespace kiln::ops {
namespace {

Status invalid(std::string message) {
  return {StatusCode::kInvalidArgument, "Conv: " + std::move(message)};
}

Status check(const Tensor &x, const Tensor &w, const Tensor *bias,
             int64_t groups) {
  if (x.rank() < 3 || w.rank() != x.rank()) {
    return invalid("ranks of input " + toString(x.shape) + " and weights " +
                   toString(w.shape) + " must be equal and at least 3");
  }
  if (groups < 1 || w.shape[1] * groups != x.shape[1] ||
      w.shape[0] % groups != 0) {
    return invalid("input " + toString(x.shape) + ", weights " +
                   toString(w.shape) + " and group " + std::to_string(groups) +
                   " do not fit");
  }
  if (bias && (bias->rank() != 1 || bias->shape[0] != w.shape[0])) {
    return invalid("bias " + toString(bias->shape) + " must have " +
                   std::to_string(w.shape[0]) + " values");
  }
  return Status::ok();
}

/// The sum over one window of one channel.
struct WindowSum {
  const Window &window;
  Shape spatial;
  std::vector<int64_t> strides;

  double operator()(const double *x, const double *w,
                    const std::vector<int64_t> &out) const {
    double total = 0;
    std::vector<int64_t> k(spatial.size(), 0);
    do {
      int64_t offset = 0;
      bool inside = true;
      for (size_t d = 0; d < spatial.size(); ++d) {
        int64_t i = out[d] * window.strides[d] - window.pads[d] +
                    k[d] * window.dilations[d];
        inside = inside && i >= 0 && i < spatial[d];
        offset += i * strides[d];
      }
      total += inside ? x[offset] * *w : 0;
      ++w;
    } while (nextIndex(k, window.kernel));
    return total;
  }
};

} // namespace

Result<Tensor> conv(const Tensor &x, const Tensor &w, const Tensor *bias,
                    const ConvAttributes &attributes) {
  KILN_RETURN_IF_ERROR(check(x, w, bias, attributes.groups));
  Shape spatial(x.shape.begin() + 2, x.shape.end());
  Shape kernel(w.shape.begin() + 2, w.shape.end());
  Window window = attributes.window;
  if (window.kernel.empty()) {
    window.kernel = kernel;
  }
  if (window.kernel != kernel) {
    return invalid("kernel_shape " + toString(window.kernel) +
                   " differs from the weights " + toString(w.shape));
  }
  KILN_RETURN_IF_ERROR(resolve(window, spatial));
  Shape out = outputShape(window, spatial);

  int64_t batch = x.shape[0], channels = x.shape[1], filters = w.shape[0];
  int64_t perGroup = channels / attributes.groups;
  int64_t filtersPerGroup = filters / attributes.groups;
  int64_t imageSize = elementCount(spatial), taps = elementCount(kernel);
  Shape shape = {batch, filters};
  shape.insert(shape.end(), out.begin(), out.end());
  Tensor y(x.type, shape);
  WindowSum windowSum{window, spatial, stridesOf(spatial)};
  double *result = y.values.data();
  for (int64_t n = 0; n < batch; ++n) {
    for (int64_t m = 0; m < filters; ++m) {
      int64_t firstChannel = m / filtersPerGroup * perGroup;
      std::vector<int64_t> o(out.size(), 0);
      do {
        double total = bias ? bias->values[m] : 0;
        for (int64_t c = 0; c < perGroup; ++c) {
          const double *image =
              &x.values[(n * channels + firstChannel + c) * imageSize];
          total += windowSum(image, &w.values[(m * perGroup + c) * taps], o);
        }
        *result++ = total;
      } while (nextIndex(o, out));
    }
  }
  roundTo(y);
  return y;
}

} // namespace kiln::ops
