// SPDX-License-Identifier: Apache-2.0
#include "simulator/trace/explain.h"

#include "simulator/trace/attribution.h"
#include "simulator/trace/hints.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <map>

namespace kiln::sim {

using isa::Pipe;

namespace {

/// First start of a data command and last retirement, over all cores.
struct Kernel {
  uint64_t begin = ~uint64_t{0}, end = 0;
};

Kernel kernelOf(const Trace &trace) {
  Kernel k;
  for (uint32_t core = 0; core < trace.cores(); ++core) {
    for (unsigned p = 1; p < isa::kNumPipes; ++p) {
      for (const TraceCommand &c : trace.commands(core, static_cast<Pipe>(p))) {
        if (trace.of(c).kind == TraceKind::kData) {
          k.begin = std::min(k.begin, c.start);
          k.end = std::max(k.end, c.retire);
        }
      }
    }
  }
  k.begin = std::min(k.begin, k.end);
  return k;
}

using LineKey = std::pair<std::string, uint32_t>;

LineKey keyOf(const std::optional<SourceLine> &line) {
  return line ? LineKey{line->file, line->line} : LineKey{};
}

class Explainer {
public:
  explicit Explainer(const Trace &trace) : trace_(trace) {}

  Explanation run() {
    Kernel kernel = kernelOf(trace_);
    result_.cycles = trace_.report.cycles;
    result_.kernelCycles = kernel.end - kernel.begin;
    result_.cores = trace_.cores();
    rankPipes(kernel);
    for (uint32_t core = 0; core < trace_.cores(); ++core) {
      CoreCommands commands(trace_, core);
      commands.spans(result_.bound().pipe, kernel.begin, kernel.end,
                     [&](const AttributedSpan &span) { account(span); });
    }
    collect();
    addHints(trace_, result_);
    return std::move(result_);
  }

private:
  void rankPipes(const Kernel &kernel) {
    double total = static_cast<double>(result_.kernelCycles) * result_.cores;
    for (unsigned p = 0; p < isa::kNumPipes; ++p) {
      Pipe pipe = static_cast<Pipe>(p);
      uint64_t busy = 0, inBanks = 0;
      for (uint32_t core = 0; core < trace_.cores(); ++core) {
        for (const TraceCommand &c : trace_.commands(core, pipe)) {
          inBanks += c.bankCycles;
        }
        for (const TraceState &s : trace_.states(core, pipe)) {
          uint64_t begin = std::max(s.begin, kernel.begin);
          uint64_t end = std::min(s.end, kernel.end);
          if (s.state == PipeState::busy() && end > begin) {
            busy += end - begin;
          }
        }
      }
      result_.pipes.push_back(
          {pipe, busy, total > 0 ? static_cast<double>(busy) / total : 0,
           inBanks});
    }
    // S feeds the others; it bounds a launch only when no pipe works more.
    std::sort(result_.pipes.begin(), result_.pipes.end(),
              [](const auto &a, const auto &b) {
                return a.busy != b.busy ? a.busy > b.busy : a.pipe > b.pipe;
              });
    // Where S mostly waits for room in a queue, it is ahead of the others.
    if (result_.bound().pipe == Pipe::S && result_.pipes[1].busy > 0 &&
        queueFull(kernel) > result_.bound().busy) {
      std::swap(result_.pipes[0], result_.pipes[1]);
    }
  }

  /// Cycles of the kernel in which S waits for room in a queue.
  uint64_t queueFull(const Kernel &kernel) const {
    uint64_t cycles = 0;
    for (uint32_t core = 0; core < trace_.cores(); ++core) {
      for (const TraceState &s : trace_.states(core, Pipe::S)) {
        const uint64_t begin = std::max(s.begin, kernel.begin);
        const uint64_t end = std::min(s.end, kernel.end);
        if (s.state == Stall::kQueueFull && end > begin) {
          cycles += end - begin;
        }
      }
    }
    return cycles;
  }

  std::optional<SourceLine> lineOf(const TraceCommand *c) const {
    return c ? trace_.of(*c).line : std::nullopt;
  }

  void account(const AttributedSpan &span) {
    uint64_t cycles = span.end - span.begin;
    std::optional<SourceLine> line = lineOf(span.command);
    if (span.state == PipeState::busy()) {
      lineCost(line).busy += cycles;
      return;
    }
    result_.lost += cycles;
    std::optional<SourceLine> source = lineOf(span.cause);
    lineCost(source ? source : line).waited += cycles;
    auto key = std::make_tuple(span.state.index(), keyOf(line), span.source,
                               span.otherCore, keyOf(source));
    LostOverlap &lost = lost_[key];
    lost.state = span.state;
    lost.cycles += cycles;
    lost.line = line;
    lost.source = span.source;
    lost.otherCore = span.otherCore;
    lost.sourceLine = source;
  }

  LineCost &lineCost(const std::optional<SourceLine> &line) {
    LineCost &cost = lines_[keyOf(line)];
    if (line && !cost.line) {
      cost.line = SourceLine{line->file, line->line, 0};
    }
    return cost;
  }

