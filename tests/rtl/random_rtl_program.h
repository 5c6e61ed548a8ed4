// SPDX-License-Identifier: Apache-2.0
//
// Random programs in the subset of the core in SystemVerilog: loads, stores
// and vector commands over small windows of UB, synchronised by the program
// generator's synchronise(); scalar instructions and flags of pipes without a
// unit between them.
//
//   std::vector<Step> steps = randomRtlSteps(arch, gm, seed, 40);
//   RtlProgram p = makeRtlProgram(steps, arch, seed);
//   p.builder.program();   // ends with kbar and kend
#pragma once

#include "tests/engines/support/random_program.h"

namespace kiln::test {

/// Steps that do not fault, reproducible from the seed.
std::vector<Step> randomRtlSteps(const isa::ArchSpec &arch, uint64_t gm,
                                 uint64_t seed, size_t count);

struct RtlProgram {
  ProgramBuilder builder;
  size_t commands = 0; // data commands
  std::string text;
};
RtlProgram makeRtlProgram(const std::vector<Step> &steps,
                          const isa::ArchSpec &arch, uint64_t seed);

/// Fills the queue of every pipe, one after the other, behind a wait for a
/// load of 2 KiB from `gm` on; S stalls. Ends with kbar and kend.
ProgramBuilder fullQueues(uint64_t gm);

/// Contents of GM that meet the edges of the float formats often.
std::vector<std::byte> edgyBytes(size_t count, uint64_t seed);

} // namespace kiln::test
