// SPDX-License-Identifier: Apache-2.0
#include "simulator/trace/trace.h"

#include "simulator/core/byte_cursor.h"

#include <algorithm>

namespace kiln::sim {

std::vector<TraceCommand> Trace::commands(uint32_t core, isa::Pipe pipe) const {
  const Track &track = tracks_[core][static_cast<unsigned>(pipe)];
  std::vector<TraceCommand> result;
  result.reserve(track.count);
  ByteCursor in(track.commands);
  int64_t last = 0;
  while (!in.atEnd()) {
    TraceCommand c;
    c.instruction = static_cast<uint32_t>(in.uleb());
    last += in.sleb();
    c.start = static_cast<uint64_t>(last);
    c.issue = c.start - in.uleb();
    c.busyEnd = c.start + in.uleb();
    c.retire = c.busyEnd + static_cast<uint64_t>(in.sleb());
    c.bankCycles = in.uleb();
    c.flagId = in.u8();
    c.rangeCount = in.u8();
    for (unsigned r = 0; r < c.rangeCount; ++r) {
      TraceRange &range = c.range[r];
      uint8_t head = in.u8();
      range.space = static_cast<isa::Space>(head >> 1);
      range.write = head & 1;
      range.lo = in.uleb();
      range.hi = range.lo + in.uleb();
      range.bytes = in.uleb();
    }
    result.push_back(c);
  }
  std::sort(result.begin(), result.end(),
            [](const auto &a, const auto &b) { return a.start < b.start; });
  return result;
}

std::vector<TraceState> Trace::states(uint32_t core, isa::Pipe pipe) const {
  const Track &track = tracks_[core][static_cast<unsigned>(pipe)];
  std::vector<TraceState> result;
  ByteCursor in(track.states);
  uint64_t now = 0;
  while (!in.atEnd()) {
    PipeState state = PipeState::ofIndex(in.u8());
    uint64_t cycles = in.uleb();
    if (!result.empty() && result.back().state == state) {
      result.back().end += cycles;
    } else {
      result.push_back({state, now, now + cycles});
    }
    now += cycles;
  }
  return result;
}

std::vector<bool> Trace::onLineOf(uint32_t instruction) const {
  const std::optional<SourceLine> &line = instructions[instruction].line;
  std::vector<bool> same(instructions.size());
  for (uint32_t i = 0; i < same.size(); ++i) {
    const std::optional<SourceLine> &other = instructions[i].line;
    same[i] = i == instruction || (line && other && line->file == other->file &&
                                   line->line == other->line);
  }
  return same;
}

uint64_t Trace::commandCount() const {
  uint64_t count = 0;
  for (const auto &core : tracks_) {
    for (const Track &track : core) {
      count += track.count;
    }
  }
  return count;
}

uint64_t Trace::heldBytes() const {
  uint64_t bytes = 0;
  for (const auto &core : tracks_) {
    for (const Track &track : core) {
      bytes += track.commands.size() + track.states.size();
    }
  }
  return bytes;
}

} // namespace kiln::sim
