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
#include <map>
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
  kGatherBlocks,
};
constexpr unsigned kNumVectorClasses = 15;

/// One DRAM part: a channel of it, with the least times of its data sheet in
/// picoseconds (isa/arch/dram/*.yaml). The memory system rounds each up to
/// core cycles, and the refresh interval down.
struct DramPart {
  std::string name;
  uint32_t channelBits = 0;
  uint32_t pinKbps = 0;        // kilobits per second and pin
  uint32_t burstTransfers = 0; // one column command moves bits * transfers
  uint32_t banks = 0;          // rows that can be open at once
  uint32_t activations = 0;    // of device banks when one of `banks` opens
  uint32_t pageBytes = 0;      // that one of `banks` holds open
  uint32_t rcdPs = 0;          // activation to column command
  uint32_t rpPs = 0;           // precharge to activation
  uint32_t rasPs = 0;          // activation to precharge
  uint32_t clPs = 0;           // read command to data
  uint32_t cwlPs = 0;          // write command to data
  uint32_t rrdPs = 0;          // activation to activation
  uint32_t fawPs = 0;          // four activations
  uint32_t rtpPs = 0;          // read to precharge
  uint32_t wrPs = 0;           // end of write data to precharge
  uint32_t wtrPs = 0;          // end of write data to read command
  uint32_t rtwPs = 0;          // end of read data to write data
  uint32_t refiPs = 0;         // refresh interval
  uint32_t rfcPs = 0;          // refresh of all banks

  /// Bytes that one column command moves.
  uint32_t burstBytes() const { return channelBits / 8 * burstTransfers; }
};

/// One server instead of L2, network and DRAM, for comparisons.
struct FlatMemoryTiming {
  uint32_t latencyCycles = 0;       // unloaded round trip
  uint32_t serverBytesPerCycle = 0; // of all cores and directions together
};

struct L2Timing {
  uint64_t bytes = 0; // 0: no L2, bursts go to DRAM
  uint32_t lineBytes = 0;
  uint32_t ways = 0;
  uint32_t slices = 0;
  uint32_t readBytesPerCycle = 0;  // per slice
  uint32_t writeBytesPerCycle = 0; // per slice
  uint32_t hitCycles = 0;          // look-up to data or acknowledgement
  uint32_t missCycles = 0;         // look-up to the queue of the DRAM channel
  uint32_t fillCycles = 0;         // last byte from DRAM to data leaving L2
  uint32_t misses = 0;             // lines a slice can be fetching
  uint32_t writeBacks = 0;         // lines a slice can be writing back
};

struct DramTiming {
  DramPart part;
  uint32_t channels = 0;
  uint32_t queueDepth = 0; // oldest requests the scheduler looks at
  uint32_t writeHigh = 0;  // waiting writes that start a run of writes
  uint32_t writeLow = 0;   // and end it
};

/// Banks of the local memories, in which accesses of a command, or of commands
/// of different pipes, collide.
struct BankTiming {
  uint32_t ubGroups = 0; // of 32-byte blocks; 0: V never waits for a bank
  uint32_t ubBanks = 0;  // per group; a bank is the nth part of UB
  uint32_t ubReads = 0;  // per group and cycle, beside one write
  uint32_t ubWriteDelayCycles = 0; // from the read of a beat to its write
  uint32_t l1Banks = 0;            // of 32-byte rows; 0: im2col never waits
  uint32_t l0cBanks = 0;           // nth parts of L0C; 0: FIX never waits for M
  // 1: pipes meet in the banks of UB, of L1; 0: they do not.
  uint32_t ubPipesMeet = 0, l1PipesMeet = 0;
};

struct MemoryTiming {
  std::string model;                   // "system" (NoC, L2, DRAM) or "flat"
  uint32_t portReadBytesPerCycle = 0;  // per core
  uint32_t portWriteBytesPerCycle = 0; // per core, MTE3 and FIX share it
  uint32_t burstBytes = 0;
  uint32_t outstandingReads = 0;  // bursts per core
  uint32_t outstandingWrites = 0; // bursts per core
  uint32_t minRowBeats = 0;       // a row costs at least this many beats
  FlatMemoryTiming flat;
  uint32_t nocCycles = 0; // core to L2 slice, and back
  L2Timing l2;
  DramTiming dram;
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
  /// From core to core: a kpost becomes visible, the last arrival at a kdbar
  /// releases the others.
  uint32_t semaphoreCycles = 0;
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
  BankTiming banks;
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
  /// What the pins of all memory channels carry per cycle.
  double peakDramBytesPerCycle() const;
};

/// Checks every rule between fields; names the field and the rule it breaks.
Status validate(const ArchSpec &spec);

/// Parses the text of a machine file; `origin` names it in messages.
Result<ArchSpec> parseArchSpec(std::string_view yaml, std::string_view origin);

/// A built-in name (see builtinMachines()) or the path of a machine file. A
/// machine names its DRAM part (timing.memory.dram.part) the same way; the
/// part's figures are part of the spec and of its hash.
Result<ArchSpec> loadArchSpec(std::string_view nameOrPath);

/// Fields of a machine file by their path, with their text:
/// {"timing.memory.l2.bytes", "134217728"}.
using MachineKeys = std::map<std::string, std::string>;
/// The machine with these fields changed, checked and with a hash of its own:
/// what an effect costs is measured by taking it out. An unknown path or a bad
/// value is kInvalidArgument.
Result<ArchSpec> withKeys(ArchSpec spec, const MachineKeys &keys);

/// Names of the machine files compiled in, sorted; of the DRAM parts.
std::vector<std::string> builtinMachines();
std::vector<std::string> builtinDramParts();

} // namespace kiln::isa
