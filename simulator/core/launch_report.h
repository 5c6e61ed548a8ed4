// SPDX-License-Identifier: Apache-2.0
//
// LaunchReport: what one launch did. Counters of work are filled by every
// engine; cycles only by the cycle engine.
#pragma once

#include "isa/codec/machine_types.h"
#include "simulator/core/kernel_text.h"
#include "simulator/core/line_table.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::sim {

/// Why a pipe that belongs to a running block is not in occupancy.
enum class Stall : uint8_t {
  kEmpty,      // nothing in its queue (S: never)
  kFlag,       // kwait of a flag that is not visible yet
  kInterlock,  // overlaps a command in flight
  kWindow,     // as many commands in flight as the machine allows
  kGmPort,     // GM port beats or outstanding bursts
  kControl,    // kset, kwait, kcfg at the head of the queue
  kQueueFull,  // S: the queue of the pipe it issues to is full
  kBarrier,    // S: kbar or kend waits for the pipes
  kDependency, // S: operands not ready, division, taken branches
};
constexpr unsigned kNumStalls = 9;
constexpr std::string_view kStallNames[kNumStalls] = {
    "empty",   "flag",       "interlock", "window",    "gm_port",
    "control", "queue_full", "barrier",   "dependency"};

/// How a pipe spent the launch, in cycles summed over cores:
/// busy + sum(stall) + idle = cycles * cores.
struct PipeCycles {
  uint64_t busy = 0; // a command is in occupancy
  std::array<uint64_t, kNumStalls> stall{};
  uint64_t idle = 0;       // no block runs: launch and drain
  uint64_t bankCycles = 0; // lost in banks, see CommandStamp
  uint64_t total() const {
    uint64_t sum = busy + idle;
    for (uint64_t s : stall) {
      sum += s;
    }
    return sum;
  }
};

/// What the memory system behind the ports did (cycle engine).
struct MemoryCounters {
  uint64_t l2ReadHits = 0; // bursts, as are the next four
  uint64_t l2ReadMisses = 0;
  uint64_t l2Merged = 0; // reads of a line that was on its way
  uint64_t l2WriteHits = 0;
  uint64_t l2WriteMisses = 0;
  uint64_t l2WriteBacks = 0; // lines
  uint64_t rowHits = 0;      // DRAM requests that found their row open
  uint64_t rowMisses = 0;    // that had it opened
  uint64_t rowConflicts = 0; // rows closed to open another
  uint64_t refreshes = 0;    // of channels that were in use since
  uint64_t dramReadBytes = 0;
  uint64_t dramWriteBytes = 0;

  MemoryCounters &operator+=(const MemoryCounters &other) {
    l2ReadHits += other.l2ReadHits;
    l2ReadMisses += other.l2ReadMisses;
    l2Merged += other.l2Merged;
    l2WriteHits += other.l2WriteHits;
    l2WriteMisses += other.l2WriteMisses;
    l2WriteBacks += other.l2WriteBacks;
    rowHits += other.rowHits;
    rowMisses += other.rowMisses;
    rowConflicts += other.rowConflicts;
    refreshes += other.refreshes;
    dramReadBytes += other.dramReadBytes;
    dramWriteBytes += other.dramWriteBytes;
    return *this;
  }
};

/// Occupancy of all pipes, in cycles summed over cores, by the source line of
/// the command.
struct LineCycles {
  SourceLine line;
  std::array<uint64_t, isa::kNumPipes> busy{};
};

/// One result of a check: what is wrong, with both parties where there are
/// two, in words.
struct Finding {
  enum class Kind : uint8_t { kRace, kUninitialised, kFlagOrder } kind{};
  std::string text;
  uint64_t firstPc = 0;  // the earlier access, 0 when there is none
  uint64_t secondPc = 0; // the access that was found wrong
  isa::Pipe firstPipe{}, secondPipe{};
};

struct LaunchReport {
  uint64_t instructions = 0;                       // of all control cores
  std::array<uint64_t, isa::kNumPipes> commands{}; // S: kbar, kend, flags of S
  uint64_t macs = 0;             // m*n*k of every mmad, padding not counted
  uint64_t gmReadBytes = 0;      // that commands ask for, padding not counted
  uint64_t gmWriteBytes = 0;     // and write
  std::vector<Finding> findings; // at most kMaxFindings
  static constexpr size_t kMaxFindings = 16;
  std::vector<PrintedLine> printed; // by kprint, at most kMaxPrinted
  static constexpr size_t kMaxPrinted = 65536;

  uint64_t cycles = 0;       // launch included
  uint64_t kernelCycles = 0; // first command start to last retire
  uint32_t cores = 1;        // started
  std::array<PipeCycles, isa::kNumPipes> pipes{};
  MemoryCounters memory;
  std::vector<LineCycles> lines; // sorted by file and line
};

} // namespace kiln::sim
