// SPDX-License-Identifier: Apache-2.0
//
// Operations on the raw bytes of constants: what constant folding and the
// constant recipes of a package are made of.
//
//   Constant t = transposeConstant(weights, {1, 0});
//   Constant h = castConstant(weights, ElementType::kF16);   // nearest even
//
// Contract: arguments are consistent (checked by the callers' verifiers);
// casts to a narrower float round to nearest even and overflow to infinity;
// casts to integers truncate and saturate.
#pragma once

#include "compiler/constants/constant_store.h"

#include <span>

namespace kiln {

/// Element i as a double; exact for every type but large 64-bit integers.
double loadElement(const Constant &constant, int64_t i);
/// Element i of an integer or bool constant.
int64_t loadInteger(const Constant &constant, int64_t i);
/// Stores `value` rounded to the constant's type.
void storeElement(Constant &constant, int64_t i, double value);

/// A zero-filled constant.
Constant makeConstant(ElementType type, std::vector<int64_t> shape);
/// A constant of one repeated value.
Constant splatConstant(ElementType type, std::vector<int64_t> shape,
                       double value);
/// True when all elements have equal bits (and there is at least one).
bool isSplat(const Constant &constant);

Constant reshapeConstant(const Constant &constant, std::vector<int64_t> shape);
Constant transposeConstant(const Constant &constant,
                           std::span<const int64_t> permutation);
Constant castConstant(const Constant &constant, ElementType type);
/// Pads with `value`; begin and end have one entry per dimension, none
/// negative.
Constant padConstant(const Constant &constant, std::span<const int64_t> begin,
                     std::span<const int64_t> end, double value);
/// The box of `shape` that starts at `starts` with `steps` (all >= 1).
Constant sliceConstant(const Constant &constant,
                       std::span<const int64_t> starts,
                       std::span<const int64_t> shape,
                       std::span<const int64_t> steps);
/// Joins constants of equal type along `axis`.
Constant concatConstants(std::span<const Constant *const> parts, size_t axis);

} // namespace kiln
