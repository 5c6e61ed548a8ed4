// SPDX-License-Identifier: Apache-2.0
#include "isa/arch/ub_banks.h"

#include "isa/support/units.h"

#include <algorithm>
#include <array>
#include <bit>

namespace kiln::isa {

void addOperand(std::vector<BankOperand> &operands, const BankOperand &x) {
  const bool repeated = x.blocks > 1 && x.blockStride == 0;
  const bool known = !x.write && std::find(operands.begin(), operands.end(),
                                           x) != operands.end();
  if (x.blocks != 0 && !repeated && !known) {
    operands.push_back(x);
  }
}

uint64_t UbBanks::halfTurnBytes() const {
  return timing_.ubGroups / 2 * kBlockBytes;
}

/// Whether no two operands have a bank in common and none meets itself: the
/// usual case, decided without looking at beats.
bool UbBanks::neverMeet(std::span<const BankOperand> operands,
                        uint64_t rows) const {
  uint64_t taken = 0; // there are at most 16 banks
  for (const BankOperand &x : operands) {
    if (x.blocks > 1 && x.blockStride != kBlockBytes) {
      return false;
    }
    const uint64_t last =
        x.base + (rows - 1) * x.rowStride + (x.blocks - 1) * x.blockStride;
    uint64_t mine = 0;
    for (uint64_t b = x.base / bankBytes_; b <= last / bankBytes_; ++b) {
      mine |= uint64_t{1} << b;
    }
    if (taken & mine) {
      return false;
    }
    taken |= mine;
  }
  return true;
}

/// The accesses of one beat.
void UbBanks::gather(std::span<const BankOperand> operands, uint64_t row,
                     uint64_t beat, uint64_t beats) {
  reads_.clear();
  writes_.clear();
  for (const BankOperand &x : operands) {
    const uint64_t perBeat = ceilDiv(x.blocks, beats);
    const uint64_t end = std::min(x.blocks, (beat + 1) * perBeat);
    for (uint64_t k = beat * perBeat; k < end; ++k) {
      const uint64_t address = x.base + row * x.rowStride + k * x.blockStride;
      Access a{static_cast<uint32_t>(address / kBlockBytes % timing_.ubGroups),
               1u << (address / bankBytes_)};
      (x.write ? writes_ : reads_).push_back(a);
    }
  }
}

/// Rule 31: serves reads of a beat in `cycle`; whether none is left.
bool UbBanks::serveReads(uint64_t cycle, UbCycle *use) {
  std::array<uint32_t, 64> busy{};
  std::array<uint8_t, 64> count{};
  uint32_t *written = &written_[cycle % ring_ * timing_.ubGroups];
  std::copy_n(written, timing_.ubGroups, busy.begin());
  auto left = reads_.begin();
  for (const Access &a : reads_) {
    if (busy[a.group] & a.bank || count[a.group] == timing_.ubReads) {
      *left++ = a;
      continue;
    }
    busy[a.group] |= a.bank;
    ++count[a.group];
    if (use) {
      const auto bank = static_cast<unsigned>(std::countr_zero(a.bank));
      use->reads |= uint64_t{1} << (bank * timing_.ubGroups + a.group);
      if (count[a.group] == timing_.ubReads) {
        use->full |= uint64_t{1} << a.group;
      }
    }
  }
  reads_.erase(left, reads_.end());
  if (use) {
    for (uint32_t g = 0; g < timing_.ubGroups; ++g) {
      for (uint32_t banks = written[g]; banks; banks &= banks - 1) {
        const auto bank = static_cast<unsigned>(std::countr_zero(banks));
        use->writes |= uint64_t{1} << (bank * timing_.ubGroups + g);
      }
    }
  }
  std::fill(written, written + timing_.ubGroups, 0);
  return reads_.empty();
}

/// Rule 32: the writes of a beat whose last read was in `cycle`; a second
/// block of a group goes a cycle later.
void UbBanks::planWrites(uint64_t cycle) {
  for (const Access &a : writes_) {
    uint64_t at = cycle + timing_.ubWriteDelayCycles;
    const uint64_t latest = cycle + ring_ - 1;
    while (at < latest && written_[at % ring_ * timing_.ubGroups + a.group]) {
      ++at;
    }
    written_[at % ring_ * timing_.ubGroups + a.group] |= a.bank;
  }
}

void UbBanks::forgetWrites() {
  ring_ = timing_.ubWriteDelayCycles + 64;
  written_.assign(ring_ * timing_.ubGroups, 0);
}

uint64_t UbBanks::lostCycles(std::span<const BankOperand> operands,
                             uint64_t rows, uint64_t beatsPerRow) {
  if (!exist() || rows == 0 || beatsPerRow == 0 || neverMeet(operands, rows)) {
    return 0;
  }
  forgetWrites();
  uint64_t cycle = 0;
  for (uint64_t row = 0; row < rows; ++row) {
    for (uint64_t beat = 0; beat < beatsPerRow; ++beat) {
      gather(operands, row, beat, beatsPerRow);
      while (!serveReads(cycle, nullptr)) {
        ++cycle;
      }
      planWrites(cycle++);
    }
  }
  return cycle - rows * beatsPerRow;
}

void UbBanks::start(std::span<const BankOperand> operands, uint64_t rows,
                    uint64_t beatsPerRow) {
  forgetWrites();
  operands_ = operands;
  rows_ = rows;
  beats_ = beatsPerRow;
  row_ = beat_ = cycle_ = 0;
  gathered_ = false;
}

UbCycle UbBanks::step() {
  UbCycle use;
  const bool inBeats = row_ < rows_;
  if (inBeats && !gathered_) {
    gather(operands_, row_, beat_, beats_);
    gathered_ = true;
  } else if (!inBeats) {
    reads_.clear();
  }
  if (serveReads(cycle_, &use) && inBeats) {
    planWrites(cycle_);
    gathered_ = false;
    if (++beat_ == beats_) {
      beat_ = 0;
      ++row_;
    }
  }
  ++cycle_;
  return use;
}

} // namespace kiln::isa
