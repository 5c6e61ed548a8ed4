// SPDX-License-Identifier: Apache-2.0
//
// The nn dialect in C++; NnDialect.td documents every operation.
//
//   auto relu = nn::ReluOp::create(builder, loc, x.getType(), x);
//   SmallVector<RankedTensorType> types;
//   if (failed(relu.inferShapes(types))) ...   // the error was emitted
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace kiln::nn {

/// Marks a function that is the body of an nn.custom.
inline constexpr llvm::StringLiteral kBodyAttr = "nn.body";

/// Verifies that declared result types agree with the inferred ones. Operands
/// or results that have no shape yet are accepted.
llvm::LogicalResult verifyShapes(mlir::Operation *op);

/// Shape functions shared by whole families.
llvm::LogicalResult
inferUnary(mlir::Operation *op,
           llvm::SmallVectorImpl<mlir::RankedTensorType> &types);
llvm::LogicalResult
inferBroadcast(mlir::Operation *op,
               llvm::SmallVectorImpl<mlir::RankedTensorType> &types);

/// The numpy broadcast of two shapes; fails without a message.
llvm::FailureOr<llvm::SmallVector<int64_t>>
broadcastShapes(llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b);

} // namespace kiln::nn

#include "compiler/dialect/nn/NnDialect.h.inc"
#include "compiler/dialect/nn/NnOpInterfaces.h.inc"

#define GET_OP_CLASSES
#include "compiler/dialect/nn/NnOps.h.inc"
