// SPDX-License-Identifier: Apache-2.0
#include "isa/semantics/command_work.h"

#include "isa/gen/operands.h"
#include "isa/numerics/cube_types.h"

namespace kiln::isa {

namespace {

constexpr uint64_t ceilDiv(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

void addCube(const Command &c, CommandWork &work) {
  const CubeShape s = CubeShape::unpack(c.rs1);
  work.macs = uint64_t(s.m) * s.n * s.k;
  work.cells = ceilDiv(s.m, kCellRows) * ceilDiv(s.n, kCellRows) *
               ceilDiv(s.k, fractalK(static_cast<CubeType>(c.f3)));
}

} // namespace

CommandWork workOf(const Command &command, const PipeConfig &config,
                   Footprint &scratch) {
  CommandWork work;
  footprint(command, config, scratch);
  if (scratch.ranges.empty()) {
    return work;
  }
  for (const StridedRange &r : scratch.ranges) {
    auto &bytes = r.write ? work.bytesWritten : work.bytesRead;
    bytes[static_cast<unsigned>(r.space)] += r.bytes * r.count[0] * r.count[1];
  }
  if (command.op == Opcode::kMmad) {
    addCube(command, work);
  } else if (info(command.op).pipe == Pipe::V) {
    work.elements = uint64_t(LocalView::unpack(command.rs1).count) *
                    LocalView::unpack(command.rs2).count;
  }
  return work;
}

} // namespace kiln::isa
