// SPDX-License-Identifier: Apache-2.0
#include "compiler/transforms/npu/place_buffers.h"

#include "isa/support/units.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <tuple>

namespace kiln::npu {

namespace {

/// VectorCost::judged() after which a search ends.
constexpr uint64_t kBudget = 150'000;
/// What judging the banks of one command counts, beside its look-up.
constexpr uint64_t kJudgement = 20;
/// Orders tried after the last that was better.
constexpr unsigned kPatience = 300;
/// Beats of a part of a command that is judged; writes return within it.
constexpr uint64_t kPartBeats = 40;
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

/// Buffers that commands have in common follow each other, largest group and
/// largest buffer first.
Order inGroups(std::span<const BufferPlace> buffers, const PlaceCost &cost) {
  Order group(buffers.size());
  std::iota(group.begin(), group.end(), 0u);
  for (auto [a, b] : cost.pairs()) {
    const unsigned from = std::max(group[a], group[b]),
                   to = std::min(group[a], group[b]);
    std::replace(group.begin(), group.end(), from, to);
  }
  std::vector<int64_t> bytes(buffers.size());
  for (unsigned i = 0; i < buffers.size(); ++i) {
    bytes[group[i]] += buffers[i].bytes;
  }
  Order order(buffers.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](unsigned a, unsigned b) {
    return std::tuple(-bytes[group[a]], group[a], -buffers[a].bytes, a) <
           std::tuple(-bytes[group[b]], group[b], -buffers[b].bytes, b);
  });
  return order;
}

/// The search behind placeForLess().
class Search {
public:
  Search(std::span<BufferPlace> buffers, int64_t capacity, PlaceCost &cost)
      : best_(buffers.begin(), buffers.end()), capacity_(capacity), cost_(cost),
        least_(cost(buffers)), offsets_(buffers.size()),
        maySpread_(buffers.size(), cost.spreadsSlots()) {
    const int64_t apart = cost.bankBytes() / 16;
    for (const auto &[buffer, all] : cost.offsets()) {
      std::vector<int64_t> &offsets = offsets_[buffer];
      for (int64_t offset : all) { // those near another lead to the same place
        if (offsets.empty() || offset - offsets.back() > apart) {
          offsets.push_back(offset);
        }
      }
    }
  }

  void run() {
    Order order = largestFirst(best_);
    tryOrder(order);
    if (tryOrder(inGroups(best_, cost_))) {
      order = inGroups(best_, cost_);
    }
    for (unsigned since = 0; mayGoOn() && since < kPatience; ++since) {
      Order other = order;
      for (uint64_t swaps = 1 + draw(3); swaps > 0; --swaps) {
        std::swap(other[draw(other.size())], other[draw(other.size())]);
      }
      drawSpread();
      if (tryOrder(other)) {
        order = other;
        since = 0;
      }
    }
  }
  const std::vector<BufferPlace> &best() const { return best_; }
  uint64_t least() const { return least_; }

private:
  bool mayGoOn() const { return least_ > 0 && cost_.judged() < kBudget; }

  /// A number below n, the same ones in every run (splitmix64).
  uint64_t draw(uint64_t n) {
    uint64_t x = seed_ += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return (x ^ (x >> 31)) % n;
  }

  /// Where not all slots can be spread, some may.
  void drawSpread() {
    for (size_t i = 0; i < maySpread_.size() && cost_.spreadsSlots(); ++i) {
      maySpread_[i] = draw(3) != 0;
    }
  }

  bool keep(const std::vector<BufferPlace> &places, uint64_t lost) {
    if (lost >= least_) {
      return false;
    }
    least_ = lost;
    best_ = places;
    return true;
  }

  /// Whether the order leads to something better.
  bool tryOrder(const Order &order) {
    std::vector<BufferPlace> places = best_;
    for (BufferPlace &place : places) {
      place.setPitch(place.slotBytes);
    }
    bool better =
        placeInOrder(places, order) <= capacity_ && keep(places, cost_(places));
    uint64_t lost = 0;
    if (mayGoOn() && placeOneByOne(places, order, lost)) {
      better |= keep(places, lost);
    }
    return better;
  }

