// SPDX-License-Identifier: Apache-2.0
//
// Which node's value an operation gives, where that is not the node it comes
// from: a convolution that absorbed the batch normalisation after it keeps the
// convolution's location (profiles and debuggers show it), but its result is
// the normalisation's.
//
//   Location loc = resultOf(conv.getLoc(), norm.getLoc());
//   resultNode(loc)   // 1 + index of the normalisation, nullopt: unknown
//
// A node's location is NameLoc(name, FileLineCol(file, 1 + index, 0)); the
// other node's number travels as metadata of a FusedLoc of one location.
#pragma once

#include "mlir/IR/Location.h"

#include <cstdint>
#include <optional>

namespace kiln::plan {

/// `main` with the result of `last`.
mlir::Location resultOf(mlir::Location main, mlir::Location last);

/// 1 + index of the node whose value an operation at `loc` gives.
std::optional<int64_t> resultNode(mlir::Location loc);

} // namespace kiln::plan
