// SPDX-License-Identifier: Apache-2.0
#include "simulator/trace/replay.h"

#include "isa/support/units.h"

#include <algorithm>
#include <deque>
#include <map>

namespace kiln::sim {

using isa::Pipe;
using isa::Space;

namespace {

bool overlap(const TraceRange &a, const TraceRange &b) {
  return a.space == b.space && a.space != Space::GM && a.lo < b.hi &&
         b.lo < a.hi;
}

/// The cycles S spent for itself (not waiting) before each cycle asked for.
class OwnTime {
public:
  explicit OwnTime(std::vector<TraceState> states)
      : states_(std::move(states)) {}

  /// Cycles must be asked for in ascending order.
  uint64_t before(uint64_t cycle) {
    while (next_ < states_.size() && states_[next_].end <= cycle) {
      sum_ += own(states_[next_], states_[next_].end);
      ++next_;
    }
    return sum_ + (next_ < states_.size() ? own(states_[next_], cycle) : 0);
  }

private:
  static uint64_t own(const TraceState &s, uint64_t until) {
    bool waits = s.state == Stall::kQueueFull || s.state == Stall::kFlag ||
                 s.state == Stall::kBarrier;
    return waits || until <= s.begin ? 0 : until - s.begin;
  }
  std::vector<TraceState> states_;
  size_t next_ = 0;
  uint64_t sum_ = 0;
};

/// Computes one core. Items come in the order of S, and what an item waits for
/// comes before it, so one pass is enough.
class CoreReplay {
public:
  CoreReplay(const Trace &trace, const std::vector<Replay::Item> &items,
             const WhatIf &change)
      : trace_(trace), items_(items), change_(change), done_(items.size()) {
    if (change.banksOfInstruction < trace.instructions.size()) {
      freeBanks_ = trace.onLineOf(change.banksOfInstruction);
    }
  }

  void run() {
    for (size_t i = 0; i < items_.size(); ++i) {
      if (mergeSource_.contains(i)) {
        continue;
      }
      step(i);
    }
  }
  /// Items of the odd iterations of the merged loop, with the item of the even
  /// iteration that does their work.
  void merge(std::map<size_t, size_t> merged) {
    for (const auto &[odd, even] : merged) {
      extra_[even] += occupancy(odd);
    }
    mergeSource_ = std::move(merged);
  }
  uint64_t first = ~uint64_t{0}, last = 0;

private:
  struct Done {
    uint64_t visible = 0; // kSet
  };
  struct Flying {
    size_t item;
    uint64_t busyEnd, retire;
    bool global;
  };
  struct Unit {
    uint64_t left = 0; // cycle the last command left the queue
    uint64_t busyEnd = 0;
    uint64_t retired = 0; // latest retirement so far
    uint64_t activity = 0;
    std::deque<uint64_t> leaving; // of the last queueDepth commands
    std::vector<Flying> flying;
  };

  const TraceInstruction &instruction(size_t i) const {
    return trace_.of(items_[i].command);
  }
  uint64_t occupancy(size_t i) const {
    const TraceCommand &c = items_[i].command;
    uint64_t cycles = c.busyEnd - c.start;
    if (!freeBanks_.empty() && freeBanks_[c.instruction] &&
        items_[i].pipe == Pipe::V) {
      cycles -= c.bankCycles;
    }
    if (c.instruction == change_.scaledInstruction) {
      cycles = std::max<uint64_t>(1, cycles * change_.scalePercent / 100);
    }
    return cycles;
  }

  void step(size_t i) {
    const Replay::Item &item = items_[i];
    uint64_t gap = item.gap;
    if (change_.fastControl) {
      gap = std::min<uint64_t>(gap, 1);
    }
    now_ += gap;
    item.pipe == Pipe::S ? control(i) : pipe(i);
  }

