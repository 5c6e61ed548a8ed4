// SPDX-License-Identifier: Apache-2.0
//
// Attribution: to which command each cycle of a pipe belongs: the one in
// occupancy, or the one that could not go on and what it waited for.
#pragma once

#include "simulator/trace/trace.h"

#include <functional>
#include <map>
#include <tuple>
#include <vector>

namespace kiln::sim {

struct AttributedSpan {
  PipeState state = PipeState::idle();
  uint64_t begin = 0, end = 0;
  const TraceCommand *command = nullptr; // busy, or could not go on; or null
  isa::Pipe source{};                    // kFlag: the pipe that sets it
  bool otherCore = false;                // kFlag: another core, by a semaphore
  const TraceCommand *cause = nullptr;   // kFlag: the command before the kset
};

/// All commands of one core, by pipe, with the sets that waits consumed.
class CoreCommands {
public:
  CoreCommands(const Trace &trace, uint32_t core);

  const std::vector<TraceCommand> &of(isa::Pipe pipe) const {
    return commands_[static_cast<unsigned>(pipe)];
  }
  /// Every cycle of the pipe from `begin` to `end`, in order.
  void spans(isa::Pipe pipe, uint64_t begin, uint64_t end,
             const std::function<void(const AttributedSpan &)> &visit) const;
  /// The kset that a kwait consumed, or null.
  const TraceCommand *setOf(const TraceCommand &wait) const;

private:
  const TraceCommand *headAt(isa::Pipe pipe, uint64_t cycle) const;
  const TraceCommand *workBefore(isa::Pipe pipe, const TraceCommand &set) const;
  void split(isa::Pipe pipe, AttributedSpan span,
             const std::function<void(const AttributedSpan &)> &visit) const;

  const Trace &trace_;
  uint32_t core_;
  std::array<std::vector<TraceCommand>, isa::kNumPipes> commands_;
  std::array<std::vector<const TraceCommand *>, isa::kNumPipes> data_;
  std::map<const TraceCommand *, const TraceCommand *> setOf_;
};

} // namespace kiln::sim
