// SPDX-License-Identifier: Apache-2.0
#include "simulator/trace/hints.h"

#include "isa/support/units.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace kiln::sim {

using isa::Pipe;
using isa::Space;

namespace {

constexpr size_t kMostHints = 5;
constexpr uint64_t kLeastPercent = 1;
// Beyond, a replay per change would take longer than the launch did.
constexpr uint64_t kMostCommands = 2'000'000;

class HintFinder {
public:
  HintFinder(const Trace &trace, Explanation &result)
      : trace_(trace), result_(result), replay_(trace) {}

  void run() {
    result_.modelled = replay_.modelled();
    if (!result_.modelled || result_.kernelCycles == 0) {
      return;
    }
    base_ = replay_.cycles();
    result_.modelRatio =
        static_cast<double>(base_) / static_cast<double>(result_.kernelCycles);
    tryLoops();
    tryBarriers();
    tryControl();
    tryInterlocks();
    tryRows();
    tryBanks();
    std::sort(result_.hints.begin(), result_.hints.end(),
              [](const auto &a, const auto &b) {
                return a.gain != b.gain ? a.gain > b.gain : a.text < b.text;
              });
    if (result_.hints.size() > kMostHints) {
      result_.hints.resize(kMostHints);
    }
  }

private:
  struct Lines {
    std::string file;
    uint32_t first = 0, last = 0;
    std::string text() const {
      if (file.empty()) {
        return "no line known";
      }
      return first == last ? fmt::format("{}:{}", file, first)
                           : fmt::format("{}:{}-{}", file, first, last);
    }
  };

  void add(const std::optional<SourceLine> &line, Lines &lines) const {
    if (!line || (!lines.file.empty() && line->file != lines.file)) {
      return;
    }
    lines.file = line->file;
    lines.first = lines.first ? std::min(lines.first, line->line) : line->line;
    lines.last = std::max(lines.last, line->line);
  }
  Lines linesOf(const TraceLoop &loop) const {
    Lines lines;
    for (const TraceInstruction &i : trace_.instructions) {
      if (loop.contains(i.pc)) {
        add(i.line, lines);
      }
    }
    return lines;
  }

  /// Keeps the hint if the change pays; `divisor`: what share of the replay's
  /// gain the hint promises.
  void consider(Hint::Kind kind, const WhatIf &change, const Lines &lines,
                std::string text, uint64_t divisor = 1) {
    uint64_t with = replay_.cycles(change);
    if (with >= base_) {
      return;
    }
    // The model's own error cancels in the ratio.
    uint64_t gain = (base_ - with) * result_.kernelCycles / base_ / divisor;
    if (gain * 100 < kLeastPercent * result_.kernelCycles) {
      return;
    }
    result_.hints.push_back(
        {kind, lines.text(), std::move(text), gain, lines.first, lines.last});
  }

  void tryLoops() {
    for (size_t l = 0; l < trace_.loops.size(); ++l) {
      Lines lines = linesOf(trace_.loops[l]);
      if (replay_.reusesBuffers(l)) {
        consider(Hint::Kind::kMoreBuffers, {.relaxedLoop = l}, lines,
                 describeReuse(l));
      }
      if (fitsTwice(l)) {
        consider(Hint::Kind::kLargerTile, {.mergedLoop = l}, lines,
                 "half as many iterations with twice the data: fixed costs "
                 "per iteration weigh less");
      }
    }
  }

