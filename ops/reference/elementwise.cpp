// SPDX-License-Identifier: Apache-2.0
#include "ops/reference/elementwise.h"

#include <algorithm>
#include <cmath>

namespace kiln::ops {
namespace {

Status checkArithmetic(DataType type) {
  bool small = sizeOf(type) <= 2 && type != DataType::Bool;
  if (isFloat(type) || small) {
    return Status::ok();
  }
  return {StatusCode::kUnsupported, "arithmetic on " + std::string(name(type)) +
                                        " is not in the reference library; "
                                        "supported: floats, 8/16-bit integers"};
}

double apply(BinaryKind kind, double a, double b) {
  switch (kind) {
  case BinaryKind::Add:
    return a + b;
  case BinaryKind::Sub:
    return a - b;
  case BinaryKind::Mul:
    return a * b;
  }
  return 0;
}

double apply(UnaryKind kind, double x) {
  switch (kind) {
  case UnaryKind::Identity:
    return x;
  case UnaryKind::Relu:
    return x < 0 ? 0.0 : x;
  case UnaryKind::Sigmoid:
    return 1.0 / (1.0 + std::exp(-x));
  case UnaryKind::Tanh:
    return std::tanh(x);
  }
  return 0;
}

} // namespace

Result<Shape> broadcastShape(const Shape &a, const Shape &b) {
  Shape shape(std::max(a.size(), b.size()));
  for (size_t i = 0; i < shape.size(); ++i) {
    int64_t da = i < a.size() ? a[a.size() - 1 - i] : 1;
    int64_t db = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (da != db && da != 1 && db != 1) {
      return Status(StatusCode::kInvalidArgument,
                    "shapes " + toString(a) + " and " + toString(b) +
                        " do not broadcast: " + std::to_string(da) + " and " +
                        std::to_string(db) + " at dimension -" +
                        std::to_string(i + 1));
    }
    shape[shape.size() - 1 - i] = da == 1 ? db : da;
  }
  return shape;
}

Tensor broadcastTo(const Tensor &x, const Shape &shape) {
  Tensor y(x.type, shape);
  std::vector<int64_t> strides = stridesOf(x.shape);
  std::vector<int64_t> index(shape.size(), 0);
  size_t lead = shape.size() - x.shape.size();
  for (double &value : y.values) {
    int64_t source = 0;
    for (size_t d = 0; d < x.shape.size(); ++d) {
      source += x.shape[d] == 1 ? 0 : index[lead + d] * strides[d];
    }
    value = x.values[source];
    nextIndex(index, shape);
  }
  return y;
}

Result<Tensor> binary(BinaryKind kind, const Tensor &a, const Tensor &b) {
  if (a.type != b.type) {
    return Status(StatusCode::kInvalidArgument,
                  "operands have types " + std::string(name(a.type)) + " and " +
                      std::string(name(b.type)) + "; they must be equal");
  }
  KILN_RETURN_IF_ERROR(checkArithmetic(a.type));
  KILN_ASSIGN_OR_RETURN(Shape shape, broadcastShape(a.shape, b.shape));
  Tensor y = broadcastTo(a, shape);
  Tensor right = broadcastTo(b, shape);
  for (size_t i = 0; i < y.values.size(); ++i) {
    y.values[i] = apply(kind, y.values[i], right.values[i]);
  }
  roundTo(y);
  return y;
}

Result<Tensor> sum(std::span<const Tensor *const> inputs) {
  if (inputs.empty()) {
    return Status(StatusCode::kInvalidArgument, "Sum needs an input");
  }
  KILN_RETURN_IF_ERROR(checkArithmetic(inputs[0]->type));
  Shape shape = inputs[0]->shape;
  for (const Tensor *x : inputs) {
    if (x->type != inputs[0]->type) {
      return Status(StatusCode::kInvalidArgument,
                    "inputs of Sum have different types");
    }
    KILN_ASSIGN_OR_RETURN(shape, broadcastShape(shape, x->shape));
  }
  Tensor y(inputs[0]->type, shape);
  for (const Tensor *x : inputs) {
    Tensor term = broadcastTo(*x, shape);
    for (size_t i = 0; i < y.values.size(); ++i) {
      y.values[i] += term.values[i];
    }
  }
  roundTo(y);
  return y;
}

Result<Tensor> unary(UnaryKind kind, const Tensor &x) {
  if (kind != UnaryKind::Identity && !isFloat(x.type)) {
    return Status(StatusCode::kUnsupported,
                  "reference of Relu, Sigmoid and Tanh takes floats, found " +
                      std::string(name(x.type)));
  }
  Tensor y = x;
  for (double &v : y.values) {
    v = apply(kind, v);
  }
  roundTo(y);
  return y;
}

} // namespace kiln::ops