  void control(size_t i) {
    const Replay::Item &item = items_[i];
    bool free = item.command.instruction == change_.freeInstruction;
    switch (item.kind) {
    case TraceKind::kWait:
      if (!free) {
        now_ = std::max(now_, flagAt(i));
      }
      break;
    case TraceKind::kSet:
      done_[i].visible = now_ + (item.command.retire - item.command.start);
      break;
    case TraceKind::kBarrier:
    case TraceKind::kEnd:
      if (!free) {
        barrier(item.kind == TraceKind::kEnd);
      }
      break;
    default:
      break;
    }
  }

  void barrier(bool ends) {
    uint64_t activity = 0;
    for (const Unit &unit : units_) {
      activity = std::max({activity, unit.activity, unit.retired});
    }
    uint64_t end =
        std::max(now_ + 1, activity + trace_.machine.timing.barrierCycles);
    if (ends) {
      end = std::max(end, flagsSettled_);
    }
    now_ = end - 1; // the gap of what follows holds the barrier's own cycle
  }

  /// By how many releases earlier a wait is content with. One more buffer: one.
  /// An iteration that does the work of two: as many as there are buffers, for
  /// they hold twice as much.
  uint64_t earlierReleases(const Replay::Item &wait) const {
    if (!wait.loopCarried || wait.set == Replay::kNone) {
      return 0;
    }
    if (wait.loop == change_.relaxedLoop) {
      return 1;
    }
    const Replay::Item &set = items_[wait.set];
    return wait.loop == change_.mergedLoop && set.loop == wait.loop
               ? wait.iteration - set.iteration
               : 0;
  }

  uint64_t flagAt(size_t i) const {
    const Replay::Item *item = &items_[i];
    for (uint64_t back = earlierReleases(*item); back > 0; --back) {
      if (item->previousWait == Replay::kNone) {
        return 0;
      }
      item = &items_[item->previousWait];
    }
    if (item->set == Replay::kNone) {
      return 0;
    }
    auto merged = mergeSource_.find(item->set);
    return done_[merged == mergeSource_.end() ? item->set : merged->second]
        .visible;
  }

  void pipe(size_t i) {
    const Replay::Item &item = items_[i];
    unsigned p = static_cast<unsigned>(item.pipe);
    Unit &unit = units_[p];
    if (unit.leaving.size() >= trace_.machine.arch.queueDepth[p]) {
      now_ = std::max(now_, unit.leaving.front() + 1);
      unit.leaving.pop_front();
    }
    uint64_t leave = std::max(now_ + 1, unit.left ? unit.left + 1 : 0);
    if (item.kind == TraceKind::kWait) {
      if (item.command.instruction != change_.freeInstruction) {
        leave = std::max(leave, flagAt(i));
      }
    } else if (item.kind == TraceKind::kSet) {
      done_[i].visible = std::max(leave, unit.retired) +
                         trace_.machine.timing.flagVisibleCycles;
      flagsSettled_ = std::max(flagsSettled_, done_[i].visible);
    } else if (item.kind == TraceKind::kData) {
      leave = startData(i, unit, leave);
    }
    unit.left = leave + headCycles(item.kind) - 1;
    unit.activity = std::max(unit.activity, leave);
    unit.leaving.push_back(leave);
  }

  /// Cycles a command spends at the head of its queue as it leaves it.
  uint64_t headCycles(TraceKind kind) const {
    const isa::TimingPart &timing = trace_.machine.timing;
    return kind == TraceKind::kSet || kind == TraceKind::kWait
               ? timing.flagCycles
           : kind == TraceKind::kConfigure ? timing.configCycles
                                           : 1;
  }

  bool touchesGm(size_t i) const {
    for (const TraceRange &r : items_[i].command.ranges()) {
      if (r.space == Space::GM) {
        return true;
      }
    }
    return false;
  }

