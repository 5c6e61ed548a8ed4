// SPDX-License-Identifier: Apache-2.0
//
// RtlCore: runs one block of a program on the core in SystemVerilog
// (simulator/rtl), cycle by cycle, with the simulator's memory system behind
// its GM ports.
//
//   RtlRun run = runRtl(arch, gm, program, launch);
//   run.fault == 0; run.stamps: every NPU instruction in the order of issue
//
// The machine's figures reach the core as straps; runRtl() checks that the
// sizes the core is built for are those of the machine.
#pragma once

#include "isa/arch/arch_spec.h"
#include "simulator/core/host_global_memory.h"
#include "simulator/core/program.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace kiln::test {

/// One NPU instruction's life in cycles of the launch, as CommandListener
/// tells it.
struct RtlStamp {
  uint64_t pc = 0;
  uint64_t issue = 0;
  uint64_t start = 0;
  uint64_t retire = 0;
  bool operator==(const RtlStamp &) const = default;
};

struct RtlRun {
  std::vector<RtlStamp> stamps; // by issue
  std::vector<std::byte> ub, scalarRam;
  unsigned fault = 0;  // fault_e of kiln_rtl_pkg.sv
  uint64_t cycles = 0; // when the block ended
  std::string problem; // the bench saw something impossible; else empty
  uint64_t bankConflicts = 0, queueFull = 0, interlocks = 0; // cycles
  uint64_t loadWaits = 0, storeWaits = 0; // cycles: for banks of UB
};

struct RtlLaunch {
  std::vector<uint8_t> argumentBlock;
  uint64_t startCycle = 0; // in which the first instruction issues
  uint64_t budget = 1'000'000;
  /// Changes the straps before the run: one value per key, as in
  /// rtlKeyNames().
  std::function<void(std::vector<uint16_t> &)> mutate;
};

/// The straps in their order, by name.
const std::vector<std::string> &rtlKeyNames();

/// What of `arch` the core was not built for; empty when all fits.
std::string rtlMisfit(const isa::ArchSpec &arch);

RtlRun runRtl(const isa::ArchSpec &arch, sim::HostGlobalMemory &gm,
              const sim::Program &program, const RtlLaunch &launch);

} // namespace kiln::test