  /// The longest wait for a buffer in the loop, in words.
  std::string describeReuse(size_t loop) const {
    const Replay::Item *worst = nullptr;
    const Replay::Item *next = nullptr;
    const Replay::Item *cause = nullptr;
    uint64_t longest = 0;
    for (uint32_t core = 0; core < trace_.cores(); ++core) {
      const std::vector<Replay::Item> &items = replay_.items(core);
      for (size_t i = 0; i < items.size(); ++i) {
        const Replay::Item &item = items[i];
        uint64_t waited = item.command.start - item.command.issue;
        if (!item.loopCarried || item.loop != loop || waited < longest) {
          continue;
        }
        longest = waited;
        worst = &item;
        next = dataAfter(items, i);
        cause = dataBefore(items, item.set);
      }
    }
    if (!worst || !next || !cause) {
      return "one more buffer";
    }
    auto place = [&](const Replay::Item *item) {
      const std::optional<SourceLine> &line = trace_.of(item->command).line;
      return line ? fmt::format("line {} ({})", line->line,
                                isa::name(item->pipe))
                  : std::string(isa::name(item->pipe));
    };
    size_t buffers = addressesOf(next->command.instruction);
    return fmt::format("{} waits until {} is done with the buffer: {} buffers "
                       "instead of {}",
                       place(next), place(cause), buffers + 1, buffers);
  }

  const Replay::Item *dataAfter(const std::vector<Replay::Item> &items,
                                size_t i) const {
    Pipe pipe = items[i].pipe;
    for (++i; i < items.size(); ++i) {
      if (items[i].pipe == pipe && items[i].kind == TraceKind::kData) {
        return &items[i];
      }
    }
    return nullptr;
  }
  const Replay::Item *dataBefore(const std::vector<Replay::Item> &items,
                                 size_t i) const {
    Pipe pipe = items[i].pipe;
    while (i-- > 0) {
      if (items[i].pipe == pipe && items[i].kind == TraceKind::kData) {
        return &items[i];
      }
    }
    return nullptr;
  }

  /// How many places a command writes to over the launch: its buffers.
  size_t addressesOf(uint32_t instruction) const {
    std::set<uint64_t> places;
    for (const Replay::Item &item : replay_.items(0)) {
      if (item.command.instruction != instruction) {
        continue;
      }
      for (const TraceRange &r : item.command.ranges()) {
        if (r.write && r.space != Space::GM) {
          places.insert(r.lo);
          break;
        }
      }
    }
    return std::max<size_t>(places.size(), 1);
  }

  /// Whether every memory the loop writes has as much room again, and the loop
  /// is an innermost one (an outer one's data are the inner one's).
  bool fitsTwice(size_t loop) const {
    for (size_t l = 0; l < loop; ++l) {
      if (l != loop && trace_.loops[loop].contains(trace_.loops[l].first)) {
        return false;
      }
    }
    std::array<uint64_t, isa::kNumSpaces> used{};
    bool any = false;
    for (const Replay::Item &item : replay_.items(0)) {
      if (item.loop != loop || item.kind != TraceKind::kData) {
        continue;
      }
      any = true;
      for (const TraceRange &r : item.command.ranges()) {
        uint64_t &top = used[static_cast<unsigned>(r.space)];
        top = std::max(top, r.space == Space::GM ? 0 : r.hi);
      }
    }
    for (unsigned s = 1; s < isa::kNumSpaces; ++s) {
      any &= 2 * used[s] <= trace_.machine.arch.capacityBytes[s];
    }
    return any;
  }

  void tryBarriers() {
    for (uint32_t i = 0; i < trace_.instructions.size(); ++i) {
      if (trace_.instructions[i].kind != TraceKind::kBarrier) {
        continue;
      }
      Lines lines;
      add(trace_.instructions[i].line, lines);
      consider(Hint::Kind::kNoBarrier, {.freeInstruction = i}, lines,
               "a barrier empties every pipe; order only the commands that "
               "share data, with flags");
    }
  }

  void tryControl() {
    Lines lines;
    consider(Hint::Kind::kFasterControl, {.fastControl = true}, lines,
             "the pipes wait for S to issue: fewer and larger commands, less "
             "address arithmetic in the loop");
    if (!result_.hints.empty() &&
        result_.hints.back().kind == Hint::Kind::kFasterControl) {
      result_.hints.back().where = "S";
    }
  }

