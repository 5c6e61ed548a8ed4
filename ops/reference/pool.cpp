// SPDX-License-Identifier: Apache-2.0
#include "ops/reference/pool.h"

#include <cmath>
#include <limits>

namespace kiln::ops {
namespace {

/// Walks every window of every channel. `begin(position)` starts an output
/// element, `take(inside, padded, offset)` sees each tap.
struct Walk {
  const Window &window;
  Shape spatial;
  Shape out;

  template <typename Take>
  void taps(const std::vector<int64_t> &position, Take take) const {
    std::vector<int64_t> strides = stridesOf(spatial);
    std::vector<int64_t> k(spatial.size(), 0);
    do {
      bool inside = true, padded = true;
      int64_t offset = 0;
      for (size_t d = 0; d < spatial.size(); ++d) {
        int64_t i = position[d] * window.strides[d] - window.pads[d] +
                    k[d] * window.dilations[d];
        inside = inside && i >= 0 && i < spatial[d];
        padded = padded && i < spatial[d] + window.pads[spatial.size() + d];
        offset += i * strides[d];
      }
      take(inside, padded, offset);
    } while (nextIndex(k, window.kernel));
  }
};

Result<Walk> prepare(const Tensor &x, Window &window, const char *op) {
  if (x.rank() < 3) {
    return Status(StatusCode::kInvalidArgument,
                  std::string(op) + ": input " + toString(x.shape) +
                      " needs a batch, a channel and a spatial dimension");
  }
  Shape spatial(x.shape.begin() + 2, x.shape.end());
  if (Status s = resolve(window, spatial); !s.isOk()) {
    return s.withContext(op);
  }
  return Walk{window, spatial, outputShape(window, spatial)};
}

Shape pooledShape(const Tensor &x, const Shape &out) {
  Shape shape = {x.shape[0], x.shape[1]};
  shape.insert(shape.end(), out.begin(), out.end());
  return shape;
}

/// Row-major offset in the spatial dimensions -> column-major in the last two.
int64_t toColumnMajor(int64_t offset, const Shape &spatial) {
  if (spatial.size() < 2) {
    return offset;
  }
  int64_t rows = spatial[spatial.size() - 2], columns = spatial.back();
  int64_t plane = offset / (rows * columns), within = offset % (rows * columns);
  return plane * rows * columns + within % columns * rows + within / columns;
}

} // namespace

Result<MaxPoolResult> maxPool(const Tensor &x, Window window,
                              bool columnMajor) {
  KILN_ASSIGN_OR_RETURN(Walk walk, prepare(x, window, "MaxPool"));
  Shape shape = pooledShape(x, walk.out);
  MaxPoolResult result{Tensor(x.type, shape), Tensor(DataType::I64, shape)};
  int64_t imageSize = elementCount(walk.spatial);
  size_t at = 0;
  for (int64_t image = 0; image < x.shape[0] * x.shape[1]; ++image) {
    const double *data = &x.values[image * imageSize];
    std::vector<int64_t> position(walk.out.size(), 0);
    do {
      double best = -std::numeric_limits<double>::infinity();
      int64_t bestOffset = -1;
      walk.taps(position, [&](bool inside, bool, int64_t offset) {
        if (inside && (bestOffset < 0 || data[offset] > best ||
                       (std::isnan(data[offset]) && !std::isnan(best)))) {
          best = data[offset];
          bestOffset = offset;
        }
      });
      result.values.values[at] = best;
      int64_t counted = columnMajor && bestOffset >= 0
                            ? toColumnMajor(bestOffset, walk.spatial)
                            : bestOffset;
      result.indices.values[at] =
          bestOffset < 0 ? -1
                         : static_cast<double>(image * imageSize + counted);
      ++at;
    } while (nextIndex(position, walk.out));
  }
  return result;
}

Result<Tensor> averagePool(const Tensor &x, Window window, bool countPad) {
  KILN_ASSIGN_OR_RETURN(Walk walk, prepare(x, window, "AveragePool"));
  Tensor y(x.type, pooledShape(x, walk.out));
  int64_t imageSize = elementCount(walk.spatial);
  size_t at = 0;
  for (int64_t image = 0; image < x.shape[0] * x.shape[1]; ++image) {
    const double *data = &x.values[image * imageSize];
    std::vector<int64_t> position(walk.out.size(), 0);
    do {
      double total = 0;
      int64_t count = 0;
      walk.taps(position, [&](bool inside, bool padded, int64_t offset) {
        total += inside ? data[offset] : 0;
        count += inside || (countPad && padded);
      });
      y.values[at++] = total / static_cast<double>(count);
    } while (nextIndex(position, walk.out));
  }
  roundTo(y);
  return y;
}

Result<Tensor> globalAveragePool(const Tensor &x) {
  if (x.rank() < 3) {
    return Status(StatusCode::kInvalidArgument,
                  "GlobalAveragePool: input " + toString(x.shape) +
                      " has no spatial dimension");
  }
  Window window;
  window.kernel.assign(x.shape.begin() + 2, x.shape.end());
  return averagePool(x, window, false);
}

} // namespace kiln::ops
