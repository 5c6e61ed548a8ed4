// SPDX-License-Identifier: Apache-2.0
//
// TraceRecorder: listens to a launch of the cycle engine and makes its Trace
// (trace.h). One recorder per launch.
#pragma once

#include "isa/semantics/semantics.h"
#include "simulator/core/command_listener.h"
#include "simulator/trace/trace.h"

#include <map>

namespace kiln::sim {

class TraceRecorder final : public CommandListener {
public:
  /// Both are borrowed until finish().
  TraceRecorder(const isa::ArchSpec &machine, const Program &program);

  void beganBlock(uint32_t core, uint32_t block, uint64_t now) override;
  void retired(const CommandStamp &stamp) override;
  void synced(const CommandStamp &stamp) override;
  void spent(uint32_t core, isa::Pipe pipe, unsigned state,
             uint64_t cycles) override;

  /// The trace of the launch that ended with `report`.
  Trace finish(const LaunchReport &report);

private:
  struct Cursor {
    uint64_t lastStart = 0;
    unsigned state = 0; // not written yet
    uint64_t stateCycles = 0;
  };

  void record(const CommandStamp &stamp, TraceCommand command);
  uint32_t indexOf(const isa::Command &command);
  void countPaths(isa::Pipe pipe);
  void countWork(const isa::Command &command);
  void flushState(uint32_t core, unsigned pipe);
  Cursor &cursor(uint32_t core, unsigned pipe);

  const Program &program_;
  Trace trace_;
  isa::Footprint footprint_;
  std::vector<uint32_t> indexOfWord_; // into trace_.instructions, or kNone
  std::vector<std::array<Cursor, isa::kNumPipes>> cursors_;
  std::array<uint64_t, isa::kNumPipes * isa::kNumSpaces * 2> pathBytes_{};
};

} // namespace kiln::sim