  /// False when a buffer finds no place or the best is not reached.
  bool placeOneByOne(std::vector<BufferPlace> &places, const Order &order,
                     uint64_t &lost) {
    std::vector<bool> placed(places.size());
    for (size_t i = 0; i < order.size(); ++i) {
      const unsigned which = order[i];
      placed[which] = true;
      const uint64_t least =
          placeOne(places, which, placed, std::span(order).first(i), lost);
      if (least == UINT64_MAX || (lost += least) >= least_) {
        return false;
      }
    }
    return true;
  }

  /// Gives a buffer the cheapest place beside those before it; returns what it
  /// costs, UINT64_MAX where it finds none.
  uint64_t placeOne(std::vector<BufferPlace> &places, unsigned which,
                    const std::vector<bool> &placed,
                    std::span<const unsigned> before, uint64_t lost) {
    BufferPlace &place = places[which];
    BufferPlace best = place;
    uint64_t least = UINT64_MAX;
    const auto taken = takenBeside(places, which, before);
    for (int64_t pitch : pitches(place, which)) {
      place.setPitch(pitch);
      for (int64_t address : candidates(place, which, taken)) {
        place.address = address;
        const uint64_t cost =
            cost_.of(which, places, placed, std::min(least, least_ - lost));
        if (cost < least) {
          least = cost;
          best = place;
        }
        if (cost == 0) {
          return 0;
        }
      }
    }
    place = best;
    return least;
  }

  std::vector<int64_t> pitches(const BufferPlace &place, unsigned which) const {
    const int64_t bank = cost_.bankBytes();
    std::vector<int64_t> out = {place.slotBytes};
    if (maySpread_[which] && bank && place.slots > 1 &&
        place.slotBytes % bank != 0) {
      out.push_back(alignTo(place.slotBytes, bank));
    }
    return out;
  }

  /// Addresses worth trying for one buffer in the gap [lo, hi).
  void candidatesIn(const BufferPlace &buffer, unsigned which, int64_t lo,
                    int64_t hi, std::vector<int64_t> &out) const {
    const int64_t bank = cost_.bankBytes(), half = cost_.stepBytes();
    auto offer = [&](int64_t address) {
      for (int64_t at : {address, address + half}) {
        at = alignTo(std::max(at, lo), buffer.align);
        if (at + buffer.bytes <= hi) {
          out.push_back(at);
        }
      }
    };
    if (lo + buffer.bytes > hi) {
      return;
    }
    offer(lo);
    offer((hi - buffer.bytes) / buffer.align * buffer.align);
    for (int64_t edge = bank ? alignTo(lo, bank) : hi; edge < hi;
         edge += bank) {
      offer(edge - buffer.bytes);
      for (int64_t offset : offsets_[which]) {
        offer(edge - offset);
      }
    }
  }

  std::vector<int64_t> candidates(const BufferPlace &buffer, unsigned which,
                                  const std::vector<Span> &taken) const {
    std::vector<int64_t> out;
    int64_t lo = 0;
    for (auto [from, to] : taken) {
      candidatesIn(buffer, which, lo, from, out);
      lo = std::max(lo, alignTo(to, buffer.align));
    }
    candidatesIn(buffer, which, lo, capacity_, out);
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }

  std::vector<BufferPlace> best_;
  int64_t capacity_;
  PlaceCost &cost_;
  uint64_t least_;
  std::vector<std::vector<int64_t>> offsets_; // of operands, by buffer
  std::vector<bool> maySpread_;
  uint64_t seed_ = 0;
};

} // namespace

