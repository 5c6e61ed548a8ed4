// SPDX-License-Identifier: Apache-2.0
//
// From an instruction to its figures in a machine file, in one place for the
// cycle engine and the compiler's cost model.
//
//   VectorRate r = vectorRate(spec.timing, command);
//   cycles = rows * (ceilDiv(vectorColumns(command), r.elementsPerCycle)
//                    + r.rowCycles);
//
// vbc is counted in rows: see VectorRate::countsRows.
#pragma once

#include "isa/arch/arch_spec.h"
#include "isa/codec/command.h"

namespace kiln::isa {

/// The vector class of an instruction of pipe V. Others must not be asked.
VectorClass vectorClass(Opcode op);

struct VectorRate {
  uint32_t elementsPerCycle = 1; // rows per cycle when countsRows
  uint32_t latencyCycles = 0;
  uint32_t rowCycles = 0; // added per row
  bool countsRows = false;
};

/// Elements of a row that the rate counts: the columns, and for a merge the
/// pairs of both lists.
uint64_t vectorColumns(const Command &command);

/// The rate of a V command: by the width of its elements; a cast counts the
/// wider of its two types, a sum of 16-bit floats adds in f32 and so runs at
/// the 32-bit rate.
VectorRate vectorRate(const TimingPart &timing, const Command &command);

} // namespace kiln::isa
