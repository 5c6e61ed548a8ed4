// SPDX-License-Identifier: Apache-2.0
//
// The transformations of the CPU path, in the order compiler/pipeline runs
// them. Each is a free function on one dispatch function; all report through
// MLIR diagnostics.
//
// The recipe (register tiling of linalg.generic, whatever the operator; only
// indexing maps say what is convolution, matmul or pooling) and its figures
// are in docs/rationale/cpu_backend.md.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Support/LLVM.h"

#include <cstdint>

namespace kiln::cpu {

/// What the code generator knows about the CPU it compiles for.
struct CpuMachine {
  unsigned vectorBytes = 64;     // widest vector register
  unsigned vectorRegisters = 32; // architectural

  unsigned lanes(unsigned elementBytes) const {
    return vectorBytes / elementBytes;
  }
};

/// Rewrites `func` from tensors to buffers at its boundary: every tensor
/// argument becomes a static, contiguous memref; results become trailing
/// memref arguments written in place. Constraint: static shapes.
mlir::LogicalResult convertToBufferSignature(mlir::func::FuncOp func);

/// One-shot bufferisation with everything in place.
mlir::LogicalResult bufferizeDispatch(mlir::func::FuncOp func);

/// Replaces static linalg operations on buffers by loops around register
/// tiles of vectors. Operations it cannot take stay for plain loops.
mlir::LogicalResult vectorizeRegisterTiles(mlir::func::FuncOp func,
                                           const CpuMachine &machine);

/// Turns every remaining buffer allocation into a slice of one workspace: a
/// new last argument `memref<Nxi8>`. Returns its size in bytes (0: the
/// argument is added all the same, so that every entry looks alike).
mlir::FailureOr<uint64_t> assignWorkspace(mlir::func::FuncOp func);

} // namespace kiln::cpu
