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
    // Broadcasts and transpositions do not go row by row.
    const auto kind = static_cast<VectorClass>(c);
    const bool byRow =
        kind != VectorClass::kBroadcast && kind != VectorClass::kTranspose;
    r.range(prefix + "row_cycles", v.extraCyclesPerRow, 0,
            byRow ? kMostCycles : 0);
  }
}

void checkBanks(Rules &r, const ArchSpec &spec) {
  const BankTiming &b = spec.timing.banks;
  const std::string at = "timing.banks.";
  r.range(at + "ub_groups", b.ubGroups, 0, 64);
  r.range(at + "ub_banks", b.ubBanks, 1, 16);
  if (r.status.isOk()) {
    r.require(spec.arch.capacity(Space::UB) % b.ubBanks == 0, at + "ub_banks",
              b.ubBanks, "must divide arch.capacity_bytes.UB");
  }
  r.range(at + "ub_reads", b.ubReads, 1, 16);
  r.range(at + "ub_write_delay_cycles", b.ubWriteDelayCycles, 1, 1024);
  r.range(at + "l1_banks", b.l1Banks, 0, 256);
  r.range(at + "ub_pipes_meet", b.ubPipesMeet, 0, 1);
  if (r.status.isOk() && b.ubPipesMeet) {
    r.require(b.ubGroups * b.ubBanks <= 64, at + "ub_pipes_meet", b.ubPipesMeet,
              "needs at most 64 banks (ub_groups * ub_banks)");
  }
  r.range(at + "l1_pipes_meet", b.l1PipesMeet, 0, 1);
  if (r.status.isOk() && b.l1PipesMeet) {
    r.require(b.l1Banks <= 64, at + "l1_pipes_meet", b.l1PipesMeet,
              "needs at most 64 l1_banks");
  }
  r.range(at + "l0c_banks", b.l0cBanks, 0, 64);
  if (r.status.isOk() && b.l0cBanks) {
    r.require(spec.arch.capacity(Space::L0C) % (b.l0cBanks * kL0CCellBytes) ==
                  0,
              at + "l0c_banks", b.l0cBanks,
              "must divide the cells of arch.capacity_bytes.L0C");
  }
}

void checkL2(Rules &r, const MemoryTiming &m) {
  const L2Timing &l2 = m.l2;
  const std::string at = "timing.memory.l2.";
  r.range(at + "line_bytes", l2.lineBytes, 32, 2048);
  r.require(std::has_single_bit(l2.lineBytes), at + "line_bytes", l2.lineBytes,
            "must be a power of two");
  r.require(l2.lineBytes >= m.burstBytes, at + "line_bytes", l2.lineBytes,
            "must hold a burst");
  r.range(at + "ways", l2.ways, 1, 64);
  r.range(at + "slices", l2.slices, 1, 1024);
  r.range(at + "bytes", l2.bytes, 0, uint64_t{1} << 34);
  if (r.status.isOk()) {
    r.multiple(at + "bytes", l2.bytes,
               uint64_t{l2.lineBytes} * l2.ways * l2.slices);
  }
  r.range(at + "read_bytes_per_cycle", l2.readBytesPerCycle, 1, 1 << 16);
  r.range(at + "write_bytes_per_cycle", l2.writeBytesPerCycle, 1, 1 << 16);
  r.range(at + "hit_cycles", l2.hitCycles, 1, kMostCycles);
  r.range(at + "miss_cycles", l2.missCycles, 1, kMostCycles);
  r.range(at + "fill_cycles", l2.fillCycles, 1, kMostCycles);
  r.range(at + "misses", l2.misses, 1, 4096);
  r.range(at + "write_backs", l2.writeBacks, 1, 4096);
}

void checkPart(Rules &r, const MemoryTiming &m) {
  const DramPart &p = m.dram.part;
  const std::string at = "dram part " + p.name + ": ";
  constexpr uint64_t kMostPs = 1'000'000'000; // a millisecond
  r.range(at + "channel_bits", p.channelBits, 8, 1024);
  r.multiple(at + "channel_bits", p.channelBits, 8);
  r.range(at + "pin_kbps", p.pinKbps, 1000, 100'000'000);
  r.range(at + "burst_transfers", p.burstTransfers, 1, 64);
  r.range(at + "banks", p.banks, 1, 64);
  r.range(at + "activations_per_bank", p.activations, 1, 4);
  r.range(at + "page_bytes", p.pageBytes, m.l2.lineBytes, 1 << 20);
  if (r.status.isOk()) {
    r.multiple(at + "page_bytes", p.pageBytes, m.l2.lineBytes);
    r.require(m.l2.lineBytes % p.burstBytes() == 0, at + "burst_transfers",
              p.burstTransfers, "a line must be whole bursts");
  }
  for (const auto &[key, ps] :
       std::initializer_list<std::pair<const char *, uint32_t>>{
           {"rcd_ps", p.rcdPs},
           {"rp_ps", p.rpPs},
           {"ras_ps", p.rasPs},
           {"cl_ps", p.clPs},
           {"cwl_ps", p.cwlPs},
           {"rrd_ps", p.rrdPs},
           {"faw_ps", p.fawPs},
           {"rtp_ps", p.rtpPs},
           {"wr_ps", p.wrPs},
           {"wtr_ps", p.wtrPs},
           {"rtw_ps", p.rtwPs},
           {"rfc_ps", p.rfcPs}}) {
    r.range(at + key, ps, 1, kMostPs);
  }
  // Refresh must leave time for transfers.
  const uint64_t closing =
      uint64_t{p.rfcPs} + p.rpPs + p.rasPs + p.wrPs + p.rtpPs;
  r.range(at + "refi_ps", p.refiPs, 2 * closing, 4'000'000'000);
}

void checkDram(Rules &r, const TimingPart &t) {
  const DramTiming &d = t.memory.dram;
  const std::string at = "timing.memory.dram.";
  checkPart(r, t.memory);
  r.range(at + "channels", d.channels, 1, 1024);
  r.range(at + "queue_depth", d.queueDepth, 1, 4096);
  r.range(at + "write_high", d.writeHigh, 1, 4096);
  r.require(d.writeLow < d.writeHigh, at + "write_low", d.writeLow,
            "must be less than write_high");
}

void checkMemory(Rules &r, const TimingPart &t) {
  const MemoryTiming &m = t.memory;
  if ((m.model != "system" && m.model != "flat") && r.status.isOk()) {
    r.status = Status(StatusCode::kInvalidArgument,
                      fmt::format("timing.memory.model = '{}': must be system "
                                  "or flat",
                                  m.model));
  }
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
  r.range("timing.memory.min_row_beats", m.minRowBeats, 1, 64);
  r.range("timing.memory.flat.latency_cycles", m.flat.latencyCycles, 1,
          kMostCycles);
  r.range("timing.memory.flat.server_bytes_per_cycle",
          m.flat.serverBytesPerCycle, 1, 1 << 24);
  r.range("timing.memory.noc.cycles", m.nocCycles, 1, kMostCycles);
  checkL2(r, m);
  checkDram(r, t);
}

void checkLaunch(Rules &r, const TimingPart &t) {
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
  checkBanks(rules, spec);
  checkMemory(rules, spec.timing);
  checkLaunch(rules, spec.timing);
  return rules.status;
}

} // namespace kiln::isa