namespace {

struct Hull {
  int64_t lo = INT64_MAX, hi = INT64_MIN;
  bool meets(const Hull &other) const { return lo < other.hi && other.lo < hi; }
};

/// What a command reads and what it writes, [0] and [1].
std::array<Hull, 2> hullsOf(std::span<const VectorTouch> touches,
                            std::span<const BufferPlace> buffers) {
  std::array<Hull, 2> hulls;
  for (const VectorTouch &x : touches) {
    Hull &hull = hulls[x.write];
    hull.lo = std::min(hull.lo, buffers[x.buffer].address + x.lo);
    hull.hi = std::max(hull.hi, buffers[x.buffer].address + x.hi);
  }
  return hulls;
}

bool dependOnEachOther(std::span<const VectorTouch> a,
                       std::span<const VectorTouch> b) {
  return std::any_of(a.begin(), a.end(), [&](const VectorTouch &x) {
    return std::any_of(b.begin(), b.end(), [&](const VectorTouch &y) {
      return x.buffer == y.buffer && (x.write || y.write) && x.lo < y.hi &&
             y.lo < x.hi;
    });
  });
}

} // namespace

void PlaceCost::finish() {
  for (auto &[buffer, offsets] : offsets_) {
    std::sort(offsets.begin(), offsets.end());
    offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
  }
  std::sort(pairs_.begin(), pairs_.end());
  pairs_.erase(std::unique(pairs_.begin(), pairs_.end()), pairs_.end());
}

VectorCost::VectorCost(isa::UbBanks banks, uint32_t window,
                       const std::vector<VectorUse> &uses)
    : banks_(std::move(banks)) {
  for (size_t i = 0; i < uses.size(); ++i) {
    addCommand(uses[i]);
    addStep(uses, i, window);
    for (const VectorTouch &x : uses[i].touches) {
      offsets_[x.buffer].push_back(x.lo);
      pairs_.emplace_back(uses[i].touches.front().buffer, x.buffer);
    }
  }
  finish();
  known_.resize(commands_.size());
  findNeeds();
}

void VectorCost::findNeeds() {
  auto add = [&](unsigned kind, unsigned number, std::vector<unsigned> all) {
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    for (unsigned buffer : all) {
      Needs &needs = needs_[buffer];
      (kind == 0 ? needs.commands : needs.steps).push_back(number);
    }
    buffersOf_[kind].push_back(std::move(all));
  };
  for (unsigned i = 0; i < commands_.size(); ++i) {
    std::vector<unsigned> all;
    for (const VectorUse::Blocks &x : commands_[i].operands) {
      all.push_back(x.buffer);
    }
    add(0, i, std::move(all));
  }
  for (unsigned i = 0; i < steps_.size(); ++i) {
    std::vector<unsigned> all;
    auto addTouches = [&](const std::vector<VectorTouch> &touches) {
      for (const VectorTouch &x : touches) {
        all.push_back(x.buffer);
      }
    };
    addTouches(steps_[i].touches);
    for (const Before &before : steps_[i].before) {
      addTouches(before.touches);
    }
    add(1, i, std::move(all));
  }
}

/// Commands whose operands no placement moves against each other are left out.
void VectorCost::addCommand(const VectorUse &use) {
  const bool moves =
      std::any_of(use.operands.begin(), use.operands.end(), [&](const auto &x) {
        return x.buffer != use.operands.front().buffer ||
               x.blocks.base != use.operands.front().blocks.base;
      });
  if (!moves || !banks_.exist()) {
    return;
  }
  for (VectorUse &known : commands_) {
    if (known.losesTheSame(use)) {
      known.times += use.times;
      return;
    }
  }
  commands_.push_back(use);
}

