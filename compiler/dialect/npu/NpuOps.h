// SPDX-License-Identifier: Apache-2.0
//
// The npu dialect: see NpuBase.td for the operand convention, NpuCommands.td
// for the commands of the pipes, NpuTensorOps.td for the tensor level.
#pragma once

#include "isa/codec/machine_types.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/TilingInterface.h"

#include <cstdint>
#include <optional>

namespace kiln::npu {

/// One memory operand of a command.
struct OperandAccess {
  mlir::OpOperand *base; // npu.alloc result or kernel argument
  mlir::Value offset;    // bytes; null: any place
  bool read = false;
  bool write = false;
};

/// Unit attribute that marks a func.func as a kernel.
constexpr llvm::StringLiteral kKernelAttr = "npu.kernel";

/// Integer attribute of the flag ops that belong to one pair of
/// npu-insert-sync.
constexpr llvm::StringLiteral kSyncAttr = "npu.sync";

/// Unit attribute of commands and flag ops whose order is the author's own:
/// npu-insert-sync adds nothing between two of them. Barriers stand around each
/// group.
constexpr llvm::StringLiteral kManualAttr = "npu.manual";
/// Of such a flag op: its id is below this integer.
constexpr llvm::StringLiteral kManualIdsAttr = "npu.manual_ids";

/// Space of a memref; nullopt for a memory space attribute that is none of
/// isa::Space.
std::optional<isa::Space> spaceOf(mlir::Type type);

/// The memory space attribute of a space (null for GM).
mlir::Attribute spaceAttr(mlir::MLIRContext *context, isa::Space space);

/// The element type an instruction field names, nullopt when there is none.
std::optional<isa::ElementType> elementTypeOf(mlir::Type type);

/// Bytes that one slot of a local buffer occupies, by the rule of its space:
/// UB, L1, BT: all elements, rounded to 32 bytes; L0A, L0B: whole fractals of
/// 16 x 32 bytes; L0C: whole cells of 16 x 16 elements.
int64_t localBytes(mlir::MemRefType type);

} // namespace kiln::npu

#include "compiler/dialect/npu/NpuEnums.h.inc"
#include "compiler/dialect/npu/NpuInterfaces.h.inc"

#include "compiler/dialect/npu/NpuDialect.h.inc"

#define GET_OP_CLASSES
#include "compiler/dialect/npu/NpuOps.h.inc"

namespace kiln::npu {

/// One element per row, not one row.
constexpr bool isAlongRows(ReduceKind kind) {
  return kind == ReduceKind::sum_l || kind == ReduceKind::max_l ||
         kind == ReduceKind::min_l || kind == ReduceKind::argmax_l ||
         kind == ReduceKind::argmin_l;
}
/// An i32 index, not an element.
constexpr bool givesIndex(ReduceKind kind) {
  return kind == ReduceKind::argmax_l || kind == ReduceKind::argmin_l ||
         kind == ReduceKind::argmax_r || kind == ReduceKind::argmin_r;
}

} // namespace kiln::npu
