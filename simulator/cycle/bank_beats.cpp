// SPDX-License-Identifier: Apache-2.0
#include "simulator/cycle/bank_beats.h"

#include "isa/support/units.h"

#include <algorithm>

namespace kiln::sim {

using isa::kCellRows;
using isa::kL0CCellBytes;

namespace {

constexpr uint64_t kAccumulatorBytes = 4;
constexpr uint64_t kRowBytes = kCellRows * kAccumulatorBytes; // of a cell

/// A run of `run` ones from bit `by` on, round a ring of `bits`.
uint64_t turnedRun(uint64_t run, uint64_t by, uint64_t bits) {
  const uint64_t ones = (run < 64 ? uint64_t{1} << run : 0) - 1;
  const uint64_t all = (bits < 64 ? uint64_t{1} << bits : 0) - 1;
  return (ones << by | (by ? ones >> (bits - by) : 0)) & all;
}

} // namespace

BankMap::BankMap(const isa::ArchSpec &arch) {
  const isa::BankTiming &banks = arch.timing.banks;
  if (banks.l0cBanks) {
    l0cBanks_ = banks.l0cBanks;
    l0cBankBytes_ = arch.arch.capacity(isa::Space::L0C) / l0cBanks_;
  }
  if (banks.l1PipesMeet && banks.l1Banks) {
    hasL1_ = true;
    l1Banks_ = Divisor(banks.l1Banks);
  }
  if (banks.ubPipesMeet && banks.ubGroups) {
    hasUb_ = true;
    groups_ = Divisor(banks.ubGroups);
    ubBanks_ = Divisor(banks.ubBanks);
    ubBankBytes_ = Divisor(arch.arch.capacity(isa::Space::UB) / banks.ubBanks);
  }
}

BankSet BankMap::l0c(uint64_t from, uint64_t bytes) const {
  BankSet set = 0;
  const uint64_t first = from / l0cBankBytes_;
  const uint64_t last =
      std::min((from + bytes - 1) / l0cBankBytes_, first + l0cBanks_ - 1);
  for (uint64_t b = first; b <= last; ++b) {
    set |= BankSet{1} << b % l0cBanks_;
  }
  return set;
}

BankSet BankMap::l1(uint64_t from, uint64_t bytes) const {
  const uint64_t first = from / isa::kBlockBytes;
  const uint64_t rows = (from + bytes - 1) / isa::kBlockBytes - first + 1;
  return turnedRun(std::min<uint64_t>(rows, l1Banks_), l1Banks_.rest(first),
                   l1Banks_);
}

BankSet BankMap::ubRun(uint64_t address, uint64_t blocks) const {
  const uint64_t group = groups_.rest(address / isa::kBlockBytes);
  const uint64_t bank = ubBanks_.rest(ubBankBytes_.quotient(address));
  const uint64_t left = ubBankBytes_ - ubBankBytes_.rest(address);
  if (blocks * isa::kBlockBytes > left) { // in two banks
    const uint64_t first = ceilDiv(left, isa::kBlockBytes);
    return ubRun(address, first) |
           ubRun(address + first * isa::kBlockBytes, blocks - first);
  }
  return turnedRun(blocks, group, groups_) << bank * groups_;
}

uint64_t BankMap::groupsOf(BankSet ub) const {
  uint64_t groups = 0;
  for (uint64_t bank = 0; bank < ubBanks_; ++bank) {
    groups |= ub >> bank * groups_;
  }
  return groups & ((groups_ < 64 ? uint64_t{1} << groups_ : 0) - 1);
}

BankSet BankMap::lowestPerGroup(BankSet ub, uint64_t without) const {
  BankSet chosen = 0;
  for (uint64_t bank = 0; bank < ubBanks_; ++bank) {
    const uint64_t shift = bank * groups_;
    const uint64_t groups = (ub >> shift) & ~without &
                            ((groups_ < 64 ? uint64_t{1} << groups_ : 0) - 1);
    chosen |= groups << shift;
    without |= groups;
  }
  return chosen;
}

CubeBeats::CubeBeats(const isa::CubeShape &shape, uint64_t weight,
                     uint64_t cycles, const isa::CellRate &rate,
                     const BankMap &map, uint64_t now)
    : begin(now), end(now + cycles), address(shape.addr),
      cells(ceilDiv(shape.m, kCellRows) * ceilDiv(shape.n, kCellRows)),
      rateCells(rate.cells), rateCycles(rate.cycles * weight) {
  if (cells == 0) { // a command that does nothing
    end = begin;
    return;
  }
  all = map.l0c(address, cells * kL0CCellBytes);
}

/// Rule 36.
BankSet CubeBeats::l0c(uint64_t cycle, const BankMap &map) const {
  const uint64_t first = firstCell(cycle);
  const uint64_t last =
      std::max(ceilDiv((cycle + 1 - begin) * rateCells, rateCycles), first + 1);
  BankSet set = 0;
  for (uint64_t cell = first; cell < last; ++cell) {
    set |= map.l0c(address + cell % cells * kL0CCellBytes, 1);
  }
  return set;
}

uint64_t CubeBeats::leavesBank(uint64_t cycle, const BankMap &map) const {
  const uint64_t cell = firstCell(cycle);
  const uint64_t inTile = cell % cells;
  const uint64_t inBank =
      map.leftInL0cBank(address + inTile * kL0CCellBytes) / kL0CCellBytes;
  const uint64_t run = std::min(cells - inTile, inBank);
  const uint64_t next = begin + ceilDiv((cell + run) * rateCycles, rateCells);
  return std::min(std::max(next, cycle + 1), end);
}

VectorBeats::VectorBeats(std::span<const isa::BankOperand> operands,
                         uint64_t rows, uint64_t beatsPerRow, uint64_t lost,
                         const isa::BankTiming &timing, const BankMap &map,
                         uint64_t now)
    : rows_(rows), beats_(beatsPerRow), begin_(now) {
  count_ = std::min(operands.size(), kMostOperands);
  std::copy_n(operands.begin(), count_, operands_.begin());
  simple_ = lost == 0;
  for (size_t i = 0; i < count_; ++i) {
    const isa::BankOperand &x = operands_[i];
    perBeat_[i] = ceilDiv(x.blocks, beatsPerRow);
    simple_ &= x.blocks <= 1 || (x.blockStride == isa::kBlockBytes &&
                                 perBeat_[i] <= map.groups());
  }
  // A write may go later than the delay when its group has another one.
  end_ = now + rows * beatsPerRow + lost + timing.ubWriteDelayCycles +
         (simple_ ? 0 : 64);
}

BankSet VectorBeats::operandBanks(size_t n, uint64_t row, uint64_t beat,
                                  const BankMap &map) const {
  const isa::BankOperand &x = operands_[n];
  const uint64_t from = beat * perBeat_[n];
  if (from >= x.blocks) {
    return 0;
  }
  return map.ubRun(x.base + row * x.rowStride + from * x.blockStride,
                   std::min(perBeat_[n], x.blocks - from));
}

isa::UbCycle VectorBeats::at(uint64_t cycle, const isa::ArchSpec &arch,
                             const BankMap &map) {
  isa::UbCycle use;
  const isa::BankTiming &timing = arch.timing.banks;
  const uint64_t index = cycle - begin_;
  if (!simple_) {
    if (stepper_.empty()) {
      stepper_.emplace_back(timing, arch.arch.capacity(isa::Space::UB));
      stepper_[0].start({operands_.data(), count_}, rows_, beats_);
    }
    for (; stepped_ <= index; ++stepped_) {
      use = stepper_[0].step();
    }
    return use;
  }
  const uint64_t beats = rows_ * beats_;
  const bool reads = index < beats;
  const uint64_t readRow = beats_.quotient(index),
                 readBeat = beats_.rest(index);
  const uint64_t written = index - timing.ubWriteDelayCycles;
  const bool writes = index >= timing.ubWriteDelayCycles && written < beats;
  const uint64_t row = beats_.quotient(written), beat = beats_.rest(written);
  std::array<uint64_t, 16> served{}; // groups with that many reads, and one
  for (size_t i = 0; i < count_; ++i) {
    if (operands_[i].write && writes) {
      use.writes |= operandBanks(i, row, beat, map);
    } else if (!operands_[i].write && reads) {
      const BankSet banks = operandBanks(i, readRow, readBeat, map);
      use.reads |= banks;
      const uint64_t groups = map.groupsOf(banks);
      for (uint32_t n = timing.ubReads - 1; n > 0; --n) {
        served[n] |= served[n - 1] & groups;
      }
      served[0] |= groups;
    }
  }
  use.full = served[timing.ubReads - 1];
  return use;
}

LoadL0Beats::LoadL0Beats(const isa::Command &command,
                         const isa::PipeConfig &config, uint64_t occupancy,
                         const isa::ArchSpec &arch, uint64_t now)
    : begin_(now), end_(now + occupancy) {
  const isa::TimingPart &timing = arch.timing;
  switch (command.op) {
  case isa::Opcode::kIm2col:
    rows_.emplace_back(command, config, timing.im2colRowsPerCycle);
    return;
  case isa::Opcode::kCpBt:
    address_ = command.rs2;
    bytes_ = isa::ByteCount::unpack(command.rs3).bytes;
    perCycle_ = timing.l1ToBt.bytesPerCycle;
    return;
  default:
    break;
  }
  const auto to = isa::FractalTarget::unpack(command.rs1);
  const auto from = isa::FractalSource::unpack(command.rs2);
  const bool toL0a = command.op == isa::Opcode::kCpL0a;
  fractals_ = true;
  perCycle_ =
      toL0a ? timing.l1ToL0A.bytesPerCycle : timing.l1ToL0B.bytesPerCycle;
  address_ = from.addr;
  bytes_ = isa::kFractalBytes * to.outer * to.inner;
  // What of the source makes an inner row of the target.
  const auto transpose = static_cast<isa::Transpose>(command.f3);
  inner_ = to.inner;
  if (transpose == isa::Transpose::kT8) {
    inner_ = toL0a ? 2 * inner_ : inner_ / 2;
  } else if (transpose == isa::Transpose::kT32) {
    inner_ = toL0a ? inner_ / 2 : 2 * inner_;
  }
  inner_ = std::max<uint64_t>(inner_, 1);
  innerStride_ = isa::kFractalBytes * from.innerStride;
  outerStride_ = isa::kFractalBytes * from.outerStride;
}

BankSet LoadL0Beats::copied(uint64_t index, const BankMap &map) const {
  BankSet set = 0;
  const uint64_t end = std::min(bytes_, (index + 1) * perCycle_);
  for (uint64_t at = index * perCycle_; at < end;) {
    if (!fractals_) {
      return map.l1(address_ + at, end - at);
    }
    const uint64_t fractal = at / isa::kFractalBytes;
    const uint64_t inside = at % isa::kFractalBytes;
    const uint64_t run = std::min(end - at, isa::kFractalBytes - inside);
    set |= map.l1(address_ + fractal / inner_ * outerStride_ +
                      fractal % inner_ * innerStride_ + inside,
                  run);
    at += run;
  }
  return set;
}

/// Of an im2col: each group takes one read after another of its fullest bank.
BankSet LoadL0Beats::gathered(uint64_t index, const isa::ArchSpec &arch,
                              const BankMap &map) {
  const uint64_t cycles = arch.timing.im2colCycles;
  BankSet set = 0;
  while (groupEnd_ <= index) {
    std::vector<BankSet> &reads = group_;
    reads.clear();
    if (rows_[0].next(addresses_)) {
      for (uint64_t address : addresses_) {
        const BankSet bank = map.l1(address, 1);
        size_t n = 0;
        while (n < reads.size() && (reads[n] & bank)) {
          ++n;
        }
        if (n == reads.size()) {
          reads.push_back(0);
        }
        reads[n] |= bank;
      }
    }
    groupBegin_ = groupEnd_;
    groupEnd_ += cycles * std::max<uint64_t>(reads.size(), 1);
  }
  const uint64_t inside = index - groupBegin_;
  if (inside % cycles == 0 && inside / cycles < group_.size()) {
    set = group_[inside / cycles];
  }
  return set;
}

BankSet LoadL0Beats::at(uint64_t cycle, const isa::ArchSpec &arch,
                        const BankMap &map) {
  const uint64_t index = cycle - begin_;
  return rows_.empty() ? copied(index, map) : gathered(index, arch, map);
}

uint64_t MoveBeats::count() const { return ceilDiv(bytes, perBeat); }

bool MoveBeats::groupsApart(const BankMap &map) const {
  if (bytes == 0 || window.rowBytes == 0) {
    return true;
  }
  const uint64_t row = offset / window.rowBytes,
                 rows = (offset + bytes - 1) / window.rowBytes - row;
  const bool together = window.blockStride == isa::kBlockBytes &&
                        (rows == 0 || window.rowStride == window.rowBytes) &&
                        perBeat <= map.groups() * isa::kBlockBytes &&
                        offset % window.rowBytes % isa::kBlockBytes == 0;
  const uint64_t blocks = ceilDiv(window.rowBytes, isa::kBlockBytes);
  const uint64_t first = window.address + row * window.rowStride;
  const uint64_t last =
      first + rows * window.rowStride + blocks * window.blockStride - 1;
  return together || map.ubBank(first) == map.ubBank(last);
}

Beat MoveBeats::beat(uint64_t index, const BankMap &map) const {
  Beat beat;
  addTo(beat, window, space, index, map);
  if (both) {
    addTo(beat, target, isa::Space::L1, index, map);
  }
  return beat;
}

void MoveBeats::addTo(Beat &beat, const BlockWindow &w, isa::Space where,
                      uint64_t index, const BankMap &map) const {
  if (index * perBeat >= bytes) {
    return;
  }
  const uint64_t from = offset + index * perBeat;
  uint64_t left = std::min(perBeat, bytes - index * perBeat);
  uint64_t row = from / w.rowBytes, at = from % w.rowBytes;
  while (left) {
    const uint64_t address =
        w.address + row * w.rowStride + at / isa::kBlockBytes * w.blockStride;
    if (where == isa::Space::UB) {
      map.addUb(beat, address);
    } else {
      beat.l1 |= map.l1(address, 1);
    }
    const uint64_t run = std::min(
        {left, isa::kBlockBytes - at % isa::kBlockBytes, w.rowBytes - at});
    left -= run;
    at += run;
    if (at == w.rowBytes) {
      at = 0;
      ++row;
    }
  }
}

FixBeats::FixBeats(const isa::Command &command, const isa::PipeConfig &config,
                   uint64_t perBeat, const BankMap &map)
    : rate(perBeat) {
  const auto tile = isa::AccumulatorTile::unpack(command.rs2);
  address = tile.addr;
  rows = tile.m;
  columns = tile.n;
  const uint64_t groups = ceilDiv(tile.n, kCellRows);
  elements = rows * groups * kCellRows;
  groupBytes = kL0CCellBytes * isa::FixConfig0::unpack(config.fix[0]).l0cM1;
  if (elements && map.hasL0c()) {
    all = map.l0c(address, (groups - 1) * groupBytes + rows * kRowBytes);
  }
  const auto strides = isa::FixStrides::unpack(command.rs3);
  toUb = command.op == isa::Opcode::kFixUb && map.hasUb();
  toL1 = command.op == isa::Opcode::kFixL1 && map.hasL1();
  target = command.rs1;
  rowPitch = strides.mPitch;
  blockPitch = strides.c1Stride;
  size = std::max(1u, isa::sizeOf(isa::FixConfig0::unpack(config.fix[0]).type));
}

/// The blocks that elements [inGroup, inGroup + run) of a group of 16
/// columns go to.
void FixBeats::addTarget(Beat &beat, uint64_t group, uint64_t inGroup,
                         uint64_t run, const BankMap &map) const {
  const uint64_t perBlock = isa::kBlockBytes / size;
  for (uint64_t e = inGroup; e < inGroup + run;) {
    const uint64_t column = group * kCellRows + e % kCellRows;
    const uint64_t piece =
        std::min({inGroup + run - e, kCellRows - e % kCellRows,
                  perBlock - column % perBlock});
    if (column < columns) {
      const uint64_t at = target + column / perBlock * blockPitch +
                          e / kCellRows * rowPitch + column % perBlock * size;
      const uint64_t bytes = std::min(piece, columns - column) * size;
      if (toL1) {
        beat.l1 |= map.l1(at, bytes);
      } else {
        map.addUb(beat, at);
        map.addUb(beat, at + bytes - 1);
      }
    }
    e += piece;
  }
}

bool FixBeats::inOneUbBank(const BankMap &map) const {
  const uint64_t last = target +
                        ceilDiv(columns * size, isa::kBlockBytes) * blockPitch +
                        rows * rowPitch;
  return map.ubBank(target) == map.ubBank(last);
}

Beat FixBeats::beat(uint64_t index, const BankMap &map) const {
  Beat beat;
  const uint64_t end = std::min(elements, (index + 1) * rate);
  for (uint64_t at = index * rate; at < end;) {
    const uint64_t group = at / (kCellRows * rows);
    const uint64_t inGroup = at % (kCellRows * rows);
    const uint64_t run = std::min(end - at, kCellRows * rows - inGroup);
    if (map.hasL0c()) {
      beat.l0c |=
          map.l0c(address + group * groupBytes + inGroup * kAccumulatorBytes,
                  run * kAccumulatorBytes);
    }
    if (toUb || toL1) {
      addTarget(beat, group, inGroup, run, map);
    }
    at += run;
  }
  return beat;
}

namespace {

BlockWindow windowOf(const isa::LocalView &view, uint64_t rowBytes) {
  return {view.addr, rowBytes, isa::kBlockBytes * view.rowStride,
          isa::kBlockBytes * view.blkStride};
}

} // namespace

BlockWindow loadWindow(const isa::Command &c) {
  const uint64_t rowBytes = isa::LoadGeometry::unpack(c.rs3).rowBytes;
  auto view = isa::LocalView::unpack(c.rs1);
  BlockWindow w = windowOf(view, rowBytes);
  if (c.op == isa::Opcode::kLdNz) { // rows together, columns apart
    w.blockStride = w.rowStride;
    w.rowStride = isa::kBlockBytes;
  }
  return w;
}

BlockWindow storeWindow(const isa::Command &c) {
  return windowOf(isa::LocalView::unpack(c.rs2),
                  isa::StoreGeometry::unpack(c.rs3).rowBytes);
}

BlockWindow moveSource(const isa::Command &c) {
  return windowOf(isa::LocalView::unpack(c.rs2),
                  isa::RowBlocks::unpack(c.rs3).blocks * isa::kBlockBytes);
}

BlockWindow moveTarget(const isa::Command &c) {
  return windowOf(isa::LocalView::unpack(c.rs1),
                  isa::RowBlocks::unpack(c.rs3).blocks * isa::kBlockBytes);
}

} // namespace kiln::sim
