// SPDX-License-Identifier: Apache-2.0
//
// CycleEngine: the machine in integer cycles. Same programs, same bits as the
// functional engine for race-free programs; cycles by k1_numbers.
//
// A launch (rules 80, 81): doorbell once per submission, then 800 + 32 per core started +
// image bytes / 64 cycles (figures of the machine file); all started cores
// begin in the cycle after that. Blocks are handed out in index order; a core
// that ended its block begins the next one perCoreCycles later.
#pragma once

#include "simulator/check/checker.h"
#include "simulator/cycle/cycle_core.h"

#include <memory>
#include <vector>

namespace kiln::sim {

class CycleEngine final : public Engine {
public:
  CycleEngine(const isa::ArchSpec &arch, HostGlobalMemory &gm)
      : arch_(arch), gm_(gm) {}

  Result<LaunchReport> run(const LaunchRequest &request) override;
  const std::optional<FaultReport> &lastFault() const override {
    return fault_;
  }

private:
  void simulate(LaunchContext &launch, uint32_t cores);
  /// Waits for the data; the fault of a data command, if there was one.
  std::optional<FaultReport> dataFault(const LaunchContext &launch);
  void finish(const LaunchRequest &request, uint32_t cores);
  void collectLines(const Program &program, uint32_t cores);
  uint64_t launchCycles(const LaunchRequest &request, uint32_t cores) const;

  const isa::ArchSpec &arch_;
  HostGlobalMemory &gm_;
  std::vector<std::unique_ptr<CycleCore>> cores_; // kept between launches
  SemaphoreFile semaphores_;
  std::optional<FaultReport> fault_;
  LaunchReport report_;
  uint64_t endCycle_ = 0;
};

} // namespace kiln::sim
