// SPDX-License-Identifier: Apache-2.0
//
// The fields of a machine file, in order, as one visitor: the reader fills an
// ArchSpec from YAML with it, the canonical text (which is hashed) is written
// with it. A new figure is one line here and one in the struct.
//
// A Visitor has open(key), close() and field(key, T&) for T = uint32_t,
// uint64_t and std::string.
#pragma once

#include "isa/arch/arch_spec.h"

#include <string>

namespace kiln::isa {

constexpr const char *kVectorClassKeys[kNumVectorClasses] = {
    "arithmetic", "multiply_add",  "cast",        "exp",       "reciprocal",
    "divide",     "reduce_rows",   "reduce_lane", "transpose", "broadcast",
    "compare",    "trigonometric", "gather",      "sort",      "gather_blocks"};

constexpr Pipe kQueuedPipes[] = {Pipe::MTE2, Pipe::MTE1, Pipe::M,
                                 Pipe::FIX,  Pipe::V,    Pipe::MTE3};
constexpr Pipe kGmWriters[] = {Pipe::FIX, Pipe::MTE3};
constexpr Space kLocalSpaces[] = {Space::L1,  Space::L0A, Space::L0B,
                                  Space::L0C, Space::UB,  Space::BT};

template <typename Visitor, typename Pipes>
void visitPerPipe(Visitor &v, const char *key, const Pipes &pipes,
                  uint32_t *values) {
  v.open(key);
  for (Pipe p : pipes) {
    v.field(std::string(name(p)), values[static_cast<unsigned>(p)]);
  }
  v.close();
}

template <typename Visitor> void visitArch(Visitor &v, ArchPart &a) {
  v.open("arch");
  v.field("cores", a.cores);
  v.open("capacity_bytes");
  for (Space s : kLocalSpaces) {
    v.field(std::string(name(s)), a.capacityBytes[static_cast<unsigned>(s)]);
  }
  v.close();
  v.field("instruction_ram_bytes", a.instructionRamBytes);
  v.field("scalar_ram_bytes", a.scalarRamBytes);
  v.open("gm");
  v.field("base", a.gmBase);
  v.field("bytes", a.capacityBytes[static_cast<unsigned>(Space::GM)]);
  v.close();
  visitPerPipe(v, "queue_depth", kQueuedPipes, a.queueDepth);
  visitPerPipe(v, "in_flight", kQueuedPipes, a.inFlight);
  visitPerPipe(v, "in_flight_gm", kGmWriters, a.inFlightGm);
  v.close();
}

template <typename Visitor> void visitControl(Visitor &v, TimingPart &t) {
  v.open("cube");
  v.field("cells", t.cubeRate.cells);
  v.field("cycles", t.cubeRate.cycles);
  v.field("fp32_weight", t.cubeFp32Weight);
  v.field("latency_cycles", t.cubeLatencyCycles);
  v.close();
  v.open("control");
  v.field("load_use_bubble_cycles", t.control.loadUseBubble);
  v.field("mul_cycles", t.control.mulCycles);
  v.field("div_cycles", t.control.divCycles);
  v.field("taken_branch_extra_cycles", t.control.takenBranchCycles);
  v.field("csr_cycles", t.control.csrCycles);
  v.field("scalar_ram_cycles", t.control.scalarRamCycles);
  v.field("ub_window_cycles", t.control.ubWindowCycles);
  v.close();
  v.open("sync");
  v.field("flag_cycles", t.flagCycles);
  v.field("flag_visible_cycles", t.flagVisibleCycles);
  v.field("config_cycles", t.configCycles);
  v.field("barrier_cycles", t.barrierCycles);
  v.field("semaphore_cycles", t.semaphoreCycles);
  v.close();
}

template <typename Visitor>
void visitPath(Visitor &v, const char *key, PathTiming &p) {
  v.open(key);
  v.field("bytes_per_cycle", p.bytesPerCycle);
  v.field("latency_cycles", p.latencyCycles);
  v.close();
}

template <typename Visitor>
void visitWidths(Visitor &v, const char *key, uint32_t &bits8, uint32_t &bits16,
                 uint32_t &bits32) {
  v.open(key);
  v.field("bits8", bits8);
  v.field("bits16", bits16);
  v.field("bits32", bits32);
  v.close();
}

template <typename Visitor> void visitPaths(Visitor &v, TimingPart &t) {
  v.open("paths");
  visitPath(v, "l1_to_l0a", t.l1ToL0A);
  visitPath(v, "l1_to_l0b", t.l1ToL0B);
  visitPath(v, "l1_to_bt", t.l1ToBt);
  visitPath(v, "ub_to_l1", t.ubToL1);
  v.open("im2col");
  v.field("rows", t.im2colRowsPerCycle);
  v.field("cycles", t.im2colCycles);
  v.field("latency_cycles", t.im2colLatencyCycles);
  v.close();
  v.close();
  v.open("fix");
  visitWidths(v, "to_ub_elements", t.fixToUbElements8, t.fixToUbElements16,
              t.fixToUbElements32);
  visitWidths(v, "to_l1_gm_elements", t.fixElements8, t.fixElements16,
              t.fixElements32);
  v.field("latency_cycles", t.fixLatencyCycles);
  v.close();
}

template <typename Visitor> void visitVector(Visitor &v, TimingPart &t) {
  v.open("vector");
  for (unsigned c = 0; c < kNumVectorClasses; ++c) {
    VectorTiming &row = t.vector[c];
    v.open(kVectorClassKeys[c]);
    v.field("bits8", row.elements8);
    v.field("bits16", row.elements16);
    v.field("bits32", row.elements32);
    v.field("latency_cycles", row.latencyCycles);
    v.field("row_cycles", row.extraCyclesPerRow);
    v.close();
  }
  v.close();
}

template <typename Visitor> void visitBanks(Visitor &v, BankTiming &b) {
  v.open("banks");
  v.field("ub_groups", b.ubGroups);
  v.field("ub_banks", b.ubBanks);
  v.field("ub_reads", b.ubReads);
  v.field("ub_write_delay_cycles", b.ubWriteDelayCycles);
  v.field("l1_banks", b.l1Banks);
  v.field("l0c_banks", b.l0cBanks);
  v.field("ub_pipes_meet", b.ubPipesMeet);
  v.field("l1_pipes_meet", b.l1PipesMeet);
  v.close();
}

/// All fields of a DRAM part's file.
template <typename Visitor> void visitDramPart(Visitor &v, DramPart &p) {
  v.field("name", p.name);
  v.field("channel_bits", p.channelBits);
  v.field("pin_kbps", p.pinKbps);
  v.field("burst_transfers", p.burstTransfers);
  v.field("banks", p.banks);
  v.field("activations_per_bank", p.activations);
  v.field("page_bytes", p.pageBytes);
  v.field("rcd_ps", p.rcdPs);
  v.field("rp_ps", p.rpPs);
  v.field("ras_ps", p.rasPs);
  v.field("cl_ps", p.clPs);
  v.field("cwl_ps", p.cwlPs);
  v.field("rrd_ps", p.rrdPs);
  v.field("faw_ps", p.fawPs);
  v.field("rtp_ps", p.rtpPs);
  v.field("wr_ps", p.wrPs);
  v.field("wtr_ps", p.wtrPs);
  v.field("rtw_ps", p.rtwPs);
  v.field("refi_ps", p.refiPs);
  v.field("rfc_ps", p.rfcPs);
}

template <typename Visitor> void visitL2(Visitor &v, L2Timing &l2) {
  v.open("l2");
  v.field("bytes", l2.bytes);
  v.field("line_bytes", l2.lineBytes);
  v.field("ways", l2.ways);
  v.field("slices", l2.slices);
  v.field("read_bytes_per_cycle", l2.readBytesPerCycle);
  v.field("write_bytes_per_cycle", l2.writeBytesPerCycle);
  v.field("hit_cycles", l2.hitCycles);
  v.field("miss_cycles", l2.missCycles);
  v.field("fill_cycles", l2.fillCycles);
  v.field("misses", l2.misses);
  v.field("write_backs", l2.writeBacks);
  v.close();
}

template <typename Visitor> void visitMemory(Visitor &v, MemoryTiming &m) {
  v.open("memory");
  v.field("model", m.model);
  v.field("port_read_bytes_per_cycle", m.portReadBytesPerCycle);
  v.field("port_write_bytes_per_cycle", m.portWriteBytesPerCycle);
  v.field("burst_bytes", m.burstBytes);
  v.field("outstanding_reads", m.outstandingReads);
  v.field("outstanding_writes", m.outstandingWrites);
  v.field("min_row_beats", m.minRowBeats);
  v.open("flat");
  v.field("latency_cycles", m.flat.latencyCycles);
  v.field("server_bytes_per_cycle", m.flat.serverBytesPerCycle);
  v.close();
  v.open("noc");
  v.field("cycles", m.nocCycles);
  v.close();
  visitL2(v, m.l2);
  v.open("dram");
  v.field("part", m.dram.part.name);
  v.field("channels", m.dram.channels);
  v.field("queue_depth", m.dram.queueDepth);
  v.field("write_high", m.dram.writeHigh);
  v.field("write_low", m.dram.writeLow);
  v.close();
  v.close();
}

template <typename Visitor> void visitLaunch(Visitor &v, TimingPart &t) {
  v.open("launch");
  v.field("doorbell_cycles", t.launch.doorbellCycles);
  v.field("dispatch_cycles", t.launch.dispatchCycles);
  v.field("core_cycles", t.launch.perCoreCycles);
  v.field("image_bytes_per_cycle", t.launch.imageBytesPerCycle);
  v.close();
}

template <typename Visitor> void visitEnergy(Visitor &v, EnergyPart &e) {
  v.open("energy");
  for (unsigned n = 0; n < kNumEnergyEvents; ++n) {
    v.open(std::string(kEnergyKeys[n]));
    v.field("fj", e.figures[n].femtojoules);
    v.field("source", e.figures[n].source);
    v.close();
  }
  v.close();
}

/// All fields of a machine file; energy only where it is given.
template <typename Visitor> void visitMachine(Visitor &v, ArchSpec &spec) {
  v.field("name", spec.name);
  visitArch(v, spec.arch);
  v.open("timing");
  v.field("clock_hz", spec.timing.clockHz);
  visitControl(v, spec.timing);
  visitPaths(v, spec.timing);
  visitVector(v, spec.timing);
  visitBanks(v, spec.timing.banks);
  visitMemory(v, spec.timing.memory);
  visitLaunch(v, spec.timing);
  v.close();
  if (spec.energy.given) {
    visitEnergy(v, spec.energy);
  }
}

} // namespace kiln::isa
