// SPDX-License-Identifier: Apache-2.0
//
// Element by element operators, with multidirectional broadcast where there
// are two inputs (ONNX "Broadcasting in ONNX", the rule of numpy).
//
//   Result<Tensor> y = binary(BinaryKind::Add, a, b);
//
// Types must be equal; 32- and 64-bit integers are refused (kUnsupported): a
// double cannot hold their products.
#pragma once

#include "ops/reference/tensor.h"

namespace kiln::ops {

enum class BinaryKind : uint8_t { Add, Sub, Mul };
enum class UnaryKind : uint8_t { Identity, Relu, Sigmoid, Tanh };

/// The broadcast shape of two shapes; kInvalidArgument names the dimensions
/// that do not fit.
Result<Shape> broadcastShape(const Shape &a, const Shape &b);
/// Copies `x` into the larger `shape`.
Tensor broadcastTo(const Tensor &x, const Shape &shape);

Result<Tensor> binary(BinaryKind kind, const Tensor &a, const Tensor &b);
/// Sum of one or more tensors; added in double, rounded once.
Result<Tensor> sum(std::span<const Tensor *const> inputs);
/// Relu keeps NaN; Sigmoid is 1 / (1 + exp(-x)).
Result<Tensor> unary(UnaryKind kind, const Tensor &x);

} // namespace kiln::ops