void VectorCost::addStep(std::span<const VectorUse> uses, size_t index,
                         uint32_t window) {
  const VectorUse &use = uses[index];
  Step step{use.touches, {}, 0, use.times};
  uint64_t gap = 0; // beats between the end of the earlier one and this one
  for (size_t i = index; i > 0 && !uses[i].beginsRun; --i) {
    const VectorUse &other = uses[i - 1];
    if (other.latency <= gap || step.before.size() + 1 >= window) {
      break;
    }
    const uint64_t wait = other.latency - gap;
    if (dependOnEachOther(use.touches, other.touches)) {
      step.least = std::max(step.least, wait);
      break; // those before it are over by then
    }
    step.before.push_back({other.touches, wait});
    gap += other.occupancy;
  }
  if (step.before.empty()) {
    return;
  }
  for (Step &known : steps_) {
    if (known.touches == step.touches && known.before == step.before) {
      known.times += step.times;
      return;
    }
  }
  steps_.push_back(std::move(step));
}

/// Cycles beyond `least` that a step waits for those in flight (rule 11).
uint64_t VectorCost::waitOf(const Step &step,
                            std::span<const BufferPlace> buffers) {
  const auto mine = hullsOf(step.touches, buffers);
  uint64_t wait = step.least;
  for (const Before &before : step.before) {
    const auto theirs = hullsOf(before.touches, buffers);
    if (mine[1].meets(theirs[0]) || mine[1].meets(theirs[1]) ||
        mine[0].meets(theirs[1])) {
      wait = std::max(wait, before.wait);
    }
  }
  return wait - step.least;
}

/// Three parts of a long command stand for all of it: begin, middle and end,
/// in rows when it has several, else in blocks.
uint64_t VectorCost::judge(const VectorUse &use,
                           std::span<const int64_t> addresses) {
  judged_ += kJudgement;
  const uint64_t rows = use.rows, beats = use.beatsPerRow;
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
      isa::BankOperand x = use.operands[i].blocks;
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
  return lost * (rows * beats) / (partRows * partBeats * parts) * use.times;
}

uint64_t VectorCost::lostBy(unsigned command,
                            std::span<const BufferPlace> buffers) {
  key_.clear();
  for (const VectorUse::Blocks &x : commands_[command].operands) {
    key_.push_back(buffers[x.buffer].address);
  }
  ++judged_;
  auto [it, isNew] = known_[command].try_emplace(key_, 0);
  if (isNew) {
    it->second = judge(commands_[command], key_);
  }
  return it->second;
}

uint64_t VectorCost::operator()(std::span<const BufferPlace> buffers) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < commands_.size(); ++i) {
    sum += lostBy(i, buffers);
  }
  for (const Step &step : steps_) {
    sum += waitOf(step, buffers) * step.times;
  }
  judged_ += steps_.size();
  return sum;
}

uint64_t VectorCost::of(unsigned which, std::span<const BufferPlace> buffers,
                        const std::vector<bool> &placed, uint64_t limit) {
  const auto needs = needs_.find(which);
  if (needs == needs_.end()) {
    return 0;
  }
  auto allPlaced = [&](unsigned kind, unsigned number) {
    const std::vector<unsigned> &all = buffersOf_[kind][number];
    return std::all_of(all.begin(), all.end(),
                       [&](unsigned buffer) { return placed[buffer]; });
  };
  uint64_t sum = 0;
  for (unsigned i : needs->second.steps) { // the cheap ones first
    if (allPlaced(1, i)) {
      sum += waitOf(steps_[i], buffers) * steps_[i].times;
      ++judged_;
    }
  }
  for (unsigned i : needs->second.commands) {
    if (sum >= limit) {
      break;
    }
    sum += allPlaced(0, i) ? lostBy(i, buffers) : 0;
  }
  return sum;
}

int64_t placeFirstFit(std::span<BufferPlace> buffers) {
  return placeInOrder(buffers, largestFirst(buffers));
}

uint64_t placeForLess(std::span<BufferPlace> buffers, int64_t capacity,
                      PlaceCost &cost) {
  if (cost.isConstant()) {
    return 0;
  }
  Search search(buffers, capacity, cost);
  search.run();
  std::copy(search.best().begin(), search.best().end(), buffers.begin());
  return search.least();
}

} // namespace kiln::npu