  uint64_t startData(size_t i, Unit &unit, uint64_t earliest) {
    unsigned p = static_cast<unsigned>(items_[i].pipe);
    const isa::ArchPart &arch = trace_.machine.arch;
    bool global = touchesGm(i);
    uint64_t start = std::max(earliest, unit.busyEnd);
    start = std::max(start, windowFree(unit,
                                       global && arch.inFlightGm[p]
                                           ? arch.inFlightGm[p]
                                           : arch.inFlight[p],
                                       global, arch.inFlightGm[p] != 0));
    start = std::max(start, interlock(i, unit, start));
    const TraceCommand &c = items_[i].command;
    auto more = extra_.find(i);
    uint64_t busyEnd =
        start + occupancy(i) + (more == extra_.end() ? 0 : more->second);
    uint64_t retire = busyEnd + (c.retire - c.busyEnd);
    std::erase_if(unit.flying,
                  [&](const Flying &f) { return f.retire <= start; });
    unit.flying.push_back({i, busyEnd, retire, global});
    unit.busyEnd = busyEnd;
    unit.retired = std::max(unit.retired, retire);
    first = std::min(first, start);
    last = std::max(last, retire);
    return start;
  }

  static uint64_t windowFree(const Unit &unit, uint32_t limit, bool global,
                             bool twoWindows) {
    std::vector<uint64_t> retire;
    for (const Flying &f : unit.flying) {
      if (!twoWindows || f.global == global) {
        retire.push_back(f.retire);
      }
    }
    if (retire.size() < limit) {
      return 0;
    }
    std::sort(retire.begin(), retire.end());
    return retire[retire.size() - limit];
  }

  uint64_t interlock(size_t i, const Unit &unit, uint64_t start) const {
    const Replay::Item &item = items_[i];
    if (change_.freeInterlock && item.pipe == change_.interlockPipe) {
      return 0;
    }
    uint64_t free = 0;
    for (const Flying &f : unit.flying) {
      if (f.retire <= start) {
        continue;
      }
      const Replay::Item &other = items_[f.item];
      bool otherBuffer = item.loop == change_.relaxedLoop &&
                         other.loop == change_.relaxedLoop &&
                         item.iteration != other.iteration;
      if (otherBuffer) {
        continue;
      }
      bool chained = item.pipe == Pipe::M && &f == &unit.flying.back() &&
                     sameTile(item.command, other.command);
      if (chained) {
        free = std::max(free, f.busyEnd + chainGap(item.command));
      }
      if (conflicts(item.command, other.command, chained)) {
        free = std::max(free, f.retire);
      }
    }
    return free;
  }

  static const TraceRange *accumulator(const TraceCommand &c) {
    for (const TraceRange &r : c.ranges()) {
      if (r.space == Space::L0C && r.write) {
        return &r;
      }
    }
    return nullptr;
  }
  static bool sameTile(const TraceCommand &a, const TraceCommand &b) {
    const TraceRange *x = accumulator(a), *y = accumulator(b);
    return x && y && x->lo == y->lo && x->hi == y->hi && x->bytes == y->bytes;
  }
  uint64_t chainGap(const TraceCommand &c) const {
    const isa::TimingPart &t = trace_.machine.timing;
    const TraceRange *tile = accumulator(c);
    uint64_t cells = ceilDiv(tile->hi - tile->lo, isa::kL0CCellBytes);
    const bool fp32 =
        trace_.of(c).f3 == static_cast<uint8_t>(isa::CubeType::kF32);
    uint64_t weight = fp32 ? t.cubeFp32Weight : 1;
    uint64_t step =
        ceilDiv(cells * weight * t.cubeRate.cycles, t.cubeRate.cells);
    return t.cubeLatencyCycles > step ? t.cubeLatencyCycles - step : 0;
  }
  static bool conflicts(const TraceCommand &a, const TraceCommand &b,
                        bool exceptL0c) {
    for (const TraceRange &x : a.ranges()) {
      for (const TraceRange &y : b.ranges()) {
        if ((x.write || y.write) && overlap(x, y) &&
            !(exceptL0c && x.space == Space::L0C)) {
          return true;
        }
      }
    }
    return false;
  }

