// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory/l2_slice.h"

#include "isa/support/units.h"
#include "simulator/memory/address_map.h"

#include <algorithm>
#include <bit>

namespace kiln::sim {

namespace {
constexpr uint64_t kSectorBytes = 32;
} // namespace

L2Slice::L2Slice(const isa::L2Timing &timing, uint32_t index,
                 TimingWheel &wheel, TransactionPool &pool,
                 L2Surroundings &around)
    : timing_(timing), index_(index), wheel_(wheel), pool_(pool),
      around_(around),
      sets_(static_cast<uint32_t>(timing.bytes / timing.lineBytes /
                                  timing.ways / timing.slices)),
      lines_(size_t{sets_} * timing.ways), misses_(timing.misses) {
  for (uint32_t entry = timing.misses; entry-- > 0;) {
    freeMisses_.push_back(entry);
  }
}

void L2Slice::arrive(uint32_t transaction, uint64_t now) {
  const Transaction &t = pool_[transaction];
  std::deque<Arrival> &queue = queues_[t.write];
  auto at = queue.end();
  while (at != queue.begin() && at[-1].cycle == now &&
         pool_[at[-1].transaction].core > t.core) {
    --at; // rule 46: of one cycle, the lower core first
  }
  queue.insert(at, {transaction, now});
  arm(std::max(now, free_[t.write]));
}

void L2Slice::arm(uint64_t cycle) {
  if (cycle < armedAt_) {
    armedAt_ = cycle;
    wheel_.at<&L2Slice::work>(cycle, Phase::kLate, this);
  }
}

void L2Slice::work(uint64_t, uint64_t now) {
  if (now != armedAt_) {
    return; // an earlier cycle was found since
  }
  armedAt_ = kNever;
  serve(false, now);
  serve(true, now);
}

/// Rule 47: one look-up per port at a time, for the beats of its bytes. A
/// look-up that finds no entry waits at the head for one to become free.
void L2Slice::serve(bool write, uint64_t now) {
  std::deque<Arrival> &queue = queues_[write];
  if (queue.empty()) {
    return;
  }
  if (free_[write] > now) {
    arm(free_[write]);
    return;
  }
  uint32_t bytes = pool_[queue.front().transaction].bytes;
  if (!lookUp(queue.front().transaction, now)) {
    return; // filled() or writtenBack() look again
  }
  queue.pop_front();
  free_[write] = now + ceilDiv(bytes, write ? timing_.writeBytesPerCycle
                                            : timing_.readBytesPerCycle);
  if (!queue.empty()) {
    arm(free_[write]);
  }
}

/// Rule 48.
uint64_t L2Slice::setOf(uint64_t number) const {
  return spread(number / timing_.slices, sets_);
}

L2Slice::Line *L2Slice::find(uint64_t number) {
  Line *set = &lines_[setOf(number) * timing_.ways];
  for (uint32_t way = 0; way < timing_.ways; ++way) {
    if (set[way].number == number) {
      return &set[way];
    }
  }
  return nullptr;
}

/// Rule 51: the first unused way, else the least recently used one that is not
/// being fetched; null when there is none, or when it is dirty and no
/// write-back entry is free.
L2Slice::Line *L2Slice::replace(uint64_t number, uint64_t now) {
  Line *set = &lines_[setOf(number) * timing_.ways];
  Line *victim = nullptr;
  for (uint32_t way = 0; way < timing_.ways; ++way) {
    Line &line = set[way];
    if (line.miss == kNone && (!victim || line.used < victim->used)) {
      victim = &line;
    }
  }
  if (!victim) {
    return nullptr;
  }
  if (victim->dirty) {
    if (writingBack_ == timing_.writeBacks) {
      return nullptr;
    }
    ++writingBack_;
    ++counters_.l2WriteBacks;
    uint32_t bytes = static_cast<uint32_t>(
        static_cast<uint64_t>(std::popcount(victim->dirty)) * kSectorBytes);
    around_.writeBackAt(index_, victim->number, bytes,
                        now + timing_.missCycles);
  }
  *victim = Line();
  victim->number = number;
  return victim;
}

/// The sectors a burst touches, or covers wholly.
uint64_t L2Slice::sectors(const Transaction &t, bool whole) const {
  uint64_t from = t.address % timing_.lineBytes;
  uint64_t to = from + t.bytes;
  uint64_t first = whole ? ceilDiv(from, kSectorBytes) : from / kSectorBytes;
  uint64_t last = whole ? to / kSectorBytes : ceilDiv(to, kSectorBytes);
  uint64_t below = last >= 64 ? ~uint64_t{0} : (uint64_t{1} << last) - 1;
  return first >= last ? 0 : below & ~((uint64_t{1} << first) - 1);
}

/// Rules 49 and 50. False: nothing happened, an entry is missing.
bool L2Slice::lookUp(uint32_t transaction, uint64_t now) {
  const Transaction &t = pool_[transaction];
  uint64_t number = t.address / timing_.lineBytes;
  Line *line = find(number);
  bool found = line != nullptr;
  if (!t.write && freeMisses_.empty() &&
      (!line || (line->miss == kNone && sectors(t, false) & ~line->valid))) {
    return false;
  }
  if (!line && !(line = replace(number, now))) {
    return false;
  }
  line->used = ++uses_;
  if (!t.write) {
    return read(*line, transaction, now);
  }
  ++(found ? counters_.l2WriteHits : counters_.l2WriteMisses);
  line->valid |= sectors(t, true);
  line->dirty |= sectors(t, false);
  around_.answerAt(transaction, now + timing_.hitCycles);
  return true;
}

bool L2Slice::read(Line &line, uint32_t transaction, uint64_t now) {
  Transaction &t = pool_[transaction];
  if (!(sectors(t, false) & ~line.valid)) {
    ++counters_.l2ReadHits;
    around_.answerAt(transaction, now + timing_.hitCycles);
    return true;
  }
  t.next = kNone;
  if (line.miss == kNone) {
    ++counters_.l2ReadMisses;
    fetch(line, transaction, now);
    return true;
  }
  ++counters_.l2Merged;
  Miss &miss = misses_[line.miss];
  pool_[miss.lastWaiting].next = transaction;
  miss.lastWaiting = transaction;
  return true;
}

/// Rule 52.
void L2Slice::fetch(Line &line, uint32_t transaction, uint64_t now) {
  uint32_t entry = freeMisses_.back();
  freeMisses_.pop_back();
  line.miss = entry;
  misses_[entry] = {static_cast<uint32_t>(&line - lines_.data()), transaction,
                    transaction};
  around_.fetchAt(index_, entry, line.number, now + timing_.missCycles);
}

/// Rule 53: all that wait for the line are answered, in the order they came.
void L2Slice::filled(uint32_t entry, uint64_t now) {
  Line &line = lines_[misses_[entry].line];
  line.miss = kNone;
  line.valid = ~uint64_t{0};
  for (uint32_t t = misses_[entry].firstWaiting; t != kNone;) {
    uint32_t next = pool_[t].next;
    around_.answerAt(t, now);
    t = next;
  }
  freeMisses_.push_back(entry);
  arm(now);
}

void L2Slice::writtenBack(uint64_t now) {
  --writingBack_;
  arm(now);
}

} // namespace kiln::sim
