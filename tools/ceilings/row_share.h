// SPDX-License-Identifier: Apache-2.0
//
// The shares that rows of the table of ceilings are measured in, each defined
// once. Time is from the start of a dispatch's first command to its last
// retire, all cores that took part; launch, padding, tails and what is computed
// twice are not useful.
#pragma once

#include "tik_dsl/testing/test_operator.h"
#include "tools/ceilings/ceiling_table.h"

namespace kiln::tools {

/// Of one, for a run of the cycle engine.
double shareOf(ShareOf share, const tik::BoundShape &shape,
               const tik::RunReport &run, const isa::ArchSpec &arch);

} // namespace kiln::tools
