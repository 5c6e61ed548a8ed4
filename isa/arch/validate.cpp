// SPDX-License-Identifier: Apache-2.0
//
// The rules between the fields of a machine file. Each refusal names the
// field, its value and the rule.
#include "isa/abi/launch.h"
#include "isa/arch/machine_fields.h"

#include <bit>
#include <fmt/format.h>

namespace kiln::isa {
namespace {

class Rules {
public:
  void range(std::string_view field, uint64_t value, uint64_t least,
             uint64_t most) {
    require(value >= least && value <= most, field, value,
            fmt::format("must be from {} to {}", least, most));
  }
  void multiple(std::string_view field, uint64_t value, uint64_t of) {
    require(value % of == 0, field, value,
            fmt::format("must be a multiple of {}", of));
  }
  void require(bool holds, std::string_view field, uint64_t value,
               std::string_view rule) {
    if (!holds && status.isOk()) {
      status = Status(StatusCode::kInvalidArgument,
                      fmt::format("{} = {}: {}", field, value, rule));
    }
  }
  Status status;
};

void checkCapacities(Rules &r, const ArchPart &a) {
  constexpr uint64_t kLocalAddresses = uint64_t{1} << 24;
  constexpr uint64_t kBiasOffsets = uint64_t{1} << 16;
  for (Space s : kLocalSpaces) {
    const std::string field = fmt::format("arch.capacity_bytes.{}", name(s));
    const bool fractals = s == Space::L0A || s == Space::L0B;
    const uint64_t unit = fractals          ? kFractalBytes
                          : s == Space::L0C ? kL0CCellBytes
                                            : kBlockBytes;
    const uint64_t most = s == Space::BT ? kBiasOffsets : kLocalAddresses;
    r.range(field, a.capacity(s), unit, most);
    r.multiple(field, a.capacity(s), unit);
  }
  r.range("arch.instruction_ram_bytes", a.instructionRamBytes, 1024,
          kScalarRamBase - kInstructionRamBase);
  r.multiple("arch.instruction_ram_bytes", a.instructionRamBytes, 4);
  // The stack of 2 KiB, an argument block and some data.
  r.range("arch.scalar_ram_bytes", a.scalarRamBytes, 4096,
          kUbWindowBase - kScalarRamBase);
  r.multiple("arch.scalar_ram_bytes", a.scalarRamBytes, 16);
  r.range("arch.gm.base", a.gmBase, kGmBase, uint64_t{1} << 47);
  r.multiple("arch.gm.base", a.gmBase, 4096);
  r.range("arch.gm.bytes", a.capacity(Space::GM), 1 << 20, uint64_t{1} << 47);
  r.multiple("arch.gm.bytes", a.capacity(Space::GM), 4096);
  r.require(a.capacity(Space::UB) <= kGmBase - kUbWindowBase,
            "arch.capacity_bytes.UB", a.capacity(Space::UB),
            "must fit the UB window of the control core");
}

void checkQueues(Rules &r, const ArchPart &a) {
  r.range("arch.cores", a.cores, 1, 4096);
  for (Pipe p : kQueuedPipes) {
    const unsigned n = static_cast<unsigned>(p);
    r.range(fmt::format("arch.queue_depth.{}", name(p)), a.queueDepth[n], 1,
            4096);
    r.range(fmt::format("arch.in_flight.{}", name(p)), a.inFlight[n], 1, 64);
  }
  for (Pipe p : kGmWriters) {
    r.range(fmt::format("arch.in_flight_gm.{}", name(p)),
            a.inFlightGm[static_cast<unsigned>(p)], 1, 64);
  }
}

constexpr uint64_t kMostCycles = 1'000'000; // a typing mistake beyond

void checkCube(Rules &r, const TimingPart &t) {
  r.range("timing.clock_hz", t.clockHz, 1'000'000, 10'000'000'000);
  r.range("timing.cube.cells", t.cubeRate.cells, 1, 4096);
  r.range("timing.cube.cycles", t.cubeRate.cycles, 1, 4096);
  r.range("timing.cube.fp32_weight", t.cubeFp32Weight, 1, 4096);
  r.range("timing.cube.latency_cycles", t.cubeLatencyCycles, 1, kMostCycles);
}

void checkControl(Rules &r, const TimingPart &t) {
  const ControlTiming &c = t.control;
  r.range("timing.control.load_use_bubble_cycles", c.loadUseBubble, 0,
          kMostCycles);
  r.range("timing.control.mul_cycles", c.mulCycles, 1, kMostCycles);
  r.range("timing.control.div_cycles", c.divCycles, 1, kMostCycles);
  r.range("timing.control.taken_branch_extra_cycles", c.takenBranchCycles, 0,
          kMostCycles);
  r.range("timing.control.csr_cycles", c.csrCycles, 1, kMostCycles);
  r.range("timing.control.scalar_ram_cycles", c.scalarRamCycles, 1,
          kMostCycles);
  r.range("timing.control.ub_window_cycles", c.ubWindowCycles, 1, kMostCycles);
  r.range("timing.sync.flag_cycles", t.flagCycles, 1, kMostCycles);
  r.range("timing.sync.flag_visible_cycles", t.flagVisibleCycles, 0,
          kMostCycles);
  r.range("timing.sync.config_cycles", t.configCycles, 1, kMostCycles);
  r.range("timing.sync.barrier_cycles", t.barrierCycles, 0, kMostCycles);
  r.range("timing.sync.semaphore_cycles", t.semaphoreCycles, 1, kMostCycles);
}

void checkPaths(Rules &r, const TimingPart &t) {
  const std::pair<const char *, const PathTiming *> paths[] = {
      {"l1_to_l0a", &t.l1ToL0A},
      {"l1_to_l0b", &t.l1ToL0B},
      {"l1_to_bt", &t.l1ToBt},
      {"ub_to_l1", &t.ubToL1}};
  for (const auto &[key, path] : paths) {
    r.range(fmt::format("timing.paths.{}.bytes_per_cycle", key),
            path->bytesPerCycle, 1, 1 << 20);
    r.range(fmt::format("timing.paths.{}.latency_cycles", key),
            path->latencyCycles, 0, kMostCycles);
  }
  r.range("timing.paths.im2col.rows", t.im2colRowsPerCycle, 1, 4096);
  r.range("timing.paths.im2col.cycles", t.im2colCycles, 1, 4096);
  r.range("timing.paths.im2col.latency_cycles", t.im2colLatencyCycles, 0,
          kMostCycles);
  const std::pair<const char *, uint32_t> rates[] = {
      {"to_ub_elements.bits8", t.fixToUbElements8},
      {"to_ub_elements.bits16", t.fixToUbElements16},
      {"to_ub_elements.bits32", t.fixToUbElements32},
      {"to_l1_gm_elements.bits8", t.fixElements8},
      {"to_l1_gm_elements.bits16", t.fixElements16},
      {"to_l1_gm_elements.bits32", t.fixElements32}};
  for (const auto &[key, rate] : rates) {
    r.range(fmt::format("timing.fix.{}", key), rate, 1, 1 << 20);
  }
  r.range("timing.fix.latency_cycles", t.fixLatencyCycles, 0, kMostCycles);
}

void checkVector(Rules &r, const TimingPart &t) {
  for (unsigned c = 0; c < kNumVectorClasses; ++c) {
    const VectorTiming &v = t.vector[c];
    const std::string prefix =
        fmt::format("timing.vector.{}.", kVectorClassKeys[c]);
    r.range(prefix + "bits8", v.elements8, 1, 1 << 20);
    r.range(prefix + "bits16", v.elements16, 1, v.elements8);
    r.range(prefix + "bits32", v.elements32, 1, v.elements16);
    r.range(prefix + "latency_cycles", v.latencyCycles, 0, kMostCycles);
    r.range(prefix + "row_cycles", v.extraCyclesPerRow, 0, kMostCycles);
  }
}

void checkMemory(Rules &r, const TimingPart &t) {
  const MemoryTiming &m = t.memory;
  r.range("timing.memory.burst_bytes", m.burstBytes, 32, 1 << 16);
  r.require(std::has_single_bit(m.burstBytes), "timing.memory.burst_bytes",
            m.burstBytes, "must be a power of two");
  r.range("timing.memory.port_read_bytes_per_cycle", m.portReadBytesPerCycle, 1,
          m.burstBytes);
  r.range("timing.memory.port_write_bytes_per_cycle", m.portWriteBytesPerCycle,
          1, m.burstBytes);
  r.require(std::has_single_bit(m.portReadBytesPerCycle),
            "timing.memory.port_read_bytes_per_cycle", m.portReadBytesPerCycle,
            "must be a power of two");
  r.require(std::has_single_bit(m.portWriteBytesPerCycle),
            "timing.memory.port_write_bytes_per_cycle",
            m.portWriteBytesPerCycle, "must be a power of two");
  r.range("timing.memory.outstanding_reads", m.outstandingReads, 1, 1 << 16);
  r.range("timing.memory.outstanding_writes", m.outstandingWrites, 1, 1 << 16);
  r.range("timing.memory.latency_cycles", m.latencyCycles, 1, kMostCycles);
  r.range("timing.memory.server_bytes_per_cycle", m.serverBytesPerCycle, 1,
          1 << 24);
  r.range("timing.memory.min_row_beats", m.minRowBeats, 1, 64);
  const LaunchTiming &l = t.launch;
  r.range("timing.launch.doorbell_cycles", l.doorbellCycles, 0, kMostCycles);
  r.range("timing.launch.dispatch_cycles", l.dispatchCycles, 0, kMostCycles);
  r.range("timing.launch.core_cycles", l.perCoreCycles, 0, kMostCycles);
  r.range("timing.launch.image_bytes_per_cycle", l.imageBytesPerCycle, 1,
          1 << 20);
}

} // namespace

Status validate(const ArchSpec &spec) {
  constexpr std::string_view kNameCharacters =
      "abcdefghijklmnopqrstuvwxyz0123456789-_";
  if (spec.name.empty() || spec.name.size() > 64 ||
      spec.name.find_first_not_of(kNameCharacters) != std::string::npos) {
    return {StatusCode::kInvalidArgument,
            fmt::format("name = '{}': must be 1 to 64 of a-z, 0-9, - and _",
                        spec.name)};
  }
  Rules rules;
  checkQueues(rules, spec.arch);
  checkCapacities(rules, spec.arch);
  checkCube(rules, spec.timing);
  checkControl(rules, spec.timing);
  checkPaths(rules, spec.timing);
  checkVector(rules, spec.timing);
  checkMemory(rules, spec.timing);
  return rules.status;
}

} // namespace kiln::isa
