// SPDX-License-Identifier: Apache-2.0
//
// The tensor of the reference operators: a type, a shape and every element as
// a double. Elements are always values of the type: operators compute in
// double and round once, at the end, with roundTo().
//
//   Tensor x(DataType::F32, {1, 3, 8, 8});
//   x.values[x.index({0, 2, 1, 1})] = 0.5;
//   roundTo(x);
//
// 64-bit integers are held exactly up to 2^53; fromBytes() refuses larger
// ones (they do not occur as shapes or axes).
#pragma once

#include "isa/support/status.h"
#include "ops/reference/data_type.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kiln::ops {

using Shape = std::vector<int64_t>;

/// Product of the dimensions; 1 for a scalar.
int64_t elementCount(const Shape &shape);
/// "1x3x224x224"; "scalar" for rank 0.
std::string toString(const Shape &shape);
/// Row-major strides, in elements.
std::vector<int64_t> stridesOf(const Shape &shape);

struct Tensor {
  Tensor() = default;
  Tensor(DataType type, Shape shape, double fill = 0)
      : type(type), shape(std::move(shape)),
        values(static_cast<size_t>(elementCount(this->shape)), fill) {}

  int64_t rank() const { return static_cast<int64_t>(shape.size()); }
  int64_t count() const { return static_cast<int64_t>(values.size()); }

  DataType type = DataType::F32;
  Shape shape;
  std::vector<double> values;
};

/// Rounds a double to the nearest value of `type` (ties to even for floats;
/// truncation and wrap-around for integers; nonzero is true for bool).
double roundTo(DataType type, double value);
/// Rounds every element to the tensor's type.
void roundTo(Tensor &tensor);

/// Reads little-endian elements. kInvalidArgument when `bytes` has the wrong
/// length or an integer is beyond 2^53.
Result<Tensor> fromBytes(DataType type, Shape shape,
                         std::span<const uint8_t> bytes);
/// Little-endian elements of a tensor.
std::vector<uint8_t> toBytes(const Tensor &tensor);

/// Steps `index` to the next position of `shape` in row-major order; false
/// after the last. A rank-0 shape has one position.
bool nextIndex(std::vector<int64_t> &index, const Shape &shape);

} // namespace kiln::ops
