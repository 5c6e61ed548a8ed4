// SPDX-License-Identifier: Apache-2.0
//
// The commands of V as instructions: a table from the kinds of an op to the
// instruction, and how its operands are packed.
#pragma once

#include "compiler/conversion/npu_isa/operand_words.h"

namespace kiln::npu {

/// Emits the instruction of a vector command before it; false for other ops.
bool lowerVector(OperandWords &words, mlir::Operation *op);

} // namespace kiln::npu
