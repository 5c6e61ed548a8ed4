// SPDX-License-Identifier: Apache-2.0
//
// Replay: the launch of a Trace, computed again from its commands, flags and
// durations, as it was or with one thing changed ("what if this loop had one
// more buffer?").
//
//   Replay replay(trace);
//   replay.cycles();                          // close to the kernel cycles
//   replay.cycles({.relaxedLoop = loop});     // with one more buffer
//
// Model: the rules of docs/microarchitecture.md for queues, windows, interlock
// ranges, flags and kbar; the occupancy and latency of each command, and the
// own time of S between its commands, are those of the trace. So waiting for
// the memory system, and for banks other pipes use, stays as it was. Valid
// where every kwait follows its kset in program order and no core waits for
// another (modelled(); else no gain is estimated).
#pragma once

#include "simulator/trace/trace.h"

#include <cstdint>
#include <vector>

namespace kiln::sim {

/// What to change; the default changes nothing.
struct WhatIf {
  static constexpr size_t kNoLoop = ~size_t{0};

  /// Buffers of this loop (into Trace::loops) exist once more: a kwait that
  /// waits for the release of one waits for an earlier release.
  size_t relaxedLoop = kNoLoop;
  /// Two iterations of this loop become one with twice the data.
  size_t mergedLoop = kNoLoop;
  /// This kbar or flag (into Trace::instructions) does not wait.
  uint32_t freeInstruction = ~uint32_t{0};
  /// S needs one cycle per command and no more.
  bool fastControl = false;
  /// Occupancy of the commands of this instruction, in percent.
  uint32_t scaledInstruction = ~uint32_t{0};
  uint32_t scalePercent = 100;
  /// Operands do not meet in banks in V commands of this instruction's line.
  uint32_t banksOfInstruction = ~uint32_t{0};
  /// Commands of this pipe in flight do not wait for each other's ranges.
  bool freeInterlock = false;
  isa::Pipe interlockPipe{};
};

class Replay {
public:
  explicit Replay(const Trace &trace);

  /// False when a kwait precedes its kset in program order, or a kpend or
  /// kdbar makes a core wait for another.
  bool modelled() const { return modelled_; }
  /// First start of a data command to the last retirement, over all cores.
  uint64_t cycles(const WhatIf &change = {}) const;
  /// Whether the loop reuses a buffer that another pipe has to release: then
  /// one more buffer may help.
  bool reusesBuffers(size_t loop) const { return reuses_[loop]; }

  /// One command in the order of S; what the trace says about it.
  struct Item {
    TraceCommand command;
    isa::Pipe pipe{};
    TraceKind kind{};
    bool loopCarried = false;      // kWait: of a release, see reusesBuffers()
    uint32_t set = kNone;          // kWait: index of its kset
    size_t loop = WhatIf::kNoLoop; // innermost
    uint64_t iteration = 0;        // of that loop, counted over the launch
    uint64_t gap = 0; // cycles S itself needs before it issues this
    uint32_t previousWait = kNone; // the one before at the same place
  };
  static constexpr uint32_t kNone = ~uint32_t{0};
  const std::vector<Item> &items(uint32_t core) const { return cores_[core]; }

private:
  void load(uint32_t core);
  void matchFlags(std::vector<Item> &items);
  void findLoops(std::vector<Item> &items);
  void findReleases(std::vector<Item> &items);
  bool isRelease(const std::vector<Item> &items, size_t wait) const;

  const Trace &trace_;
  bool modelled_ = true;
  std::vector<std::vector<Item>> cores_;
  std::vector<bool> reuses_;
};

} // namespace kiln::sim
