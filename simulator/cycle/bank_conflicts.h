// SPDX-License-Identifier: Apache-2.0
//
// Cycles that the accesses of one command lose to each other in the banks of
// a local memory (docs/microarchitecture.md, rules 30 to 34).
//
//   BankConflicts banks(arch);
//   occupancy += banks.vectorCycles(footprint, rows, beatsPerRow);
//   occupancy += banks.im2colCycles(command, config);
#pragma once

#include "isa/arch/arch_spec.h"
#include "isa/arch/ub_banks.h"
#include "isa/codec/command.h"
#include "isa/semantics/semantics.h"

#include <cstdint>
#include <vector>

namespace kiln::sim {

class BankConflicts {
public:
  explicit BankConflicts(const isa::ArchSpec &arch)
      : arch_(arch),
        ub_(arch.timing.banks, arch.arch.capacity(isa::Space::UB)) {}

  /// Cycles beyond one per beat of a V command of rows * beatsPerRow beats.
  uint64_t vectorCycles(const isa::Footprint &footprint, uint64_t rows,
                        uint64_t beatsPerRow);
  /// The operands of that command that cost accesses.
  const std::vector<isa::BankOperand> &operands() const { return operands_; }
  /// Cycles beyond one per group of rows of an im2col, before the machine's
  /// cycles per group.
  uint64_t im2colCycles(const isa::Command &command,
                        const isa::PipeConfig &config);

private:
  void collect(const isa::Footprint &footprint, uint64_t rows);

  const isa::ArchSpec &arch_;
  isa::UbBanks ub_;
  std::vector<isa::BankOperand> operands_;
  std::vector<uint64_t> addresses_; // of a group of im2col
};

} // namespace kiln::sim
