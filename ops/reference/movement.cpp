// SPDX-License-Identifier: Apache-2.0
#include "ops/reference/movement.h"

#include <algorithm>
#include <numeric>

namespace kiln::ops {
namespace {

Status invalid(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

Status checkConcat(std::span<const Tensor *const> inputs, int64_t axis) {
  const Tensor &first = *inputs[0];
  for (const Tensor *x : inputs) {
    Shape shape = x->shape;
    if (x->type != first.type || x->rank() != first.rank()) {
      return invalid("Concat: inputs differ in type or rank");
    }
    shape[axis] = first.shape[axis];
    if (shape != first.shape) {
      return invalid("Concat: " + toString(x->shape) + " and " +
                     toString(first.shape) + " differ outside axis " +
                     std::to_string(axis));
    }
  }
  return Status::ok();
}

} // namespace

Result<Tensor> concat(std::span<const Tensor *const> inputs, int64_t axis) {
  if (inputs.empty()) {
    return invalid("Concat: no input");
  }
  int64_t rank = inputs[0]->rank();
  if (axis < -rank || axis >= rank) {
    return invalid("Concat: axis " + std::to_string(axis) + " of rank " +
                   std::to_string(rank));
  }
  axis += axis < 0 ? rank : 0;
  KILN_RETURN_IF_ERROR(checkConcat(inputs, axis));
  Shape shape = inputs[0]->shape;
  shape[axis] = 0;
  for (const Tensor *x : inputs) {
    shape[axis] += x->shape[axis];
  }
  Tensor y(inputs[0]->type, shape);
  int64_t outer = std::accumulate(shape.begin(), shape.begin() + axis,
                                  int64_t{1}, std::multiplies<>());
  auto to = y.values.begin();
  for (int64_t i = 0; i < outer; ++i) {
    for (const Tensor *x : inputs) {
      int64_t length = x->count() / outer;
      auto from = x->values.begin() + i * length;
      to = std::copy(from, from + length, to);
    }
  }
  return y;
}

Result<std::vector<Tensor>> split(const Tensor &x, const Shape &sizes,
                                  int64_t axis) {
  if (axis < -x.rank() || axis >= x.rank()) {
    return invalid("Split: axis " + std::to_string(axis) + " of rank " +
                   std::to_string(x.rank()));
  }
  axis += axis < 0 ? x.rank() : 0;
  bool negative = std::any_of(sizes.begin(), sizes.end(),
                              [](int64_t size) { return size < 0; });
  int64_t sum = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  if (negative || sum != x.shape[axis]) {
    return invalid("Split: sizes " + toString(sizes) + " of dimension " +
                   std::to_string(x.shape[axis]));
  }
  int64_t outer = std::accumulate(x.shape.begin(), x.shape.begin() + axis,
                                  int64_t{1}, std::multiplies<>());
  int64_t inner = std::accumulate(x.shape.begin() + axis + 1, x.shape.end(),
                                  int64_t{1}, std::multiplies<>());
  std::vector<Tensor> parts;
  int64_t start = 0;
  for (int64_t size : sizes) {
    Shape shape = x.shape;
    shape[axis] = size;
    Tensor part(x.type, shape);
    auto to = part.values.begin();
    for (int64_t i = 0; i < outer; ++i) {
      auto from = x.values.begin() + (i * x.shape[axis] + start) * inner;
      to = std::copy(from, from + size * inner, to);
    }
    start += size;
    parts.push_back(std::move(part));
  }
  return parts;
}

Result<Tensor> reshape(const Tensor &x, const Shape &wanted, bool allowZero) {
  Shape shape = wanted;
  int64_t inferred = -1, known = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && !allowZero) {
      if (i >= x.shape.size()) {
        return invalid("Reshape: dimension " + std::to_string(i) +
                       " is 0, but the input has rank " +
                       std::to_string(x.rank()));
      }
      shape[i] = x.shape[i];
    }
    if (shape[i] == -1 && inferred < 0) {
      inferred = static_cast<int64_t>(i);
    } else if (shape[i] < 0) {
      return invalid("Reshape: bad dimension " + std::to_string(shape[i]) +
                     " in " + toString(wanted));
    } else {
      known *= shape[i];
    }
  }
  if (inferred >= 0) {
    shape[inferred] = known == 0 ? 0 : x.count() / known;
  }
  if (elementCount(shape) != x.count()) {
    return invalid("Reshape: " + toString(x.shape) + " has " +
                   std::to_string(x.count()) + " elements, " +
                   toString(wanted) + " does not");
  }
  Tensor y = x;
  y.shape = shape;
  return y;
}

Result<Tensor> flatten(const Tensor &x, int64_t axis) {
  if (axis < -x.rank() || axis > x.rank()) {
    return invalid("Flatten: axis " + std::to_string(axis) + " of rank " +
                   std::to_string(x.rank()));
  }
  axis += axis < 0 ? x.rank() : 0;
  int64_t rows = std::accumulate(x.shape.begin(), x.shape.begin() + axis,
                                 int64_t{1}, std::multiplies<>());
  int64_t columns = std::accumulate(x.shape.begin() + axis, x.shape.end(),
                                    int64_t{1}, std::multiplies<>());
  Tensor y = x;
  y.shape = {rows, columns};
  return y;
}

Result<Tensor> transpose(const Tensor &x, std::vector<int64_t> permutation) {
  if (permutation.empty()) {
    permutation.resize(x.shape.size());
    std::iota(permutation.rbegin(), permutation.rend(), 0);
  }
  std::vector<int64_t> sorted = permutation;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (sorted.size() != x.shape.size() ||
        sorted[i] != static_cast<int64_t>(i)) {
      return invalid("Transpose: perm " + toString(permutation) +
                     " is no permutation of rank " + std::to_string(x.rank()));
    }
  }
  Shape shape;
  std::vector<int64_t> strides = stridesOf(x.shape), moved;
  for (int64_t d : permutation) {
    shape.push_back(x.shape[d]);
    moved.push_back(strides[d]);
  }
  Tensor y(x.type, shape);
  std::vector<int64_t> index(shape.size(), 0);
  for (double &value : y.values) {
    value = x.values[std::inner_product(index.begin(), index.end(),
                                        moved.begin(), int64_t{0})];
    nextIndex(index, shape);
  }
  return y;
}

} // namespace kiln::ops
