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
#include "isa/codec/command.h"
#include "isa/semantics/semantics.h"

#include <cstdint>
#include <vector>

namespace kiln::sim {

class BankConflicts {
public:
  explicit BankConflicts(const isa::ArchSpec &arch) : arch_(arch) {}

  /// Cycles beyond one per beat of a V command of rows * beatsPerRow beats.
  uint64_t vectorCycles(const isa::Footprint &footprint, uint64_t rows,
                        uint64_t beatsPerRow);
  /// Cycles beyond one per group of rows of an im2col, before the machine's
  /// cycles per group.
  uint64_t im2colCycles(const isa::Command &command,
                        const isa::PipeConfig &config) const;

private:
  /// The blocks an operand touches: block k of row r at base + r * rowStride
  /// + k * blockStride.
  struct Operand {
    uint64_t base = 0, rowStride = 0, blockStride = 0;
    uint64_t blocks = 0; // of a row
    bool write = false;
    bool operator==(const Operand &) const = default;
  };
  struct Access {
    uint32_t group = 0;
    uint32_t bank = 0; // as a bit
  };

  uint64_t bankBytes() const {
    return arch_.arch.capacity(isa::Space::UB) / arch_.timing.banks.ubBanks;
  }
  void collect(const isa::Footprint &footprint, uint64_t rows);
  bool neverMeet(uint64_t rows) const;
  uint64_t serveReads(uint64_t cycle);
  void planWrites(uint64_t cycle);
  void gather(uint64_t row, uint64_t beat, uint64_t beats);

  const isa::ArchSpec &arch_;
  std::vector<Operand> operands_;
  std::vector<Access> reads_, writes_; // of the current beat
  std::vector<uint32_t> written_;      // per cycle of a ring and group
  uint64_t ring_ = 1;                  // cycles of it
};

} // namespace kiln::sim
