// SPDX-License-Identifier: Apache-2.0
//
// The commands of V as instructions: a table from the kinds of an op to the
// instruction, and how its operands are packed.
#pragma once

#include "compiler/conversion/npu_isa/operand_words.h"
#include "isa/gen/opcodes.h"

namespace kiln::npu {

/// The instruction of a kind, as the tables have it (expd: for f32 results).
isa::Opcode opcodeOf(BinaryKind kind);
isa::Opcode opcodeOf(ScalarKind kind);
isa::Opcode opcodeOf(UnaryKind kind);
isa::Opcode opcodeOf(ReduceKind kind);

/// Emits the instruction of a vector command before it; false for other ops.
bool lowerVector(OperandWords &words, mlir::Operation *op);

} // namespace kiln::npu
