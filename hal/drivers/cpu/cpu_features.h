// SPDX-License-Identifier: Apache-2.0
//
// What the CPU this process runs on can do.
#pragma once

#include <string>
#include <vector>

namespace kiln::hal {

/// LLVM names of the features of hal/format/cpu_features.h that this CPU has
/// and the operating system supports, sorted. Empty on other architectures
/// than x86-64.
std::vector<std::string> hostCpuFeatures();

} // namespace kiln::hal
