// SPDX-License-Identifier: Apache-2.0
//
// Addresses for buffers of one local memory, from their sizes and lifetimes
// alone; plan_local_memory.h is the pass around it.
//
//   int64_t needed = placeFirstFit(buffers);              // largest first
//   VectorCost cost(banks, commands);
//   placeForLess(buffers, capacity, cost);                // UB
//
// First fit: largest first, each at the lowest address that is free over its
// lifetime. Buffers live at the same time never overlap.
//
// placeForLess() then looks for a placement that costs less; what it costs is a
// PlaceCost. VectorCost, for UB: cycles that V loses. (place_accumulators.h has
// that of L0C.) Addresses decide two things, judged by the machine's own rules:
//   - operands of one command that meet in a bank delay its beats
//     (isa/arch/ub_banks.h);
//   - a command waits for one in flight whose writes meet the hull of what it
//     reads, or the other way round (docs/microarchitecture.md, rule 11): what
//     lies between the operands of a command counts as one of them.
// Commands are weighted by how often they run. The search begins with first fit
// by size. It takes the buffers in one order after the other (by size, by
// groups that commands have in common, then exchanges of two drawn from a fixed
// seed), places them by first fit, and one by one where each costs least beside
// those before it: at the ends of what is taken, at the edges of banks, or half
// a turn of the groups from there. It ends when nothing is lost or its budget
// is used up. What it returns fits, loses at most what first fit by size loses,
// and depends on nothing but its arguments. (An iterated local search over the
// orders of a greedy construction; no optimality claimed.)
#pragma once

#include "isa/arch/ub_banks.h"

#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace kiln::npu {

/// A buffer of one space; `bytes` from the begin of its first slot to the end
/// of the last one. It lives from point `start` to point `end`, both included.
struct BufferPlace {
  int64_t bytes = 0, align = 1;
  int64_t start = 0, end = 0;
  int64_t address = 0;
  /// Slots that take turns, each of so many bytes; `pitch` from one to the
  /// next.
  int64_t slots = 1, slotBytes = 0, pitch = 0;

  void setPitch(int64_t newPitch) {
    if (slots > 1) {
      pitch = newPitch;
      bytes = (slots - 1) * pitch + slotBytes;
    }
  }
};

/// What a placement costs, in cycles or what stands for them.
class PlaceCost {
public:
  virtual ~PlaceCost() = default;
  virtual uint64_t operator()(std::span<const BufferPlace> buffers) = 0;
  /// Of what needs buffer `which` and otherwise only buffers that are placed
  /// (it is, too). From `limit` on the sum may be any part of the true one that
  /// is not below it.
  virtual uint64_t of(unsigned which, std::span<const BufferPlace> buffers,
                      const std::vector<bool> &placed, uint64_t limit) = 0;
  /// No placement changes anything.
  virtual bool isConstant() const = 0;

  virtual int64_t bankBytes() const = 0;
  /// A step inside a bank that may help; 0: none does.
  virtual int64_t stepBytes() const { return 0; }
  /// Slots of a buffer may lie a multiple of the banks apart.
  virtual bool spreadsSlots() const { return false; }
  /// Offsets that matter in each buffer, and buffers that meet.
  const std::map<unsigned, std::vector<int64_t>> &offsets() const {
    return offsets_;
  }
  const std::vector<std::pair<unsigned, unsigned>> &pairs() const {
    return pairs_;
  }
  /// Work done so far: a measure that no clock is in.
  uint64_t judged() const { return judged_; }

protected:
  /// Sorts what was collected.
  void finish();
  std::map<unsigned, std::vector<int64_t>> offsets_;
  std::vector<std::pair<unsigned, unsigned>> pairs_;
  uint64_t judged_ = 0;
};

/// What one V command touches. Offsets are in the buffer, slot included.
struct VectorTouch {
  unsigned buffer = 0;
  int64_t lo = 0, hi = 0; // bytes from the first to one past the last
  bool write = false;
  bool operator==(const VectorTouch &) const = default;
};

struct VectorUse {
  /// Operands that take part in bank conflicts; base is the offset.
  struct Blocks {
    unsigned buffer = 0;
    isa::BankOperand blocks;
    bool operator==(const Blocks &) const = default;
  };
  std::vector<Blocks> operands;
  std::vector<VectorTouch> touches; // all operands
  uint64_t rows = 0, beatsPerRow = 0;
  uint64_t occupancy = 0; // cycles, without conflicts
  uint64_t latency = 0;   // from their end to the retirement
  uint64_t times = 1;     // that it runs
  /// The command before it in the list is not the one before it in the pipe.
  bool beginsRun = false;

  bool losesTheSame(const VectorUse &other) const {
    return operands == other.operands && rows == other.rows &&
           beatsPerRow == other.beatsPerRow;
  }
};

/// Cycles that V loses at given addresses, beyond those no placement changes.
/// Long commands are judged by three parts of them, and judgements are
/// remembered.
class VectorCost : public PlaceCost {
public:
  /// `uses` in the order of the pipe. `window` commands are in flight at most.
  VectorCost(isa::UbBanks banks, uint32_t window,
             const std::vector<VectorUse> &uses);

  uint64_t operator()(std::span<const BufferPlace> buffers) override;
  uint64_t of(unsigned which, std::span<const BufferPlace> buffers,
              const std::vector<bool> &placed, uint64_t limit) override;
  bool isConstant() const override {
    return commands_.empty() && steps_.empty();
  }
  int64_t bankBytes() const override {
    return static_cast<int64_t>(banks_.bankBytes());
  }
  int64_t stepBytes() const override {
    return static_cast<int64_t>(banks_.halfTurnBytes());
  }

private:
  /// A command and those that can be in flight when it starts.
  struct Before {
    std::vector<VectorTouch> touches;
    uint64_t wait = 0; // cycles from the end of the one before to retirement
    bool operator==(const Before &) const = default;
  };
  struct Step {
    std::vector<VectorTouch> touches;
    std::vector<Before> before;
    uint64_t least = 0; // wait that every placement has
    uint64_t times = 1;
  };
  /// What needs a buffer: numbers of commands and of steps.
  struct Needs {
    std::vector<unsigned> commands, steps;
  };

  void addCommand(const VectorUse &use);
  void addStep(std::span<const VectorUse> uses, size_t index, uint32_t window);
  void findNeeds();
  uint64_t lostBy(unsigned command, std::span<const BufferPlace> buffers);
  uint64_t judge(const VectorUse &use, std::span<const int64_t> addresses);
  static uint64_t waitOf(const Step &step,
                         std::span<const BufferPlace> buffers);

  isa::UbBanks banks_;
  std::vector<VectorUse> commands_;
  std::vector<Step> steps_;
  std::vector<std::map<std::vector<int64_t>, uint64_t>> known_; // by command
  std::map<unsigned, Needs> needs_;                             // by buffer
  std::vector<std::vector<unsigned>> buffersOf_[2]; // of commands, of steps
  std::vector<int64_t> key_;
};

/// Returns the highest end of a buffer, which may be above the capacity.
int64_t placeFirstFit(std::span<BufferPlace> buffers);

/// `buffers` hold a placement that fits; returns the cost of the new one.
uint64_t placeForLess(std::span<BufferPlace> buffers, int64_t capacity,
                      PlaceCost &cost);

} // namespace kiln::npu