  const Trace &trace_;
  const std::vector<Replay::Item> &items_;
  const WhatIf &change_;
  std::vector<Done> done_;
  std::vector<bool> freeBanks_; // by instruction; empty: of none
  std::map<size_t, size_t> mergeSource_;
  std::map<size_t, uint64_t> extra_;
  std::array<Unit, isa::kNumPipes> units_;
  uint64_t now_ = 0;
  uint64_t flagsSettled_ = 0;
};

/// One range per memory and direction: what interlocks compare (rule 11).
void boundRanges(TraceCommand &c) {
  uint8_t kept = 0;
  for (const TraceRange &r : c.ranges()) {
    auto end = c.range.begin() + kept;
    auto same = std::find_if(c.range.begin(), end, [&](const TraceRange &k) {
      return k.space == r.space && k.write == r.write;
    });
    if (same == end) {
      c.range[kept++] = r;
      continue;
    }
    same->lo = std::min(same->lo, r.lo);
    same->hi = std::max(same->hi, r.hi);
    same->bytes += r.bytes;
  }
  c.rangeCount = kept;
}

/// Pairs each item of an odd iteration of `loop` with the item at the same
/// place of the iteration before, where both iterations look alike.
std::map<size_t, size_t> mergePairs(const std::vector<Replay::Item> &items,
                                    size_t loop) {
  std::map<uint64_t, std::vector<size_t>> iterations;
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].loop == loop) {
      iterations[items[i].iteration].push_back(i);
    }
  }
  std::map<size_t, size_t> pairs;
  for (auto it = iterations.begin(); it != iterations.end();) {
    auto next = std::next(it);
    if (next == iterations.end()) {
      break;
    }
    const std::vector<size_t> &even = it->second, &odd = next->second;
    bool alike = next->first == it->first + 1 && even.size() == odd.size();
    for (size_t k = 0; alike && k < even.size(); ++k) {
      alike = items[even[k]].command.instruction ==
              items[odd[k]].command.instruction;
    }
    if (!alike) {
      it = next;
      continue;
    }
    for (size_t k = 0; k < even.size(); ++k) {
      pairs[odd[k]] = even[k];
    }
    it = std::next(next);
  }
  return pairs;
}

} // namespace

Replay::Replay(const Trace &trace)
    : trace_(trace), cores_(trace.cores()), reuses_(trace.loops.size()) {
  for (uint32_t core = 0; core < trace.cores(); ++core) {
    load(core);
  }
}

void Replay::load(uint32_t core) {
  std::vector<Item> &items = cores_[core];
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    for (const TraceCommand &c : trace_.commands(core, static_cast<Pipe>(p))) {
      Item item;
      item.command = c;
      item.pipe = static_cast<Pipe>(p);
      item.kind = trace_.of(c).kind;
      // What another core does decides when these end.
      modelled_ &= item.kind != TraceKind::kPend &&
                   trace_.of(c).op != isa::Opcode::kKdbar;
      items.push_back(item);
    }
  }
  std::sort(items.begin(), items.end(), [](const Item &a, const Item &b) {
    return a.command.issue < b.command.issue;
  });
  OwnTime own(trace_.states(core, Pipe::S));
  uint64_t last = 0;
  for (Item &item : items) {
    uint64_t now = own.before(item.command.issue);
    item.gap = now - last;
    last = now;
  }
  matchFlags(items);
  findLoops(items);
  findReleases(items);
  for (Item &item : items) {
    boundRanges(item.command);
  }
}

void Replay::matchFlags(std::vector<Item> &items) {
  std::map<std::tuple<Pipe, Pipe, unsigned>, std::deque<uint32_t>> open;
  for (size_t i = 0; i < items.size(); ++i) {
    Item &item = items[i];
    if (item.kind != TraceKind::kSet && item.kind != TraceKind::kWait) {
      continue;
    }
    FlagName flag = trace_.flagOf(item.command);
    auto &sets = open[{flag.source, flag.destination, flag.id}];
    if (item.kind == TraceKind::kSet) {
      sets.push_back(static_cast<uint32_t>(i));
    } else if (sets.empty()) {
      modelled_ = false;
    } else {
      item.set = sets.front();
      sets.pop_front();
    }
  }
}

