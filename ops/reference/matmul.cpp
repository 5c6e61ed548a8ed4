// SPDX-License-Identifier: Apache-2.0
#include "ops/reference/matmul.h"

#include "ops/reference/elementwise.h"

namespace kiln::ops {
namespace {

Status mismatch(const char *op, const Tensor &a, const Tensor &b) {
  return {StatusCode::kInvalidArgument,
          std::string(op) + ": shapes " + toString(a.shape) + " and " +
              toString(b.shape) + " (" + std::string(name(a.type)) + ", " +
              std::string(name(b.type)) + ") do not multiply"};
}

/// c[M,N] += a[M,K] * b[K,N] for one matrix, k ascending, not rounded.
struct MatrixProduct {
  int64_t m, n, k;

  void operator()(const double *a, const double *b, double *c) const {
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t l = 0; l < k; ++l) {
        for (int64_t j = 0; j < n; ++j) {
          c[i * n + j] += a[i * k + l] * b[l * n + j];
        }
      }
    }
  }
};

Tensor transposed(const Tensor &x) {
  Tensor y(x.type, {x.shape[1], x.shape[0]});
  for (int64_t i = 0; i < x.shape[0]; ++i) {
    for (int64_t j = 0; j < x.shape[1]; ++j) {
      y.values[j * x.shape[0] + i] = x.values[i * x.shape[1] + j];
    }
  }
  return y;
}

} // namespace

Result<Tensor> matmul(const Tensor &a, const Tensor &b) {
  if (a.type != b.type || !isFloat(a.type) || a.rank() < 1 || b.rank() < 1) {
    return mismatch("MatMul", a, b);
  }
  Tensor left = a, right = b;
  if (a.rank() == 1) {
    left.shape.insert(left.shape.begin(), 1);
  }
  if (b.rank() == 1) {
    right.shape.push_back(1);
  }
  int64_t m = left.shape[left.rank() - 2], k = left.shape.back();
  int64_t n = right.shape.back();
  if (right.shape[right.rank() - 2] != k) {
    return mismatch("MatMul", a, b);
  }
  Shape leftBatch(left.shape.begin(), left.shape.end() - 2);
  Shape rightBatch(right.shape.begin(), right.shape.end() - 2);
  KILN_ASSIGN_OR_RETURN(Shape batch, broadcastShape(leftBatch, rightBatch));
  Shape leftShape = batch, rightShape = batch, shape = batch;
  leftShape.insert(leftShape.end(), {m, k});
  rightShape.insert(rightShape.end(), {k, n});
  shape.insert(shape.end(), {m, n});
  left = broadcastTo(left, leftShape);
  right = broadcastTo(right, rightShape);
  Tensor y(a.type, shape);
  MatrixProduct product{m, n, k};
  for (int64_t i = 0; i < elementCount(batch); ++i) {
    product(left.values.data() + i * m * k, right.values.data() + i * k * n,
            y.values.data() + i * m * n);
  }
  roundTo(y);
  if (b.rank() == 1) {
    y.shape.pop_back();
  }
  if (a.rank() == 1) {
    y.shape.erase(y.shape.end() - (b.rank() == 1 ? 1 : 2));
  }
  return y;
}

Result<Tensor> gemm(const Tensor &a, const Tensor &b, const Tensor *c,
                    const GemmAttributes &attributes) {
  if (a.rank() != 2 || b.rank() != 2 || a.type != b.type || !isFloat(a.type)) {
    return mismatch("Gemm", a, b);
  }
  Tensor left = attributes.transA ? transposed(a) : a;
  Tensor right = attributes.transB ? transposed(b) : b;
  if (left.shape[1] != right.shape[0]) {
    return mismatch("Gemm", left, right);
  }
  Tensor y(a.type, {left.shape[0], right.shape[1]});
  MatrixProduct{y.shape[0], y.shape[1], left.shape[1]}(
      left.values.data(), right.values.data(), y.values.data());
  Tensor addend(a.type, y.shape);
  if (c) {
    KILN_ASSIGN_OR_RETURN(Shape shape, broadcastShape(c->shape, y.shape));
    if (shape != y.shape) {
      return mismatch("Gemm: C", *c, y);
    }
    addend = broadcastTo(*c, shape);
  }
  for (size_t i = 0; i < y.values.size(); ++i) {
    y.values[i] *= attributes.alpha;
    y.values[i] += c ? attributes.beta * addend.values[i] : 0;
  }
  roundTo(y);
  return y;
}

} // namespace kiln::ops
