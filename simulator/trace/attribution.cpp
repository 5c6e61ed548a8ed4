// SPDX-License-Identifier: Apache-2.0
#include "simulator/trace/attribution.h"

#include <algorithm>
#include <deque>

namespace kiln::sim {

using isa::Pipe;

CoreCommands::CoreCommands(const Trace &trace, uint32_t core)
    : trace_(trace), core_(core) {
  std::vector<const TraceCommand *> flags;
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    commands_[p] = trace.commands(core, static_cast<Pipe>(p));
    for (const TraceCommand &c : commands_[p]) {
      TraceKind kind = trace.of(c).kind;
      if (kind == TraceKind::kData) {
        data_[p].push_back(&c);
      } else if (kind == TraceKind::kSet || kind == TraceKind::kWait) {
        flags.push_back(&c);
      }
    }
  }
  // A flag is a bit: its sets and waits alternate, in the order they happen.
  auto when = [&](const TraceCommand *c) {
    return trace.of(*c).kind == TraceKind::kSet ? c->retire : c->start;
  };
  std::sort(flags.begin(), flags.end(), [&](auto *a, auto *b) {
    bool setA = trace.of(*a).kind == TraceKind::kSet;
    bool setB = trace.of(*b).kind == TraceKind::kSet;
    return when(a) != when(b) ? when(a) < when(b) : setA > setB;
  });
  std::map<std::tuple<Pipe, Pipe, unsigned>, const TraceCommand *> open;
  for (const TraceCommand *c : flags) {
    FlagName flag = trace.flagOf(*c);
    auto &set = open[{flag.source, flag.destination, flag.id}];
    if (trace.of(*c).kind == TraceKind::kSet) {
      set = c;
    } else {
      setOf_[c] = set;
    }
  }
}

const TraceCommand *CoreCommands::setOf(const TraceCommand &wait) const {
  auto found = setOf_.find(&wait);
  return found == setOf_.end() ? nullptr : found->second;
}

/// The first command that leaves the queue at `cycle` or later.
const TraceCommand *CoreCommands::headAt(Pipe pipe, uint64_t cycle) const {
  const auto &all = of(pipe);
  auto at = std::lower_bound(
      all.begin(), all.end(), cycle,
      [](const TraceCommand &c, uint64_t t) { return c.start < t; });
  return at == all.end() ? nullptr : &*at;
}

/// The data command whose end a kset tells of.
const TraceCommand *CoreCommands::workBefore(Pipe pipe,
                                             const TraceCommand &set) const {
  const auto &data = data_[static_cast<unsigned>(pipe)];
  auto at = std::upper_bound(
      data.begin(), data.end(), set.start,
      [](uint64_t t, const TraceCommand *c) { return t < c->start; });
  return at == data.begin() ? &set : *std::prev(at);
}

/// Busy cycles, at the starts of the commands.
void CoreCommands::split(
    Pipe pipe, AttributedSpan span,
    const std::function<void(const AttributedSpan &)> &visit) const {
  const auto &data = data_[static_cast<unsigned>(pipe)];
  auto next = std::upper_bound(
      data.begin(), data.end(), span.begin,
      [](uint64_t t, const TraceCommand *c) { return t < c->start; });
  uint64_t end = span.end;
  while (span.begin < end) {
    span.command = next == data.begin() ? nullptr : *std::prev(next);
    span.end = next == data.end() ? end : std::min(end, (*next)->start);
    visit(span);
    span.begin = span.end;
    if (next != data.end()) {
      ++next;
    }
  }
}

void CoreCommands::spans(
    Pipe pipe, uint64_t begin, uint64_t end,
    const std::function<void(const AttributedSpan &)> &visit) const {
  for (const TraceState &s : trace_.states(core_, pipe)) {
    AttributedSpan span;
    span.state = s.state;
    span.begin = std::max(s.begin, begin);
    span.end = std::min(s.end, end);
    if (span.begin >= span.end) {
      continue;
    }
    if (s.state == PipeState::busy() || s.state == Stall::kGmPort) {
      split(pipe, span, visit);
      continue;
    }
    if (s.state != PipeState::idle()) {
      span.command = headAt(pipe, s.begin);
    }
    span.otherCore =
        span.command && trace_.of(*span.command).kind == TraceKind::kPend;
    if (s.state == Stall::kFlag && span.command && !span.otherCore) {
      span.source = trace_.flagOf(*span.command).source;
      if (const TraceCommand *set = setOf(*span.command)) {
        span.cause = workBefore(span.source, *set);
      }
    }
    visit(span);
  }
}

} // namespace kiln::sim