/// Follows the pc of S: going back to an earlier one begins an iteration of
/// the innermost loop that holds both.
void Replay::findLoops(std::vector<Item> &items) {
  auto innermost = [&](uint64_t a, uint64_t b) {
    for (size_t l = 0; l < trace_.loops.size(); ++l) {
      if (trace_.loops[l].contains(a) && trace_.loops[l].contains(b)) {
        return l;
      }
    }
    return WhatIf::kNoLoop;
  };
  std::vector<size_t> loopOf(trace_.instructions.size());
  for (size_t i = 0; i < loopOf.size(); ++i) {
    loopOf[i] = innermost(trace_.instructions[i].pc, trace_.instructions[i].pc);
  }
  std::vector<uint64_t> iteration(trace_.loops.size());
  uint64_t before = 0;
  for (Item &item : items) {
    uint64_t pc = trace_.of(item.command).pc;
    if (pc <= before) {
      size_t loop = innermost(before, pc);
      if (loop != WhatIf::kNoLoop) {
        ++iteration[loop];
      }
    }
    for (size_t l = 0; l < trace_.loops.size(); ++l) {
      // Leaving a loop ends its iteration: the next entry is another one.
      if (trace_.loops[l].contains(before) && !trace_.loops[l].contains(pc)) {
        ++iteration[l];
      }
    }
    before = pc;
    item.loop = loopOf[item.command.instruction];
    if (item.loop != WhatIf::kNoLoop) {
      item.iteration = iteration[item.loop];
    }
  }
}

void Replay::findReleases(std::vector<Item> &items) {
  std::map<uint32_t, uint32_t> lastAt; // by instruction
  for (size_t i = 0; i < items.size(); ++i) {
    Item &item = items[i];
    if (item.kind != TraceKind::kWait) {
      continue;
    }
    auto last = lastAt.find(item.command.instruction);
    item.previousWait = last == lastAt.end() ? kNone : last->second;
    lastAt[item.command.instruction] = static_cast<uint32_t>(i);
    item.loopCarried = item.loop != WhatIf::kNoLoop && isRelease(items, i);
    if (item.loopCarried) {
      reuses_[item.loop] = true;
    }
  }
}

/// A wait of a later iteration than its set, after which nothing is read that
/// was written before the set: it only protects a buffer's reuse.
bool Replay::isRelease(const std::vector<Item> &items, size_t wait) const {
  constexpr unsigned kNear = 8; // commands looked at on each side
  const Item &w = items[wait];
  if (w.set == kNone) {
    return false;
  }
  const Item &s = items[w.set];
  // An outer loop's commands may lie between, so the place decides: the set
  // stands behind the wait in the code, or in an earlier iteration.
  uint64_t setPc = trace_.of(s.command).pc, waitPc = trace_.of(w.command).pc;
  const TraceLoop &loop = trace_.loops[w.loop];
  bool carried = loop.contains(setPc)
                     ? setPc > waitPc || s.iteration < w.iteration
                     : false;
  if (!carried) {
    return false;
  }
  std::vector<const TraceCommand *> before;
  for (size_t i = w.set; i-- > 0 && before.size() < kNear;) {
    if (items[i].pipe == s.pipe && items[i].kind == TraceKind::kData) {
      before.push_back(&items[i].command);
    }
  }
  unsigned seen = 0;
  for (size_t i = wait + 1; i < items.size() && seen < kNear; ++i) {
    if (items[i].pipe != w.pipe || items[i].kind != TraceKind::kData) {
      continue;
    }
    ++seen;
    for (const TraceRange &read : items[i].command.ranges()) {
      for (const TraceCommand *b : before) {
        for (const TraceRange &written : b->ranges()) {
          if (!read.write && written.write && overlap(read, written)) {
            return false;
          }
        }
      }
    }
  }
  return true;
}

uint64_t Replay::cycles(const WhatIf &change) const {
  uint64_t first = ~uint64_t{0}, last = 0;
  for (const std::vector<Item> &items : cores_) {
    CoreReplay core(trace_, items, change);
    if (change.mergedLoop != WhatIf::kNoLoop) {
      core.merge(mergePairs(items, change.mergedLoop));
    }
    core.run();
    first = std::min(first, core.first);
    last = std::max(last, core.last);
  }
  return last > first ? last - first : 0;
}

} // namespace kiln::sim
