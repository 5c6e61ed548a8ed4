// SPDX-License-Identifier: Apache-2.0
//
// Built-in machines against the table of k1's figures, and one test per kind
// of mistake in a machine file.
#include "isa/arch/arch_spec.h"
#include "isa/arch/machine_text.h"
#include "isa/arch/vector_rate.h"
#include "isa/gen/operands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

namespace kiln::isa {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string yamlOf(std::string_view name) {
  for (unsigned n = 0; n < kNumBuiltinMachines; ++n) {
    if (kBuiltinMachines[n].name == name) {
      return std::string(kBuiltinMachines[n].yaml);
    }
  }
  return {};
}

/// k1's file with one replacement, parsed.
Result<ArchSpec> changed(std::string_view from, std::string_view to) {
  std::string text = yamlOf("k1");
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) {
    text.replace(at, from.size(), to);
  }
  return parseArchSpec(text, "m.yaml");
}

void expectRefused(std::string_view from, std::string_view to, StatusCode code,
                   const char *message) {
  const Result<ArchSpec> spec = changed(from, to);
  ASSERT_FALSE(spec) << from << " -> " << to;
  EXPECT_EQ(spec.status().code(), code) << spec.status().message();
  EXPECT_THAT(spec.status().message(), StartsWith("m.yaml"));
  EXPECT_THAT(spec.status().message(), HasSubstr(message));
}

