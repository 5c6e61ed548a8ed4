// SPDX-License-Identifier: Apache-2.0
//
// A kernel recorded on the cycle engine: what `kiln profile` and `kiln top`
// share.
//
//   KILN_ASSIGN_OR_RETURN(KernelLaunch launch, prepareKernel(options));
//   KILN_ASSIGN_OR_RETURN(sim::Trace trace, runTraced(launch));
//   Profile profile = profileOf(launch, trace);
#pragma once

#include "simulator/trace/trace.h"
#include "tools/kiln/kernel_launch.h"
#include "tools/profile/profile.h"

namespace kiln::tools {

/// Runs the launch on the cycle engine and records it.
Result<sim::Trace> runTraced(KernelLaunch &launch);

/// The profile of that one launch; `launch` must outlive it.
Profile profileOf(const KernelLaunch &launch, const sim::Trace &trace);

} // namespace kiln::tools
