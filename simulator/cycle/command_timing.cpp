// SPDX-License-Identifier: Apache-2.0
#include "simulator/cycle/command_timing.h"

#include "isa/arch/vector_rate.h"
#include "isa/gen/operands.h"
#include "isa/support/units.h"

#include <algorithm>

namespace kiln::sim {

namespace {

using isa::Command;
using isa::ElementType;
using isa::Opcode;
using isa::TimingClass;

/// Size of a cube operand of mmad type f3.
unsigned cubeOperandBytes(uint8_t f3) {
  return f3 <= static_cast<uint8_t>(isa::CubeType::kU8)    ? 1
         : f3 == static_cast<uint8_t>(isa::CubeType::kF32) ? 4
                                                           : 2;
}

// Rule 13.
CommandTiming cube(const Command &c, const isa::TimingPart &timing) {
  isa::CubeShape shape = isa::CubeShape::unpack(c.rs1);
  unsigned bytes = cubeOperandBytes(c.f3);
  uint64_t tile =
      ceilDiv(shape.m, isa::kCellRows) * ceilDiv(shape.n, isa::kCellRows);
  uint64_t steps = ceilDiv(uint64_t{shape.k} * bytes, isa::kBlockBytes);
  uint64_t weight = bytes == 4 ? timing.cubeFp32Weight : 1;
  auto cycles = [&](uint64_t cells) {
    return ceilDiv(cells * weight * timing.cubeRate.cycles,
                   timing.cubeRate.cells);
  };
  CommandTiming t;
  t.occupancy = cycles(tile * steps);
  t.stepCycles = cycles(tile);
  t.cellWeight = weight;
  t.latency = timing.cubeLatencyCycles;
  return t;
}

// Rule 14; rules 30 to 33 are in bank_conflicts.h.
CommandTiming vector(const Command &c, const isa::TimingPart &timing) {
  isa::VectorRate rate = isa::vectorRate(timing, c);
  unsigned bytes = isa::sizeOf(static_cast<ElementType>(c.f3));
  uint64_t rows = isa::LocalView::unpack(c.rs1).count;
  uint64_t columns = isa::vectorColumns(c);
  CommandTiming t;
  t.latency = rate.latencyCycles;
  if (rate.countsRows) { // of one block each
    t.occupancy = ceilDiv(rows * ceilDiv(columns * bytes, isa::kBlockBytes),
                          rate.elementsPerCycle);
  } else if (isa::info(c.op).timing == TimingClass::kVTranspose) {
    t.occupancy =
        ceilDiv(columns * (isa::kBlockBytes / bytes), rate.elementsPerCycle);
  } else {
    uint64_t beats = ceilDiv(columns, rate.elementsPerCycle);
    t.occupancy = beats ? rows * (beats + rate.rowCycles) : 0; // rule 17
    TimingClass kind = isa::info(c.op).timing;
    if (kind != TimingClass::kVGather && kind != TimingClass::kVSort &&
        kind != TimingClass::kVGatherBlocks) {
      t.rows = rows;
      t.beatsPerRow = beats;
    }
  }
  return t;
}

// Rule 15.
CommandTiming path(uint64_t bytes, const isa::PathTiming &timing) {
  CommandTiming t;
  t.occupancy = ceilDiv(bytes, timing.bytesPerCycle);
  t.latency = timing.latencyCycles;
  return t;
}

uint64_t fractalBytes(const Command &c) {
  isa::FractalTarget target = isa::FractalTarget::unpack(c.rs1);
  return uint64_t{target.outer} * target.inner * isa::kFractalBytes;
}

CommandTiming im2col(const Command &c, const isa::TimingPart &timing) {
  isa::Im2colTarget target = isa::Im2colTarget::unpack(c.rs1);
  uint64_t rows = alignUp(target.mCount, isa::kCellRows) * target.k1Count;
  CommandTiming t;
  t.occupancy = ceilDiv(rows * timing.im2colCycles, timing.im2colRowsPerCycle);
  t.latency = timing.im2colLatencyCycles;
  return t;
}

/// Rule 16. L0C is read in rows of 16 columns, so a partial last group costs a
/// whole one.
CommandTiming fix(const Command &c, const isa::PipeConfig &config,
                  const isa::TimingPart &timing) {
  isa::AccumulatorTile tile = isa::AccumulatorTile::unpack(c.rs2);
  unsigned bytes = isa::sizeOf(isa::FixConfig0::unpack(config.fix[0]).type);
  bool toUb = c.op == Opcode::kFixUb;
  uint32_t rate8 = toUb ? timing.fixToUbElements8 : timing.fixElements8;
  uint32_t rate16 = toUb ? timing.fixToUbElements16 : timing.fixElements16;
  uint32_t rate32 = toUb ? timing.fixToUbElements32 : timing.fixElements32;
  uint32_t rate = bytes == 1 ? rate8 : bytes == 2 ? rate16 : rate32;
  CommandTiming t;
  t.occupancy = ceilDiv(tile.m * alignUp(tile.n, isa::kCellRows), rate);
  t.latency = timing.fixLatencyCycles;
  t.global = c.op == Opcode::kFixGm;
  t.elementsPerBeat = rate;
  t.outBytesPerCycle = rate * bytes;
  return t;
}

CommandTiming byClass(const Command &c, const isa::PipeConfig &config,
                      const isa::TimingPart &timing) {
  switch (isa::info(c.op).timing) {
  case TimingClass::kLoad:
  case TimingClass::kStore: {
    CommandTiming t;
    t.global = true;
    return t;
  }
  case TimingClass::kLocalStore:
    return path(uint64_t{isa::RowBlocks::unpack(c.rs3).blocks} *
                    isa::LocalView::unpack(c.rs1).count * isa::kBlockBytes,
                timing.ubToL1);
  case TimingClass::kL1ToL0a:
    return path(fractalBytes(c), timing.l1ToL0A);
  case TimingClass::kL1ToL0b:
    return path(fractalBytes(c), timing.l1ToL0B);
  case TimingClass::kIm2col:
    return im2col(c, timing);
  case TimingClass::kBiasTable:
    return path(isa::ByteCount::unpack(c.rs3).bytes, timing.l1ToBt);
  case TimingClass::kFixGm:
  case TimingClass::kFixUb:
  case TimingClass::kFixL1:
    return fix(c, config, timing);
  case TimingClass::kCube:
    return cube(c, timing);
  default:
    return vector(c, timing);
  }
}

} // namespace

CommandTiming timingOf(const Command &command, const isa::PipeConfig &config,
                       const isa::ArchSpec &arch) {
  CommandTiming t = byClass(command, config, arch.timing);
  t.occupancy = std::max<uint64_t>(t.occupancy, 1); // rule 17
  return t;
}

} // namespace kiln::sim