TEST(ArchSpec, K1HasThePublishedFigures) {
  const Result<ArchSpec> k1 = loadArchSpec("k1");
  ASSERT_TRUE(k1) << k1.status().message();
  EXPECT_EQ(k1->name, "k1");
  EXPECT_EQ(k1->arch.cores, 32u);
  EXPECT_EQ(k1->arch.capacity(Space::L1), 1024u << 10);
  EXPECT_EQ(k1->arch.capacity(Space::L0A), 64u << 10);
  EXPECT_EQ(k1->arch.capacity(Space::L0B), 64u << 10);
  EXPECT_EQ(k1->arch.capacity(Space::L0C), 256u << 10);
  EXPECT_EQ(k1->arch.capacity(Space::UB), 256u << 10);
  EXPECT_EQ(k1->arch.capacity(Space::BT), 4u << 10);
  EXPECT_EQ(k1->arch.capacity(Space::GM), 32ull << 30);
  EXPECT_EQ(k1->arch.gmBase, 0x1'0000'0000u);
  EXPECT_EQ(k1->arch.queueDepth[static_cast<unsigned>(Pipe::V)], 32u);
  EXPECT_EQ(k1->arch.inFlight[static_cast<unsigned>(Pipe::MTE2)], 8u);
  EXPECT_EQ(k1->arch.inFlightGm[static_cast<unsigned>(Pipe::FIX)], 8u);
  EXPECT_EQ(k1->timing.clockHz, 1'000'000'000u);
  EXPECT_EQ(k1->timing.cubeLatencyCycles, 21u);
  EXPECT_EQ(k1->timing.memory.flat.serverBytesPerCycle, 1104u);
  EXPECT_EQ(k1->timing.memory.flat.latencyCycles, 300u);
}

TEST(ArchSpec, K1HasItsMemorySystem) {
  const Result<ArchSpec> k1 = loadArchSpec("k1");
  ASSERT_TRUE(k1) << k1.status().message();
  const MemoryTiming &m = k1->timing.memory;
  EXPECT_EQ(m.model, "system");
  EXPECT_EQ(m.l2.bytes, 32u << 20);
  EXPECT_EQ(m.l2.slices * m.l2.readBytesPerCycle, 4096u);
  EXPECT_EQ(m.l2.slices * m.l2.writeBytesPerCycle, 2048u);
  EXPECT_EQ(2 * m.nocCycles + m.l2.hitCycles, 110u);
  // 32 channels of 128 pins: 1200 bytes per nanosecond.
  EXPECT_EQ(m.dram.part.name, "hbm2");
  EXPECT_EQ(m.dram.channels * m.dram.part.channelBits / 8 *
                (m.dram.part.pinKbps / 1000.0),
            1.2e6);
}

TEST(ArchSpec, DramPartsAreFilesAMachineNames) {
  EXPECT_THAT(builtinDramParts(), ElementsAre("ddr4", "hbm2", "lpddr4x"));
  const Result<ArchSpec> file =
      changed("part: hbm2", "part: isa/arch/dram/hbm2.yaml");
  ASSERT_TRUE(file) << file.status().message();
  EXPECT_EQ(file->timing.memory.dram.part.refiPs, 3'900'000u);
  EXPECT_EQ(file->hash, loadArchSpec("k1")->hash);
  EXPECT_NE(changed("part: hbm2", "part: lpddr4x")->hash, file->hash);
  expectRefused("part: hbm2", "part: sdram", StatusCode::kInvalidArgument,
                "no DRAM part 'sdram'; built in: ddr4, hbm2, lpddr4x");
  expectRefused("part: hbm2", "part: no/such.yaml", StatusCode::kCorrupt,
                "no/such.yaml");
}

TEST(ArchSpec, PeaksFollowFromTheCell) {
  const Result<ArchSpec> k1 = loadArchSpec("k1");
  const Result<ArchSpec> nano = loadArchSpec("k1-nano");
  ASSERT_TRUE(k1 && nano) << nano.status().message();
  EXPECT_EQ(k1->peakMacsPerCycle(ElementType::F16), 4096);
  EXPECT_EQ(k1->peakMacsPerCycle(ElementType::BF16), 4096);
  EXPECT_EQ(k1->peakMacsPerCycle(ElementType::I8), 8192);
  EXPECT_EQ(k1->peakMacsPerCycle(ElementType::F32), 1024);
  EXPECT_EQ(k1->peakMacsPerCycle(ElementType::I32), 0);
  EXPECT_EQ(nano->peakMacsPerCycle(ElementType::F16), 64);
  EXPECT_EQ(nano->peakMacsPerCycle(ElementType::U8), 128);
  EXPECT_EQ(k1->peakDramBytesPerCycle(), 1200);
  EXPECT_EQ(nano->arch.capacity(Space::L0C), 8u << 10);
  EXPECT_EQ(nano->timing.clockHz, 200'000'000u);
}

TEST(ArchSpec, BuiltinsAreSortedAndLoad) {
  EXPECT_THAT(builtinMachines(), ElementsAre("k1", "k1-edge", "k1-nano"));
  for (const std::string &name : builtinMachines()) {
    const Result<ArchSpec> spec = loadArchSpec(name);
    ASSERT_TRUE(spec) << spec.status().message();
    EXPECT_EQ(spec->name, name);
    EXPECT_EQ(spec->hash.size(), 64u);
    EXPECT_TRUE(validate(*spec));
  }
}

TEST(ArchSpec, LoadsAFile) {
  const Result<ArchSpec> file = loadArchSpec("isa/arch/k1.yaml");
  ASSERT_TRUE(file) << file.status().message();
  EXPECT_EQ(file->hash, loadArchSpec("k1")->hash);
}

TEST(ArchSpec, AnUnknownNameListsTheBuiltins) {
  const Result<ArchSpec> spec = loadArchSpec("k9");
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(spec.status().message(), HasSubstr("k1, k1-edge, k1-nano"));
}

TEST(ArchSpec, AMissingFileIsNamed) {
  const Result<ArchSpec> spec = loadArchSpec("no/such.yaml");
  ASSERT_FALSE(spec);
  EXPECT_THAT(spec.status().message(), HasSubstr("no/such.yaml"));
}

TEST(ArchSpec, HashIgnoresCommentsAndFollowsFigures) {
  const std::string k1 = loadArchSpec("k1")->hash;
  EXPECT_EQ(changed("cores: 32 # [P]", "cores: 0x20 # other words")->hash, k1);
  EXPECT_NE(changed("cores: 32", "cores: 31")->hash, k1);
  EXPECT_NE(changed("latency_cycles: 300", "latency_cycles: 301")->hash, k1);
  EXPECT_NE(changed("name: k1", "name: k1b")->hash, k1);
}

TEST(ArchSpec, SomeKeysOfAMachineChange) {
  const ArchSpec k1 = *loadArchSpec("k1");
  Result<ArchSpec> other =
      withKeys(k1, {{"timing.memory.l2.bytes", "134217728"},
                    {"arch.queue_depth.V", "16"}});
  ASSERT_TRUE(other) << other.status().message();
  EXPECT_EQ(other->timing.memory.l2.bytes, 134217728u);
  EXPECT_EQ(withKeys(*other, {{"arch.queue_depth.V", "32"}})->hash,
            changed("bytes: 33554432", "bytes: 134217728")->hash);
  EXPECT_NE(other->hash, k1.hash);
  EXPECT_EQ(withKeys(k1, {})->hash, k1.hash);
  EXPECT_THAT(withKeys(k1, {{"timing.l2.bytes", "1"}}).status().message(),
              HasSubstr("no key 'timing.l2.bytes'"));
  EXPECT_THAT(withKeys(k1, {{"arch.cores", "many"}}).status().message(),
              HasSubstr("arch.cores: expected a whole number"));
  EXPECT_THAT(withKeys(k1, {{"arch.cores", "0"}}).status().message(),
              HasSubstr("arch.cores"));
  EXPECT_FALSE(withKeys(k1, {{"timing.memory.dram.part", "ddr4"}}));
}

TEST(ArchSpec, RefusesWhatIsNotYaml) {
  expectRefused("name: k1", "name: [k1", StatusCode::kCorrupt, "not YAML");
  EXPECT_FALSE(parseArchSpec("", "m.yaml"));
  EXPECT_FALSE(parseArchSpec("[1, 2]", "m.yaml"));
}

TEST(ArchSpec, EveryEnergyFigureSaysWhereItComesFrom) {
  for (std::string_view name : {"k1", "k1-nano"}) {
    const Result<ArchSpec> spec = loadArchSpec(name);
    ASSERT_TRUE(spec) << spec.status().message();
    ASSERT_TRUE(spec->energy.given);
    for (const EnergyFigure &figure : spec->energy.figures) {
      EXPECT_GT(figure.femtojoules, 0u);
      EXPECT_THAT(figure.source, ::testing::MatchesRegex("[PDC](:? .*)?"));
    }
  }
}

TEST(ArchSpec, EnergyIsWholeOrAbsent) {
  expectRefused("  mac_16:", "  mac_17:", StatusCode::kCorrupt,
                "energy.mac_16: missing key");
  std::string text = yamlOf("k1");
  text.resize(text.find("\nenergy:"));
  const Result<ArchSpec> spec = parseArchSpec(text, "m.yaml");
  ASSERT_TRUE(spec) << spec.status().message();
  EXPECT_FALSE(spec->energy.given);
  EXPECT_NE(spec->hash, loadArchSpec("k1")->hash);
}

TEST(ArchSpec, RefusesAMissingKey) {
  expectRefused("  cores: 32 # [P]\n", "", StatusCode::kCorrupt,
                "arch.cores: missing key");
  expectRefused("L0B: 65536", "l0b: 65536", StatusCode::kCorrupt,
                "arch.capacity_bytes.L0B: missing key");
}

TEST(ArchSpec, RefusesAnUnknownKeyWithItsLine) {
  expectRefused("name: k1\n", "name: k1\ncolour: red\n", StatusCode::kCorrupt,
                "colour: unknown key");
  expectRefused("in_flight_gm: {FIX: 8, MTE3: 8}",
                "in_flight_gm: {FIX: 8, MTE3: 8, V: 1}", StatusCode::kCorrupt,
                "arch.in_flight_gm.V: unknown key");
  const Result<ArchSpec> spec = parseArchSpec("name: x\nfoo: 1\n", "m.yaml");
  EXPECT_THAT(spec.status().message(), HasSubstr("arch: missing key"));
}

TEST(ArchSpec, RefusesAKeyGivenTwice) {
  expectRefused("cores: 32", "cores: 32\n  cores: 16", StatusCode::kCorrupt,
                "arch.cores: key given twice");
}

TEST(ArchSpec, RefusesAWrongType) {
  const char *field = "arch.cores: expected";
  expectRefused("cores: 32", "cores: many", StatusCode::kCorrupt, field);
  expectRefused("cores: 32", "cores: -1", StatusCode::kCorrupt, field);
  expectRefused("cores: 32", "cores: 1.5", StatusCode::kCorrupt, field);
  expectRefused("cores: 32", "cores: [32]", StatusCode::kCorrupt, field);
  expectRefused("cores: 32", "cores:", StatusCode::kCorrupt, field);
  expectRefused("cores: 32", "cores: 4294967296", StatusCode::kCorrupt, field);
  expectRefused("in_flight_gm: {FIX: 8, MTE3: 8}", "in_flight_gm: 8",
                StatusCode::kCorrupt, "arch.in_flight_gm: expected a mapping");
}

TEST(ArchSpec, RefusesABrokenRule) {
  const StatusCode code = StatusCode::kInvalidArgument;
  expectRefused("cores: 32", "cores: 0", code, "arch.cores = 0: must be from");
  expectRefused("L0A: 65536", "L0A: 65000", code, "multiple of 512");
  expectRefused("ub_groups: 16", "ub_groups: 32", code,
                "timing.banks.ub_pipes_meet");
  expectRefused("l1_banks: 16", "l1_banks: 128", code,
                "timing.banks.l1_pipes_meet");
  expectRefused("ub_pipes_meet: 1", "ub_pipes_meet: 2", code,
                "timing.banks.ub_pipes_meet = 2: must be from 0 to 1");
  expectRefused("l1_pipes_meet: 1", "l1_pipes_meet: 2", code,
                "timing.banks.l1_pipes_meet = 2: must be from 0 to 1");
  for (const char *banks : {"l0c_banks: 3", "l0c_banks: 65"}) {
    expectRefused("l0c_banks: 4", banks, code, "timing.banks.l0c_banks");
  }
  expectRefused("L0C: 262144", "L0C: 262656", code, "multiple of 1024");
  expectRefused("UB: 262144", "UB: 262145", code, "multiple of 32");
  expectRefused("L1: 1048576", "L1: 16777248", code, "arch.capacity_bytes.L1");
  expectRefused("BT: 4096", "BT: 131072", code, "arch.capacity_bytes.BT");
  expectRefused("base: 0x100000000", "base: 0x1000", code, "arch.gm.base");
  expectRefused("scalar_ram_bytes: 32768", "scalar_ram_bytes: 64", code,
                "arch.scalar_ram_bytes");
  expectRefused("instruction_ram_bytes: 65536",
                "instruction_ram_bytes: 2097152", code,
                "arch.instruction_ram_bytes");
  expectRefused("queue_depth: {MTE2: 32", "queue_depth: {MTE2: 0", code,
                "arch.queue_depth.MTE2");
  expectRefused("in_flight: {MTE2: 8", "in_flight: {MTE2: 99", code,
                "arch.in_flight.MTE2");
  expectRefused("cells: 1", "cells: 0", code, "timing.cube.cells");
  expectRefused("clock_hz: 1000000000", "clock_hz: 0", code, "timing.clock_hz");
  expectRefused("l1_to_bt: {bytes_per_cycle: 32",
                "l1_to_bt: {bytes_per_cycle: 0", code, "l1_to_bt");
  expectRefused("to_ub_elements: {bits8: 128", "to_ub_elements: {bits8: 0",
                code, "timing.fix.to_ub_elements.bits8");
  expectRefused("{bits8: 256, bits16: 128, bits32: 64",
                "{bits8: 256, bits16: 128, bits32: 129", code,
                "timing.vector.transpose.bits32");
  expectRefused("burst_bytes: 512", "burst_bytes: 500", code, "power of two");
  expectRefused("port_read_bytes_per_cycle: 128",
                "port_read_bytes_per_cycle: 1024", code,
                "timing.memory.port_read_bytes_per_cycle");
  expectRefused("outstanding_reads: 128", "outstanding_reads: 0", code,
                "timing.memory.outstanding_reads");
  expectRefused("model: system", "model: magic", code,
                "timing.memory.model = 'magic'");
  expectRefused("bytes: 33554432", "bytes: 33554431", code,
                "timing.memory.l2.bytes");
  expectRefused("line_bytes: 512", "line_bytes: 500", code, "power of two");
  expectRefused("line_bytes: 512", "line_bytes: 256", code,
                "must hold a burst");
  expectRefused("slices: 32", "slices: 0", code, "timing.memory.l2.slices");
  expectRefused("channels: 32", "channels: 0", code,
                "timing.memory.dram.channels");
  expectRefused("write_low: 8", "write_low: 32", code,
                "must be less than write_high");
  expectRefused("ub_banks: 4", "ub_banks: 5", code, "must divide");
  expectRefused("image_bytes_per_cycle: 64", "image_bytes_per_cycle: 0", code,
                "timing.launch.image_bytes_per_cycle");
  expectRefused("csr_cycles: 1", "csr_cycles: 2000000", code,
                "timing.control.csr_cycles");
  expectRefused("flag_cycles: 1", "flag_cycles: 0", code,
                "timing.sync.flag_cycles");
  expectRefused("name: k1", "name: \"K 1\"", code, "name = 'K 1'");
}

// Damaged text is refused or is a machine that passes every rule.
TEST(ArchSpec, SurvivesDamagedFiles) {
  const std::string good = yamlOf("k1");
  std::mt19937 random(7);
  unsigned refused = 0;
  for (unsigned n = 0; n < 1000; ++n) {
    std::string text = good;
    if (n % 2) {
      text.resize(random() % text.size());
    } else {
      text[random() % text.size()] ^= static_cast<char>(1 + random() % 127);
    }
    const Result<ArchSpec> spec = parseArchSpec(text, "m.yaml");
    if (spec) {
      EXPECT_TRUE(validate(*spec));
      continue;
    }
    ++refused;
    EXPECT_THAT(spec.status().message(), StartsWith("m.yaml:"));
  }
  EXPECT_GT(refused, 500u);
}

VectorRate rateOf(Opcode op, ElementType type, uint64_t rs3 = 0) {
  const Result<ArchSpec> k1 = loadArchSpec("k1");
  Command c;
  c.op = op;
  c.pipe = Pipe::V;
  c.f3 = static_cast<uint8_t>(type);
  c.rs3 = rs3;
  return vectorRate(k1->timing, c);
}

TEST(VectorRate, FollowsTheWidth) {
  EXPECT_EQ(rateOf(Opcode::kVadd, ElementType::F16).elementsPerCycle, 128u);
  EXPECT_EQ(rateOf(Opcode::kVadd, ElementType::F32).elementsPerCycle, 64u);
  EXPECT_EQ(rateOf(Opcode::kVtrIn, ElementType::I8).elementsPerCycle, 256u);
  EXPECT_EQ(rateOf(Opcode::kVexp, ElementType::F16).latencyCycles, 32u);
  EXPECT_EQ(rateOf(Opcode::kVsqrt, ElementType::F32).elementsPerCycle, 32u);
}

TEST(VectorRate, ACastCountsItsWiderSide) {
  const uint64_t toF32 = CastMode{.type = ElementType::F32}.pack();
  const uint64_t toBf16 = CastMode{.type = ElementType::BF16}.pack();
  EXPECT_EQ(rateOf(Opcode::kVcast, ElementType::F16, toF32).elementsPerCycle,
            64u);
  EXPECT_EQ(rateOf(Opcode::kVcast, ElementType::F32, toBf16).elementsPerCycle,
            64u);
  EXPECT_EQ(rateOf(Opcode::kVcast, ElementType::F16, toBf16).elementsPerCycle,
            128u);
}

TEST(VectorRate, SumsOfHalfFloatsAddInF32) {
  EXPECT_EQ(rateOf(Opcode::kVsumR, ElementType::F16).elementsPerCycle, 64u);
  EXPECT_EQ(rateOf(Opcode::kVmaxR, ElementType::F16).elementsPerCycle, 128u);
  EXPECT_EQ(rateOf(Opcode::kVsumL, ElementType::F32).rowCycles, 1u);
}

TEST(VectorRate, BroadcastCountsRows) {
  EXPECT_TRUE(rateOf(Opcode::kVbc, ElementType::F32).countsRows);
  EXPECT_EQ(rateOf(Opcode::kVbc, ElementType::F32).elementsPerCycle, 8u);
  EXPECT_FALSE(rateOf(Opcode::kVadd, ElementType::F32).countsRows);
}

} // namespace
} // namespace kiln::isa
