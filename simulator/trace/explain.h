// SPDX-License-Identifier: Apache-2.0
//
// Explains a Trace: which pipe bounds it, what comes next, where the overlap
// is lost, which lines cost most, and what would help.
//
//   Explanation e = explain(trace);
//   std::string text = toText(e);
//
// Everything is computed from the trace. A hint's gain is that of the Replay
// with the change (replay.h), in cycles of the kernel; hints below one percent
// are left out. The cycles of all lines add up to the cycles of the cores in
// kernels: each cycle belongs to the line that occupied the bound pipe, or to
// the line the bound pipe waited for.
#pragma once

#include "simulator/trace/replay.h"
#include "simulator/trace/trace.h"

#include <string>
#include <vector>

namespace kiln::sim {

struct PipeUse {
  isa::Pipe pipe{};
  uint64_t busy = 0;       // cycles of the kernel, summed over cores
  double share = 0;        // of the kernel cycles
  uint64_t bankCycles = 0; // lost in banks, see CommandStamp
};

/// Cycles the bound pipe did not work, by cause.
struct LostOverlap {
  PipeState state = PipeState::idle();
  uint64_t cycles = 0;
  std::optional<SourceLine> line;       // of the command that could not go on
  isa::Pipe source{};                   // kFlag: the pipe it waited for
  bool otherCore = false;               // kFlag: it waited for a semaphore
  std::optional<SourceLine> sourceLine; // what that pipe was doing
};

struct LineCost {
  std::optional<SourceLine> line; // none: no line is known
  uint64_t busy = 0;              // of the bound pipe
  uint64_t waited = 0;            // the bound pipe waited for this line
  std::array<uint64_t, isa::kNumPipes> pipes{}; // busy cycles of every pipe
};

struct Hint {
  enum class Kind : uint8_t {
    kMoreBuffers,
    kNoBarrier,
    kLargerTile,
    kFasterControl,
    kIndependentWork,
    kLongerRows,
    kOtherBanks,
  } kind{};
  std::string where;                    // "add.cpp:37-41", or the pipe
  std::string text;                     // what to do and why
  uint64_t gain = 0;                    // cycles of the kernel
  uint32_t firstLine = 0, lastLine = 0; // 0: no line is known
};

struct Explanation {
  uint64_t cycles = 0, kernelCycles = 0;
  uint32_t cores = 1;
  /// The busiest first: [0] is the bound. S, which feeds the others, is not
  /// where it mostly waits for room in their queues.
  std::vector<PipeUse> pipes;
  uint64_t lost = 0;                // kernel cycles x cores - busy of the bound
  std::vector<LostOverlap> overlap; // largest first; adds up to `lost`
  std::vector<LineCost> lines;      // heaviest first
  std::vector<Hint> hints;          // largest gain first
  bool modelled = true;             // else no gains: see Replay::modelled()
  /// Replay of the unchanged launch over the engine's kernel cycles.
  double modelRatio = 1;

  const PipeUse &bound() const { return pipes[0]; }
  double shareOf(uint64_t gain) const {
    return kernelCycles
               ? static_cast<double>(gain) / static_cast<double>(kernelCycles)
               : 0;
  }
};

Explanation explain(const Trace &trace);

/// The explanation as text; `lines` of the heaviest lines, with their source
/// where its file is in `folder` or can be read as named.
std::string toText(const Explanation &e, size_t lines = 3,
                   const std::string &folder = {});

/// The text of a line, without blanks before it; empty when the file is
/// neither in `folder` nor readable as named.
std::string sourceText(const SourceLine &line, const std::string &folder);

std::string_view name(Hint::Kind kind);

/// "line 37 waits for V (line 41)".
std::string describe(const LostOverlap &lost);

} // namespace kiln::sim
