// SPDX-License-Identifier: Apache-2.0
//
// Which banks of the local memories a command uses, beat by beat
// (docs/microarchitecture.md, rules 36 to 38). BankTraffic asks.
#pragma once

#include "isa/arch/arch_spec.h"
#include "isa/arch/ub_banks.h"
#include "isa/codec/command.h"
#include "isa/gen/operands.h"
#include "simulator/cycle/im2col_rows.h"

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

namespace kiln::sim {

/// Banks of one memory, one bit each. UB: bit bank * groups + group.
using BankSet = uint64_t;

/// Divides by a number that is a power of two on most machines.
class Divisor {
public:
  explicit Divisor(uint64_t by = 1)
      : by_(by), shift_(std::has_single_bit(by) ? std::countr_zero(by) : -1) {}
  uint64_t quotient(uint64_t x) const {
    return shift_ < 0 ? x / by_ : x >> shift_;
  }
  uint64_t rest(uint64_t x) const { return x - quotient(x) * by_; }
  operator uint64_t() const { return by_; }

private:
  uint64_t by_;
  int shift_;
};

/// What one beat uses.
struct Beat {
  BankSet l0c = 0, ub = 0, l1 = 0;
};

/// Where the banks of the machine are.
class BankMap {
public:
  explicit BankMap(const isa::ArchSpec &arch);

  bool hasL0c() const { return l0cBankBytes_ != 0; }
  /// Whether pipes meet in UB.
  bool hasUb() const { return hasUb_; }

  /// Whether pipes meet in L1.
  bool hasL1() const { return hasL1_; }

  /// Of the bytes [from, from + bytes) of L0C.
  BankSet l0c(uint64_t from, uint64_t bytes) const;
  /// Bytes from an address of L0C to the end of its bank.
  uint64_t leftInL0cBank(uint64_t address) const {
    return l0cBankBytes_ - address % l0cBankBytes_;
  }
  /// Adds the block of UB at `address`.
  void addUb(Beat &beat, uint64_t address) const {
    if (!hasUb()) {
      return;
    }
    const uint64_t group = groups_.rest(address / isa::kBlockBytes);
    const uint64_t bank = ubBanks_.rest(ubBankBytes_.quotient(address));
    beat.ub |= BankSet{1} << (bank * groups_ + group);
  }
  uint64_t ubBank(uint64_t address) const {
    return ubBankBytes_.quotient(address);
  }
  /// Of the rows of 32 bytes in [from, from + bytes) of L1.
  BankSet l1(uint64_t from, uint64_t bytes) const;
  /// `blocks` blocks of UB that follow one another, at most one per group.
  BankSet ubRun(uint64_t address, uint64_t blocks) const;
  uint64_t groupsOf(BankSet ub) const;
  /// Of the banks of each group that is not in `without` the lowest.
  BankSet lowestPerGroup(BankSet ub, uint64_t without) const;
  uint64_t groups() const { return groups_; }

private:
  uint64_t l0cBankBytes_ = 0, l0cBanks_ = 1;
  bool hasUb_ = false;
  Divisor ubBankBytes_, ubBanks_, groups_;
  Divisor l1Banks_;
  bool hasL1_ = false;
};

/// An mmad: the cells of its tile over and over, k outermost.
struct CubeBeats {
  CubeBeats() = default;
  CubeBeats(const isa::CubeShape &shape, uint64_t weight, uint64_t cycles,
            const isa::CellRate &rate, const BankMap &map, uint64_t now);

  bool active(uint64_t cycle) const { return begin <= cycle && cycle < end; }
  BankSet l0c(uint64_t cycle, const BankMap &map) const;
  /// The first cycle after `cycle` in which no cell of its first cell's bank
  /// is worked on.
  uint64_t leavesBank(uint64_t cycle, const BankMap &map) const;

  uint64_t begin = 0, end = 0; // cycles of its occupancy
  uint64_t address = 0;
  uint64_t cells = 1;                     // of the tile
  uint64_t rateCells = 1, rateCycles = 1; // so many cells in so many cycles
  BankSet all = 0;

private:
  uint64_t firstCell(uint64_t cycle) const {
    return (cycle - begin) * rateCells / rateCycles;
  }
};

/// A V command: reads of its beats and writes behind them.
class VectorBeats {
public:
  VectorBeats() = default;
  VectorBeats(std::span<const isa::BankOperand> operands, uint64_t rows,
              uint64_t beatsPerRow, uint64_t lost,
              const isa::BankTiming &timing, const BankMap &map, uint64_t now);