  void tryInterlocks() {
    for (unsigned p = 1; p < isa::kNumPipes; ++p) {
      Pipe pipe = static_cast<Pipe>(p);
      std::optional<SourceLine> line;
      uint64_t most = 0;
      for (const LostOverlap &lost : result_.overlap) {
        if (lost.state == Stall::kInterlock && lost.cycles > most &&
            pipe == result_.bound().pipe) {
          most = lost.cycles;
          line = lost.line;
        }
      }
      Lines lines;
      add(line, lines);
      // Two chains side by side hide half of the waiting.
      consider(Hint::Kind::kIndependentWork,
               {.freeInterlock = true, .interlockPipe = pipe}, lines,
               fmt::format("commands of {} wait for the result of the one "
                           "before: alternate between two independent tiles",
                           isa::name(pipe)),
               2);
    }
  }

  /// Transfers that use less of the port than their bytes need.
  void tryRows() {
    const isa::MemoryTiming &m = trace_.machine.timing.memory;
    struct Use {
      uint64_t bytes = 0, cycles = 0;
      bool write = false;
    };
    std::vector<Use> uses(trace_.instructions.size());
    for (uint32_t core = 0; core < trace_.cores(); ++core) {
      for (const Replay::Item &item : replay_.items(core)) {
        for (const TraceRange &r : item.command.ranges()) {
          if (r.space == Space::GM) {
            Use &use = uses[item.command.instruction];
            use.bytes += r.bytes;
            use.cycles += item.command.busyEnd - item.command.start;
            use.write = r.write;
          }
        }
      }
    }
    for (uint32_t i = 0; i < uses.size(); ++i) {
      uint64_t rate =
          uses[i].write ? m.portWriteBytesPerCycle : m.portReadBytesPerCycle;
      uint64_t needed = ceilDiv(uses[i].bytes, rate);
      uint64_t percent = uses[i].cycles ? 100 * needed / uses[i].cycles : 100;
      if (percent >= 75) {
        continue;
      }
      Lines lines;
      add(trace_.instructions[i].line, lines);
      consider(Hint::Kind::kLongerRows,
               {.scaledInstruction = i,
                .scalePercent = static_cast<uint32_t>(percent)},
               lines,
               fmt::format("moves {} bytes in {} cycles, {} % of the port's "
                           "rate: longer rows in global memory",
                           uses[i].bytes, uses[i].cycles, percent));
    }
  }

  /// Lines of V whose operands meet in banks of UB.
  void tryBanks() {
    std::vector<uint64_t> busy(trace_.instructions.size()), lost(busy.size());
    for (uint32_t core = 0; core < trace_.cores(); ++core) {
      for (const Replay::Item &item : replay_.items(core)) {
        if (item.pipe == Pipe::V) {
          busy[item.command.instruction] +=
              item.command.busyEnd - item.command.start;
          lost[item.command.instruction] += item.command.bankCycles;
        }
      }
    }
    for (uint32_t i = 0; i < lost.size(); ++i) {
      if (lost[i] == 0) {
        continue;
      }
      std::vector<bool> same = trace_.onLineOf(i);
      uint64_t busyOfLine = 0, lostOfLine = 0;
      for (uint32_t k = 0; k < lost.size(); ++k) {
        if (same[k]) {
          busyOfLine += busy[k];
          lostOfLine += lost[k];
          lost[k] = k == i ? lost[k] : 0; // the line is looked at once
        }
      }
      Lines lines;
      add(trace_.instructions[i].line, lines);
      uint64_t bank = trace_.machine.arch.capacity(Space::UB) /
                      trace_.machine.timing.banks.ubBanks;
      consider(Hint::Kind::kOtherBanks, {.banksOfInstruction = i}, lines,
               fmt::format("{} of {} cycles are lost because operands meet in "
                           "a bank of UB: place them in banks of their own, "
                           "{} KiB each",
                           lostOfLine, busyOfLine, bank / 1024));
    }
  }

  const Trace &trace_;
  Explanation &result_;
  Replay replay_;
  uint64_t base_ = 0;
};

} // namespace

void addHints(const Trace &trace, Explanation &explanation) {
  if (trace.commandCount() <= kMostCommands) {
    HintFinder(trace, explanation).run();
  }
}

} // namespace kiln::sim
