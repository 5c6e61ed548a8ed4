// SPDX-License-Identifier: Apache-2.0
//
// Addresses for buffers of one local memory, from their sizes and lifetimes
// alone; plan_local_memory.h is the pass around it.
//
//   int64_t needed = placeFirstFit(buffers);              // largest first
//   BankCost cost(banks, commands);
//   separateBanks(buffers, capacity, cost);               // UB only
//
// First fit: largest first, each at the lowest address that is free over its
// lifetime. Buffers live at the same time never overlap.
//
// separateBanks() then looks for a placement in which the operands of V
// commands lose fewer cycles to each other in the banks. It judges a placement
// by the rule the machine itself follows (isa/arch/ub_banks.h), each command
// weighted by how often it runs, and searches from the first-fit placement:
// every buffer at every place where a bank begins or ends or another buffer
// does, and first fit in other orders. It stops when a round finds nothing
// better or the budget of judgements is used up. What it returns fits, loses
// at most what first fit loses, and depends on nothing but its arguments.
#pragma once

#include "isa/arch/ub_banks.h"

#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace kiln::npu {

/// A buffer of one space; `bytes` of all its slots. It lives from point
/// `start` to point `end`, both included.
struct BufferPlace {
  int64_t bytes = 0, align = 1;
  int64_t start = 0, end = 0;
  int64_t address = 0;
};

/// What one V command does to the banks. An operand's base is its offset in
/// the buffer, slot included.
struct BankCommand {
  struct Operand {
    unsigned buffer = 0;
    isa::BankOperand blocks;
    bool operator==(const Operand &) const = default;
  };
  std::vector<Operand> operands;
  uint64_t rows = 0, beatsPerRow = 0;
  uint64_t times = 1; // that it runs

  /// Whether some placement can change what it loses.
  bool isPlaced() const;
  bool doesTheSame(const BankCommand &other) const {
    return operands == other.operands && rows == other.rows &&
           beatsPerRow == other.beatsPerRow;
  }
};

/// Cycles that commands lose at given addresses. Long commands are judged by
/// three parts of them, and judgements are remembered.
class BankCost {
public:
  BankCost(isa::UbBanks banks, std::vector<BankCommand> commands);

  uint64_t operator()(std::span<const BufferPlace> buffers);
  const std::vector<BankCommand> &commands() const { return commands_; }
  const isa::UbBanks &banks() const { return banks_; }
  /// Commands judged so far: a measure of work that no clock is in.
  uint64_t judged() const { return judged_; }

private:
  uint64_t judge(const BankCommand &command,
                 std::span<const int64_t> addresses);

  isa::UbBanks banks_;
  std::vector<BankCommand> commands_;
  std::vector<std::map<std::vector<int64_t>, uint64_t>> known_; // by command
  std::vector<int64_t> key_;
  uint64_t judged_ = 0;
};

/// Returns the highest end of a buffer, which may be above the capacity.
int64_t placeFirstFit(std::span<BufferPlace> buffers);

/// `buffers` hold a placement that fits; returns the cycles of the new one.
uint64_t separateBanks(std::span<BufferPlace> buffers, int64_t capacity,
                       BankCost &cost);

} // namespace kiln::npu
