// SPDX-License-Identifier: Apache-2.0
//
// The legal settings of a space, listed by several processes: where isLegal
// means to build a kernel, a large space takes seconds.
//
//   Result<std::vector<Setting>> legal = listLegal(space, {.workers = 2});
//   search(space, measurer, {.legal = std::move(*legal)});
//
// The same list in the same order as SearchSpace::legalSettings().
// Errors: those of ProcessPool: isLegal ended its process, or took too long.
// Thread rule: that of ProcessPool.
#pragma once

#include "compiler/tuning/process_pool.h"
#include "compiler/tuning/search_space.h"

namespace kiln::tuning {

Result<std::vector<Setting>> listLegal(const SearchSpace &space,
                                       PoolOptions options);

} // namespace kiln::tuning
