// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu/place_buffers.h"

#include "isa/support/units.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace kiln::npu {

namespace {

/// Judgements of single commands after which a search ends.
constexpr uint64_t kBudget = 20'000;
/// Beats of a part of a command that is judged; writes return within it.
constexpr uint64_t kPartBeats = 48;
constexpr uint64_t kParts = 3;

using Order = std::vector<unsigned>;
using Span = std::pair<int64_t, int64_t>; // first byte and one past the last

bool liveTogether(const BufferPlace &a, const BufferPlace &b) {
  return a.start <= b.end && b.start <= a.end;
}

/// `address` is not negative.
int64_t alignTo(int64_t address, int64_t align) {
  return (address + align - 1) / align * align;
}

/// What is taken beside buffer `which`, merged and in order.
std::vector<Span> takenBeside(std::span<const BufferPlace> buffers,
                              unsigned which,
                              std::span<const unsigned> placed) {
  std::vector<Span> taken;
  for (unsigned other : placed) {
    const BufferPlace &b = buffers[other];
    if (other != which && liveTogether(b, buffers[which])) {
      taken.push_back({b.address, b.address + b.bytes});
    }
  }
  std::sort(taken.begin(), taken.end());
  return taken;
}

int64_t lowestFree(const BufferPlace &buffer, const std::vector<Span> &taken) {
  int64_t address = 0;
  for (auto [lo, hi] : taken) {
    if (address + buffer.bytes <= lo) {
      break;
    }
    address = std::max(address, alignTo(hi, buffer.align));
  }
  return address;
}

int64_t placeInOrder(std::span<BufferPlace> buffers, const Order &order) {
  int64_t needed = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    BufferPlace &buffer = buffers[order[i]];
    buffer.address = lowestFree(
        buffer, takenBeside(buffers, order[i], std::span(order).first(i)));
    needed = std::max(needed, buffer.address + buffer.bytes);
  }
  return needed;
}

Order largestFirst(std::span<const BufferPlace> buffers) {
  Order order(buffers.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](unsigned a, unsigned b) {
    return std::tuple(-buffers[a].bytes, buffers[a].start, a) <
           std::tuple(-buffers[b].bytes, buffers[b].start, b);
  });
  return order;
}

/// The search behind separateBanks().
class Search {
public:
  Search(std::span<BufferPlace> buffers, int64_t capacity, BankCost &cost)
      : best_(buffers.begin(), buffers.end()), order_(largestFirst(buffers)),
        capacity_(capacity), cost_(cost), least_(cost(buffers)) {
    offsets_.resize(buffers.size());
    for (const BankCommand &command : cost.commands()) {
      for (const BankCommand::Operand &x : command.operands) {
        offsets_[x.buffer].push_back(static_cast<int64_t>(x.blocks.base));
      }
    }
    for (std::vector<int64_t> &offsets : offsets_) {
      std::sort(offsets.begin(), offsets.end());
      offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
    }
  }

  void run() {
    for (bool better = true; better && mayGoOn();) {
      better = moveOne();
      better |= swapTwo();
    }
  }
  const std::vector<BufferPlace> &best() const { return best_; }
  uint64_t least() const { return least_; }

private:
  bool mayGoOn() const { return least_ > 0 && cost_.judged() < kBudget; }

  /// Keeps `places` when it loses less than the best.
  bool keep(const std::vector<BufferPlace> &places) {
    const uint64_t lost = cost_(places);
    if (lost >= least_) {
      return false;
    }
    least_ = lost;
    best_ = places;
    return true;
  }

  /// Addresses worth trying for one buffer in the gap [lo, hi).
  void candidatesIn(unsigned which, int64_t lo, int64_t hi,
                    std::vector<int64_t> &out) const {
    const BufferPlace &buffer = best_[which];
    const auto bank = static_cast<int64_t>(cost_.banks().bankBytes());
    const auto half = static_cast<int64_t>(cost_.banks().halfTurnBytes());
    auto offer = [&](int64_t address) {
      for (int64_t at : {address, address + half}) {
        at = alignTo(std::max(at, lo), buffer.align);
        if (at + buffer.bytes <= hi) {
          out.push_back(at);
        }
      }
    };
    offer(lo);
    offer((hi - buffer.bytes) / buffer.align * buffer.align);
    for (int64_t edge = alignTo(lo, bank); edge < hi; edge += bank) {
      offer(edge - buffer.bytes);
      for (int64_t offset : offsets_[which]) {
        offer(edge - offset);
      }
    }
  }

  std::vector<int64_t> candidates(unsigned which) const {
    std::vector<int64_t> out;
    int64_t lo = 0;
    for (auto [from, to] : takenBeside(best_, which, order_)) {
      candidatesIn(which, lo, from, out);
      lo = std::max(lo, to);
    }
    candidatesIn(which, lo, capacity_, out);
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }

