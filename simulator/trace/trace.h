// SPDX-License-Identifier: Apache-2.0
//
// Trace: a recorded launch of the cycle engine: when each command of each pipe
// was issued, left its queue, freed its pipe and retired, which bytes it
// touched, and how every pipe spent every cycle.
//
//   TraceRecorder recorder(machine, *request.program);
//   request.listener = &recorder;
//   Result<LaunchReport> report = engine->run(request);
//   Trace trace = recorder.finish(*report);
//   for (const TraceCommand &c : trace.commands(0, isa::Pipe::V)) { ... }
//
// Contract: the states of one pipe tile [0, trace.report.cycles), so the
// cycles of its states add up to the elapsed cycles. Held as variable-length
// deltas: about 25 bytes per command and 2 per change of state; commands() and
// states() unpack one pipe of one core. Immutable once finished.
#pragma once

#include "isa/arch/arch_spec.h"
#include "isa/codec/command.h"
#include "simulator/core/flag_file.h"
#include "simulator/core/program.h"
#include "simulator/trace/pipe_clock.h"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kiln::sim {

enum class TraceKind : uint8_t {
  kData,
  kSet,
  kWait,
  kConfigure,
  kPost,    // of a semaphore
  kPend,    // of a semaphore
  kBarrier, // kbar and kdbar of S
  kEnd,     // kend of S
};

/// One NPU instruction of the program that was executed.
struct TraceInstruction {
  uint64_t pc = 0;
  TraceKind kind{};
  isa::Opcode op{};
  isa::Pipe pipe{};
  uint8_t f3 = 0;
  isa::Pipe flagSource{}, flagDestination{}; // kSet, kWait
  std::string text;                          // mnemonic and registers
  std::optional<SourceLine> line;
};

/// Bounding range [lo, hi) of what a command touches in one memory, and the
/// bytes it really touches there.
struct TraceRange {
  isa::Space space{};
  bool write = false;
  uint64_t lo = 0, hi = 0, bytes = 0;
};

struct TraceCommand {
  static constexpr unsigned kMaxRanges = 6;

  uint32_t instruction = 0; // into Trace::instructions
  uint8_t flagId = 0;       // kSet, kWait
  uint8_t rangeCount = 0;
  uint64_t issue = 0, start = 0, busyEnd = 0, retire = 0;
  uint64_t bankCycles = 0; // lost in banks, see CommandStamp
  std::array<TraceRange, kMaxRanges> range{};

  std::span<const TraceRange> ranges() const {
    return {range.data(), rangeCount};
  }
};

struct TraceState {
  PipeState state = PipeState::idle();
  uint64_t begin = 0, end = 0;
};

/// A loop of the program's code: pc of its first and of its last instruction.
struct TraceLoop {
  uint64_t first = 0, last = 0;
  bool contains(uint64_t pc) const { return pc >= first && pc <= last; }
};

struct TraceBlock {
  uint32_t core = 0, block = 0;
  uint64_t begin = 0;
};

/// Bytes that commands of a pipe read from or wrote to a memory.
struct PathBytes {
  isa::Pipe pipe{};
  isa::Space space{};
  bool write = false;
  uint64_t bytes = 0;
};

/// What happened how often, for energy.
struct EventCounts {
  uint64_t macs8 = 0, macs16 = 0, macs32 = 0; // by width of the operands
  /// Vector lanes by element width (16 includes 8) and kind.
  uint64_t addLanes16 = 0, addLanes32 = 0;
  uint64_t mulLanes16 = 0, mulLanes32 = 0;
  uint64_t functionLanes16 = 0, functionLanes32 = 0;
  std::array<uint64_t, isa::kNumSpaces> bytes{}; // read and written
};

class Trace {
public:
  isa::ArchSpec machine;
  LaunchReport report;
  std::vector<TraceInstruction> instructions; // those executed
  std::vector<TraceLoop> loops;               // inner before outer
  std::vector<TraceBlock> blocks;
  std::vector<PathBytes> paths; // sorted by pipe, space, direction
  EventCounts events;

  uint32_t cores() const { return static_cast<uint32_t>(tracks_.size()); }
  /// In the order they left the queue.
  std::vector<TraceCommand> commands(uint32_t core, isa::Pipe pipe) const;
  std::vector<TraceState> states(uint32_t core, isa::Pipe pipe) const;
  uint64_t commandCount() const;
  /// Memory the recorded streams take.
  uint64_t heldBytes() const;

  /// Which instructions are of the same source line as this one; without a
  /// line only itself.
  std::vector<bool> onLineOf(uint32_t instruction) const;

  const TraceInstruction &of(const TraceCommand &c) const {
    return instructions[c.instruction];
  }
  FlagName flagOf(const TraceCommand &c) const {
    return {of(c).flagSource, of(c).flagDestination, c.flagId};
  }

private:
  friend class TraceRecorder;
  struct Track {
    std::vector<uint8_t> commands, states;
    uint64_t count = 0;
  };
  std::vector<std::array<Track, isa::kNumPipes>> tracks_; // by core
};

} // namespace kiln::sim