  void collect() {
    for (const LineCycles &line : trace_.report.lines) {
      lineCost(line.line).pipes = line.busy;
    }
    for (auto &[key, lost] : lost_) {
      result_.overlap.push_back(std::move(lost));
    }
    std::sort(result_.overlap.begin(), result_.overlap.end(),
              [](const auto &a, const auto &b) {
                return a.cycles != b.cycles ? a.cycles > b.cycles
                                            : keyOf(a.line) < keyOf(b.line);
              });
    for (auto &[key, cost] : lines_) {
      result_.lines.push_back(std::move(cost));
    }
    std::sort(result_.lines.begin(), result_.lines.end(),
              [](const auto &a, const auto &b) {
                uint64_t x = a.busy + a.waited, y = b.busy + b.waited;
                return x != y ? x > y : keyOf(a.line) < keyOf(b.line);
              });
  }

  const Trace &trace_;
  Explanation result_;
  std::map<std::tuple<unsigned, LineKey, Pipe, bool, LineKey>, LostOverlap>
      lost_;
  std::map<LineKey, LineCost> lines_;
};

std::string placeOf(const std::optional<SourceLine> &line) {
  return line ? fmt::format("line {}", line->line) : std::string("no line");
}

double percent(uint64_t part, uint64_t whole) {
  return whole ? 100.0 * static_cast<double>(part) / static_cast<double>(whole)
               : 0;
}

} // namespace

Explanation explain(const Trace &trace) { return Explainer(trace).run(); }

std::string sourceText(const SourceLine &line, const std::string &folder) {
  std::ifstream in;
  if (!folder.empty()) {
    in.open(folder + "/" + line.file);
  }
  if (!in.is_open()) {
    in.open(line.file);
  }
  std::string text;
  for (uint32_t n = 0; n < line.line; ++n) {
    if (!std::getline(in, text)) {
      return {};
    }
  }
  size_t begin = text.find_first_not_of(" \t");
  return begin == std::string::npos ? std::string() : text.substr(begin);
}

std::string_view name(Hint::Kind kind) {
  constexpr std::string_view kNames[] = {
      "more_buffers",     "no_barrier",  "larger_tile", "faster_control",
      "independent_work", "longer_rows", "other_banks"};
  return kNames[static_cast<unsigned>(kind)];
}

std::string describe(const LostOverlap &lost) {
  std::string place = placeOf(lost.line);
  if (lost.state == Stall::kFlag && lost.otherCore) {
    return fmt::format("{} waits for a semaphore of another core", place);
  }
  if (lost.state == Stall::kFlag) {
    std::string source = lost.sourceLine
                             ? fmt::format(" (line {})", lost.sourceLine->line)
                             : std::string();
    return fmt::format("{} waits for {}{}", place, isa::name(lost.source),
                       source);
  }
  if (lost.state == Stall::kEmpty) {
    return fmt::format("nothing was issued yet; next: {}", place);
  }
  if (lost.state == PipeState::idle()) {
    return "no block runs on the core";
  }
  if (lost.state == Stall::kInterlock) {
    return fmt::format("{} waits for a command of its own pipe", place);
  }
  return fmt::format("{}: {}", place, lost.state.name());
}

/// "in banks: V 160, MTE3 40 cycles"; empty when no pipe lost any.
static std::string inBanks(const Explanation &e) {
  std::string list;
  for (const PipeUse &use : e.pipes) {
    if (use.bankCycles) {
      list += fmt::format("{}{} {}", list.empty() ? "" : ", ",
                          isa::name(use.pipe), use.bankCycles);
    }
  }
  return list.empty() ? list : fmt::format("in banks: {} cycles\n", list);
}

std::string toText(const Explanation &e, size_t lines,
                   const std::string &folder) {
  if (e.kernelCycles == 0) {
    return "no data command ran\n";
  }
  uint64_t all = e.kernelCycles * e.cores;
  std::string out =
      fmt::format("{} cycles, {} in the kernel on {} core{}\n"
                  "bound: {}, busy {:.1f} % of the kernel; next: {}, {:.1f} %\n"
                  "{} is not overlapped for {} cycles, {:.1f} %{}\n",
                  e.cycles, e.kernelCycles, e.cores, e.cores == 1 ? "" : "s",
                  isa::name(e.bound().pipe), 100 * e.bound().share,
                  isa::name(e.pipes[1].pipe), 100 * e.pipes[1].share,
                  isa::name(e.bound().pipe), e.lost, percent(e.lost, all),
                  e.overlap.empty() ? "" : ":");
  constexpr size_t kCauses = 3;
  for (size_t i = 0; i < std::min(kCauses, e.overlap.size()); ++i) {
    out += fmt::format("  {:5.1f} % {}\n", percent(e.overlap[i].cycles, all),
                       describe(e.overlap[i]));
  }
  out += inBanks(e);
  out += "\nheaviest lines (cycles of the kernel they account for)\n";
  for (size_t i = 0; i < std::min(lines, e.lines.size()); ++i) {
    const LineCost &cost = e.lines[i];
    uint64_t cycles = cost.busy + cost.waited;
    out +=
        fmt::format("  {:5.1f} % {} {}\n", percent(cycles, all),
                    cost.line ? cost.line->text() : std::string("(no line)"),
                    cost.line ? sourceText(*cost.line, folder) : std::string());
  }
  out += "\nwhat would help\n";
  for (const Hint &hint : e.hints) {
    out += fmt::format("  about -{:.0f} % cycles: {}: {}\n",
                       100 * e.shareOf(hint.gain), hint.where, hint.text);
  }
  if (!e.modelled) {
    out += "  not estimated: a kwait precedes its kset in program order, or a "
           "core waits for another\n";
  } else if (e.hints.empty()) {
    out += "  nothing that the trace shows gains a percent\n";
  }
  return out;
}

} // namespace kiln::sim
