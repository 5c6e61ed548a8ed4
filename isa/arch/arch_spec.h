// SPDX-License-Identifier: Apache-2.0
//
// ArchSpec: the typed, immutable form of a machine file (isa/arch/*.yaml).
//
//   Result<ArchSpec> k1 = loadArchSpec("k1");         // built-in name
//   Result<ArchSpec> mine = loadArchSpec("m.yaml");   // or a file
//
// Two parts: `arch` holds what programs depend on (capacities, units, queue
// depths), `timing` only what cycles depend on. Units stand in the names:
// Bytes, Cycles, PerCycle. loadArchSpec() validates; a bad file is kCorrupt
// (not YAML, missing or unknown key, wrong type) or kInvalidArgument (a rule
// is broken), and the message names file, field, value and rule.
#pragma once

#include "isa/codec/machine_types.h"
#include "isa/support/status.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::isa {

/// Multiply-accumulate cell: 16x16 outputs x 32 bytes of k. A machine does
/// numerator/denominator cells per cycle (k1: 1/1, k1-nano: 1/64).
struct CellRate {
  uint32_t cells = 1;
  uint32_t cycles = 1;
};

struct ArchPart {
  uint32_t cores = 1;
  uint64_t capacityBytes[kNumSpaces] = {}; // GM: total GM size
  uint64_t instructionRamBytes = 0;
  uint64_t scalarRamBytes = 0;
  uint32_t queueDepth[kNumPipes] = {}; // entry 0 (S) unused
  /// In-flight commands per pipe (interlock window).
  uint32_t inFlight[kNumPipes] = {};
  /// FIX and MTE3 keep a second window for GM commands.
  uint32_t inFlightGm[kNumPipes] = {};
  uint64_t gmBase = 0;

  uint64_t capacity(Space s) const {
    return capacityBytes[static_cast<unsigned>(s)];
  }
};

/// Rate and latency of a data path: a transfer of n bytes occupies
/// ceil(n / bytesPerCycle) cycles and retires latencyCycles later.
struct PathTiming {
  uint32_t bytesPerCycle = 0;
  uint32_t latencyCycles = 0;
};

/// Elements per cycle of a vector instruction class, by element width.
struct VectorTiming {
  uint32_t elements8 = 0; // 8-bit elements per cycle
  uint32_t elements16 = 0;
  uint32_t elements32 = 0;
  uint32_t latencyCycles = 0;
  uint32_t extraCyclesPerRow = 0;
};

/// Timing classes; isa/spec names one per instruction, the machine file gives
/// its figures. Order of the vector classes is that of the machine file.
enum class VectorClass : uint8_t {
  kArithmetic, // add sub mul max min, scalar forms, vmov, vdup
  kMultiplyAdd,
  kCast,
  kExp,
  kReciprocal, // rec, rsqrt
  kDivide,     // div, sqrt, ln, tanh, erf
  kReduceRows, // vsum.r, vmax.r
  kReduceLane, // vsum.l, vmax.l
  kTranspose,
  kBroadcast, // vbc: rows per cycle in elements*
  kCompare,   // compare, select
  kTrigonometric,
  kGather, // gather, scatter
  kSort,   // sort, merge
};
constexpr unsigned kNumVectorClasses = 14;

struct MemoryTiming {
  uint32_t portReadBytesPerCycle = 0;  // per core
  uint32_t portWriteBytesPerCycle = 0; // per core, MTE3 and FIX share it
  uint32_t burstBytes = 0;
  uint32_t outstandingReads = 0;    // bursts per core
  uint32_t outstandingWrites = 0;   // bursts per core
  uint32_t latencyCycles = 0;       // unloaded round trip
  uint32_t serverBytesPerCycle = 0; // shared memory server
  uint32_t minRowBeats = 0;         // a row costs at least this many beats
};

struct LaunchTiming {
  uint32_t doorbellCycles = 0;     // once per submission
  uint32_t dispatchCycles = 0;     // per dispatch
  uint32_t perCoreCycles = 0;      // per core started
  uint32_t imageBytesPerCycle = 0; // text and data
};