  uint64_t begin() const { return begin_; }
  /// The cycle after its last access.
  uint64_t end() const { return end_; }
  /// Cycles from begin() on, in ascending order.
  isa::UbCycle at(uint64_t cycle, const isa::ArchSpec &arch,
                  const BankMap &map);

private:
  static constexpr size_t kMostOperands = 6;
  /// Of operand n in a beat of a row.
  BankSet operandBanks(size_t n, uint64_t row, uint64_t beat,
                       const BankMap &map) const;

  std::array<isa::BankOperand, kMostOperands> operands_;
  std::array<uint64_t, kMostOperands> perBeat_{}; // blocks
  size_t count_ = 0;
  uint64_t rows_ = 0;
  Divisor beats_;
  uint64_t begin_ = 0, end_ = 0;
  /// Each beat takes one cycle, and no group has two blocks of an operand.
  bool simple_ = true;
  std::vector<isa::UbBanks> stepper_; // one, when needed
  uint64_t stepped_ = 0;              // cycles
};

/// A command of MTE1: what it reads from L1.
class LoadL0Beats {
public:
  LoadL0Beats() = default;
  LoadL0Beats(const isa::Command &command, const isa::PipeConfig &config,
              uint64_t occupancy, const isa::ArchSpec &arch, uint64_t now);

  uint64_t begin() const { return begin_; }
  uint64_t end() const { return end_; }
  /// Cycles from begin() on, in ascending order.
  BankSet at(uint64_t cycle, const isa::ArchSpec &arch, const BankMap &map);

private:
  BankSet copied(uint64_t index, const BankMap &map) const;
  BankSet gathered(uint64_t index, const isa::ArchSpec &arch,
                   const BankMap &map);

  uint64_t begin_ = 0, end_ = 0;
  uint64_t perCycle_ = 1;
  uint64_t address_ = 0, bytes_ = 0;
  uint64_t inner_ = 1, innerStride_ = 0, outerStride_ = 0; // fractals, bytes
  bool fractals_ = false;
  std::vector<Im2colRows> rows_; // of an im2col: one
  std::vector<uint64_t> addresses_;
  std::vector<BankSet> group_;             // what it reads one after another
  uint64_t groupBegin_ = 0, groupEnd_ = 0; // in cycles from begin_
};

/// Blocks of a local memory in the order a DMA command moves their bytes.
struct BlockWindow {
  uint64_t address = 0, rowBytes = 0;
  uint64_t rowStride = 0, blockStride = 0; // bytes
  bool operator==(const BlockWindow &) const = default;
};

/// A run of bytes of a DMA command, `perBeat` a beat.
struct MoveBeats {
  Beat beat(uint64_t index, const BankMap &map) const;
  uint64_t count() const;
  /// Whether surely no beat has blocks of one group in two banks of UB.
  bool groupsApart(const BankMap &map) const;

  void addTo(Beat &beat, const BlockWindow &window, isa::Space space,
             uint64_t index, const BankMap &map) const;

  BlockWindow window; // in `space`
  isa::Space space = isa::Space::UB;
  bool both = false; // st.l1: to `target` in L1 as well
  BlockWindow target;
  uint64_t offset = 0, bytes = 0, perBeat = 1;
};

/// A FIX command: `rate` elements a beat, 16 columns of a row after another,
/// all rows of a group of 16 columns before the next group.
struct FixBeats {
  FixBeats() = default;
  FixBeats(const isa::Command &command, const isa::PipeConfig &config,
           uint64_t rate, const BankMap &map);

  Beat beat(uint64_t index, const BankMap &map) const;
  /// Whether all it writes lies in one bank of UB.
  bool inOneUbBank(const BankMap &map) const;

  uint64_t address = 0, groupBytes = 0;
  uint64_t rows = 0, columns = 0, elements = 0, rate = 1;
  BankSet all = 0; // of L0C

  // Where it writes.
  bool toUb = false, toL1 = false;
  uint64_t target = 0, rowPitch = 0, blockPitch = 0, size = 1;

private:
  void addTarget(Beat &beat, uint64_t group, uint64_t inGroup, uint64_t run,
                 const BankMap &map) const;
};

/// Where ld.ub puts and st.ub takes its bytes.
BlockWindow loadWindow(const isa::Command &command);
BlockWindow storeWindow(const isa::Command &command);
/// What st.l1 reads and writes.
BlockWindow moveSource(const isa::Command &command);
BlockWindow moveTarget(const isa::Command &command);

} // namespace kiln::sim
