// SPDX-License-Identifier: Apache-2.0
//
// The plan dialect in C++; PlanDialect.td documents every operation.
//
//   auto func = plan::FuncOp::create(builder, loc, "main", type);
//   plan::DispatchOp::create(builder, loc, types, "conv_1", operands);
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "compiler/dialect/plan/PlanEnums.h.inc"

#include "compiler/dialect/plan/PlanDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/dialect/plan/PlanAttrs.h.inc"

#define GET_OP_CLASSES
#include "compiler/dialect/plan/PlanOps.h.inc"