struct ControlTiming {
  uint32_t loadUseBubble = 0;
  uint32_t mulCycles = 0;
  uint32_t divCycles = 0;
  uint32_t takenBranchCycles = 0; // extra cycles
  uint32_t csrCycles = 0;
  uint32_t scalarRamCycles = 0;
  uint32_t ubWindowCycles = 0;
};

struct TimingPart {
  uint64_t clockHz = 0;
  CellRate cubeRate;
  uint32_t cubeLatencyCycles = 0;
  uint32_t cubeFp32Weight = 2; // occupancy factor of fp32 cells (k1_numbers: 2)
  ControlTiming control;
  uint32_t flagCycles = 0;        // kset, kwait at the queue head
  uint32_t flagVisibleCycles = 0; // after the last earlier retire
  uint32_t configCycles = 0;
  uint32_t barrierCycles = 0; // kbar: after the last retire
  PathTiming l1ToL0A, l1ToL0B;
  /// im2col reads this many 32-byte rows every im2colCycles cycles.
  uint32_t im2colRowsPerCycle = 0;
  uint32_t im2colCycles = 1; // k1-nano: one row in two cycles
  uint32_t im2colLatencyCycles = 0;
  PathTiming l1ToBt;
  PathTiming ubToL1;
  /// L0C out: elements per cycle by output size.
  uint32_t fixToUbElements16 = 0, fixToUbElements8 = 0, fixToUbElements32 = 0;
  uint32_t fixElements16 = 0, fixElements8 = 0, fixElements32 = 0; // L1, GM
  uint32_t fixLatencyCycles = 0;
  std::array<VectorTiming, kNumVectorClasses> vector{};
  MemoryTiming memory;
  LaunchTiming launch;
};

/// Energy of one event of a class, in femtojoules, and where it comes from.
struct EnergyFigure {
  uint32_t femtojoules = 0;
  std::string source;
};
enum class EnergyEvent : uint8_t {
  kMac8, // by width of the operands
  kMac16,
  kMac32,
  kAddLane16, // vector lanes; 16 includes 8
  kAddLane32,
  kMulLane16,
  kMulLane32,
  kFunctionLane16, // exp, division and the like
  kFunctionLane32,
  kSmallSramByte, // bias table
  kLocalByte,     // L0A, L0B, L0C, UB
  kL1Byte,
  kGmByte,      // memory device and, where there is one, L2
  kNetworkByte, // way between core and memory
  kControlInstruction,
  kIdleCoreCycle,
};
constexpr unsigned kNumEnergyEvents = 16;
constexpr std::string_view kEnergyKeys[kNumEnergyEvents] = {
    "mac_8",           "mac_16",           "mac_32",
    "add_lane_16",     "add_lane_32",      "mul_lane_16",
    "mul_lane_32",     "function_lane_16", "function_lane_32",
    "small_sram_byte", "local_byte",       "l1_byte",
    "gm_byte",         "network_byte",     "control_instruction",
    "idle_core_cycle"};

/// Optional in a machine file: without it profiles hold no energy.
struct EnergyPart {
  bool given = false;
  std::array<EnergyFigure, kNumEnergyEvents> figures{};
};

struct ArchSpec {
  std::string name;
  ArchPart arch;
  TimingPart timing;
  EnergyPart energy;
  /// SHA-256 (hex) of the machine file's canonical content: tuned records and
  /// published results carry it.
  std::string hash;

  /// Peak multiply-accumulates per cycle and core for cube operands of `t`.
  double peakMacsPerCycle(ElementType t) const;
};

/// Checks every rule between fields; names the field and the rule it breaks.
Status validate(const ArchSpec &spec);

/// Parses the text of a machine file; `origin` names it in messages.
Result<ArchSpec> parseArchSpec(std::string_view yaml, std::string_view origin);

/// A built-in name (see builtinMachines()) or the path of a machine file.
Result<ArchSpec> loadArchSpec(std::string_view nameOrPath);

/// Names of the machine files compiled in, sorted.
std::vector<std::string> builtinMachines();

} // namespace kiln::isa
