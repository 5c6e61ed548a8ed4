// SPDX-License-Identifier: Apache-2.0
//
// Matrix products (ONNX MatMul = numpy.matmul, and Gemm). Sums in double, one
// rounding to the type of a.
#pragma once

#include "ops/reference/tensor.h"

namespace kiln::ops {

/// Last two dimensions multiply, the others broadcast; rank 1 operands get a
/// unit dimension that the result loses again.
Result<Tensor> matmul(const Tensor &a, const Tensor &b);

struct GemmAttributes {
  double alpha = 1;
  double beta = 1;
  bool transA = false;
  bool transB = false;
};

/// alpha * A' * B' + beta * C, rank 2 operands, C broadcast to the result or
/// null.
Result<Tensor> gemm(const Tensor &a, const Tensor &b, const Tensor *c,
                    const GemmAttributes &attributes);

} // namespace kiln::ops
