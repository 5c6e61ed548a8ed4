// SPDX-License-Identifier: Apache-2.0
//
// Probes: what a machine's timing does to a fixed set of programs, bursts and
// DRAM requests, as one number. Two machines that differ in a figure that
// matters have different numbers.
#pragma once

#include "isa/arch/arch_spec.h"

#include <cstdint>

namespace kiln::test {

uint64_t probe(const isa::ArchSpec &arch);

} // namespace kiln::test