  /// Every buffer that V works on goes to its best place beside the others.
  bool moveOne() {
    bool better = false;
    for (unsigned which : order_) {
      if (offsets_[which].empty()) {
        continue;
      }
      std::vector<BufferPlace> places = best_;
      for (int64_t address : candidates(which)) {
        if (!mayGoOn()) {
          return better;
        }
        places[which].address = address;
        better |= keep(places);
      }
    }
    return better;
  }

  /// First fit with two buffers of the order exchanged.
  bool swapTwo() {
    bool better = false;
    for (size_t i = 0; i < order_.size(); ++i) {
      for (size_t j = i + 1; j < order_.size() && mayGoOn(); ++j) {
        Order order = order_;
        std::swap(order[i], order[j]);
        std::vector<BufferPlace> places = best_;
        if (placeInOrder(places, order) <= capacity_ && keep(places)) {
          order_ = order;
          better = true;
        }
      }
    }
    return better;
  }

  std::vector<BufferPlace> best_;
  Order order_;
  int64_t capacity_;
  BankCost &cost_;
  uint64_t least_;
  std::vector<std::vector<int64_t>> offsets_; // of operands, by buffer
};

} // namespace

bool BankCommand::isPlaced() const {
  return std::any_of(operands.begin(), operands.end(), [&](const Operand &x) {
    return x.buffer != operands.front().buffer ||
           x.blocks.base != operands.front().blocks.base;
  });
}

BankCost::BankCost(isa::UbBanks banks, std::vector<BankCommand> commands)
    : banks_(std::move(banks)) {
  for (BankCommand &command : commands) {
    if (!banks_.exist() || !command.isPlaced()) {
      continue;
    }
    auto same = std::find_if(
        commands_.begin(), commands_.end(),
        [&](const BankCommand &known) { return known.doesTheSame(command); });
    if (same != commands_.end()) {
      same->times += command.times;
    } else {
      commands_.push_back(std::move(command));
    }
  }
  known_.resize(commands_.size());
}

/// Three parts of a long command stand for all of it: begin, middle and end,
/// in rows when it has several, else in blocks.
uint64_t BankCost::judge(const BankCommand &command,
                         std::span<const int64_t> addresses) {
  ++judged_;
  const uint64_t rows = command.rows, beats = command.beatsPerRow;
  const bool whole = rows * beats <= kParts * kPartBeats;
  const uint64_t partRows =
      whole ? rows : std::min(rows, std::max<uint64_t>(1, kPartBeats / beats));
  const uint64_t partBeats = whole ? beats : std::min(beats, kPartBeats);
  const uint64_t parts = whole ? 1 : kParts;
  uint64_t lost = 0;
  for (uint64_t part = 0; part < parts; ++part) {
    const uint64_t row = (rows - partRows) * part / (kParts - 1);
    const uint64_t beat = (beats - partBeats) * part / (kParts - 1);
    std::vector<isa::BankOperand> operands;
    for (size_t i = 0; i < addresses.size(); ++i) {
      isa::BankOperand x = command.operands[i].blocks;
      const uint64_t perBeat = ceilDiv(x.blocks, beats);
      x.base += static_cast<uint64_t>(addresses[i]) + row * x.rowStride +
                beat * perBeat * x.blockStride;
      if (partBeats < beats) {
        x.blocks -= std::min(x.blocks, beat * perBeat);
        x.blocks = std::min(x.blocks, partBeats * perBeat);
      }
      isa::addOperand(operands, x);
    }
    lost += banks_.lostCycles(operands, partRows, partBeats);
  }
  return lost * (rows * beats) / (partRows * partBeats * parts) * command.times;
}

uint64_t BankCost::operator()(std::span<const BufferPlace> buffers) {
  uint64_t sum = 0;
  for (size_t i = 0; i < commands_.size(); ++i) {
    key_.clear();
    for (const BankCommand::Operand &x : commands_[i].operands) {
      key_.push_back(buffers[x.buffer].address);
    }
    auto [it, isNew] = known_[i].try_emplace(key_, 0);
    if (isNew) {
      it->second = judge(commands_[i], key_);
    }
    sum += it->second;
  }
  return sum;
}

int64_t placeFirstFit(std::span<BufferPlace> buffers) {
  return placeInOrder(buffers, largestFirst(buffers));
}

uint64_t separateBanks(std::span<BufferPlace> buffers, int64_t capacity,
                       BankCost &cost) {
  Search search(buffers, capacity, cost);
  search.run();
  std::copy(search.best().begin(), search.best().end(), buffers.begin());
  return search.least();
}

} // namespace kiln::npu
