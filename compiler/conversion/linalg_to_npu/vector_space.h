// SPDX-License-Identifier: Apache-2.0
//
// How the loops of a structured operation map to a vector command: which loops
// become its columns, which its rows, which stay loops around it.
//
// A command covers rows x columns elements; element (r, e) of an operand lies
// at addr + 32*(r*row + (e / epb)*blk) + size*(e % epb). So a loop can run
// along the columns when it moves every operand by one element (or not at all:
// a broadcast); several can when they are contiguous, or when the inner one is
// exactly a block (blocked layouts, windows with a stride). Every other loop
// must move by multiples of 32 bytes.
#pragma once

#include "compiler/conversion/linalg_to_npu/view.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace kiln::npu {

struct VectorLoop {
  mlir::OpFoldResult size;
  int64_t bound = 1; // largest size
  bool reduction = false;
};

/// An operand: its view and its stride in bytes per loop.
struct VectorOperand {
  View view;
  llvm::SmallVector<int64_t> strides;
};

/// Part of an operand that one command touches.
struct LaneStrides {
  int64_t row = 0;        // bytes
  int64_t block = 1;      // in 32-byte blocks
  bool broadcast = false; // the operand lacks the columns
};

class VectorSpace {
public:
  static mlir::FailureOr<VectorSpace> of(IndexMath &m,
                                         mlir::linalg::LinalgOp op);

  llvm::SmallVector<VectorLoop> loops;
  llvm::SmallVector<VectorOperand> operands; // inputs, then the init
  llvm::SmallVector<LaneStrides> lanes;      // per operand

  mlir::OpFoldResult columns, rows;
  int64_t columnBound = 1, rowBound = 1;
  bool columnsReduce = false, rowsReduce = false;
  llvm::SmallVector<unsigned> outer; // loops around the command, parallel first

private:
  mlir::LogicalResult readOperands(IndexMath &m, mlir::linalg::LinalgOp op);
  void dropUnitLoops();
  void chooseColumns(IndexMath &m);
  bool mergeContiguous(IndexMath &m);
  bool mergeBlocks(IndexMath &m);
  void chooseRows(IndexMath &m);
  bool canBeRows(unsigned loop) const;
  int64_t moves(unsigned operand, unsigned loop) const {
    return operands[operand].strides[loop];
  }
  unsigned out() const { return operands.size() - 1; }

  llvm::SmallVector<unsigned> left_;     // loops not yet mapped
  llvm::SmallVector<int64_t> columnRun_; // bytes per operand of the columns
};

} // namespace kiln::npu
