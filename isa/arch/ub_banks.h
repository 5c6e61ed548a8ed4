// SPDX-License-Identifier: Apache-2.0
//
// Cycles that the operands of one V command lose to each other in the banks of
// UB (docs/microarchitecture.md, rules 30 to 33), for the cycle engine, which
// adds them to the command's time, and for the compiler, which places buffers
// so that they are few.
//
//   UbBanks banks(spec.timing.banks, spec.arch.capacity(Space::UB));
//   std::vector<BankOperand> operands;  // sources in order, dst last
//   addOperand(operands, {.base = 0, .rowStride = 512, .blockStride = 32,
//                         .blocks = 16});
//   occupancy += banks.lostCycles(operands, rows, beatsPerRow);
//
// Thread rule: an object keeps scratch memory; one per thread.
#pragma once

#include "isa/arch/arch_spec.h"

#include <cstdint>
#include <span>
#include <vector>

namespace kiln::isa {

/// The 32-byte blocks an operand touches: block k of row r at
/// base + r * rowStride + k * blockStride, in bytes of UB.
struct BankOperand {
  uint64_t base = 0, rowStride = 0, blockStride = 0;
  uint64_t blocks = 0; // of a row
  bool write = false;
  bool operator==(const BankOperand &) const = default;
};

/// Appends an operand unless it costs no access: repeated blocks, and a source
/// that is equal to another source, are read once and held.
void addOperand(std::vector<BankOperand> &operands, const BankOperand &x);

/// What a command does to UB in one cycle: bit bank * ub_groups + group of a
/// bank, bit group of a group. For machines of at most 64 banks in all.
struct UbCycle {
  uint64_t reads = 0, writes = 0; // banks
  uint64_t full = 0;              // groups that serve no more reads
};

class UbBanks {
public:
  /// `capacityBytes` of UB; a bank is its `timing.ubBanks`th part.
  UbBanks(const BankTiming &timing, uint64_t capacityBytes)
      : timing_(timing),
        bankBytes_(timing.ubBanks ? capacityBytes / timing.ubBanks : 0) {}

  /// Whether operands can meet at all on this machine.
  bool exist() const { return timing_.ubGroups != 0 && bankBytes_ != 0; }
  uint64_t bankBytes() const { return bankBytes_; }
  /// Distance of two addresses in one bank that no beat of half the groups
  /// brings together.
  uint64_t halfTurnBytes() const;

  /// Cycles beyond one per beat of a command of rows * beatsPerRow beats.
  uint64_t lostCycles(std::span<const BankOperand> operands, uint64_t rows,
                      uint64_t beatsPerRow);

  /// The same command cycle by cycle: step() works out the next one, the
  /// first after start() is that of its start. The operands stay the caller's.
  void start(std::span<const BankOperand> operands, uint64_t rows,
             uint64_t beatsPerRow);
  UbCycle step();

private:
  struct Access {
    uint32_t group = 0;
    uint32_t bank = 0; // as a bit
  };

  bool neverMeet(std::span<const BankOperand> operands, uint64_t rows) const;
  bool serveReads(uint64_t cycle, UbCycle *use);
  void forgetWrites();
  void planWrites(uint64_t cycle);
  void gather(std::span<const BankOperand> operands, uint64_t row,
              uint64_t beat, uint64_t beats);

  BankTiming timing_;
  uint64_t bankBytes_ = 0;
  std::vector<Access> reads_, writes_; // of the current beat
  std::vector<uint32_t> written_;      // per cycle of a ring and group
  uint64_t ring_ = 1;                  // cycles of it

  // Of start() and step().
  std::span<const BankOperand> operands_;
  uint64_t rows_ = 0, beats_ = 0;
  uint64_t row_ = 0, beat_ = 0, cycle_ = 0;
  bool gathered_ = false;
};

} // namespace kiln::isa
