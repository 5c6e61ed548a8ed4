// SPDX-License-Identifier: Apache-2.0
//
// The npu_isa dialect; ops are generated from isa/spec.
//
//   auto word = encodingOf(op);   // how the op becomes an R4 word
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <cstdint>
#include <optional>

namespace kiln::npu_isa {

/// Fields of the R4 word of an op; operand n is register rs<n+1>.
struct Encoding {
  unsigned opcode = 0, f2 = 0, sub = 0, f3 = 0, operands = 0;
};

/// The encoding of an npu_isa op, nullopt for any other op.
std::optional<Encoding> encodingOf(mlir::Operation *op);

} // namespace kiln::npu_isa

#include "compiler/dialect/npu_isa/NpuIsaDialect.h.inc"

#define GET_OP_CLASSES
#include "compiler/dialect/npu_isa/NpuIsaOps.h.inc"
