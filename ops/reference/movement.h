// SPDX-License-Identifier: Apache-2.0
//
// Operators that move data and compute nothing: any element type.
#pragma once

#include "ops/reference/tensor.h"

namespace kiln::ops {

/// Joins along `axis`; all other dimensions and the types are equal.
Result<Tensor> concat(std::span<const Tensor *const> inputs, int64_t axis);

/// Cuts along `axis` into parts of these sizes, which add up to the dimension.
Result<std::vector<Tensor>> split(const Tensor &x, const Shape &sizes,
                                  int64_t axis);

/// A dimension 0 keeps the input's (unless `allowZero`), one -1 is inferred.
Result<Tensor> reshape(const Tensor &x, const Shape &shape, bool allowZero);

/// A matrix: dimensions before `axis` x the rest; axis -rank..rank.
Result<Tensor> flatten(const Tensor &x, int64_t axis);

/// Dimension i of the result is dimension permutation[i] of x; an empty
/// permutation reverses.
Result<Tensor> transpose(const Tensor &x, std::vector<int64_t> permutation);

} // namespace kiln::ops
