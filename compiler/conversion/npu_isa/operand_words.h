// SPDX-License-Identifier: Apache-2.0
//
// Operand words of instructions, packed from the operands of npu commands.
//
//   OperandWords words(builder, loc);
//   Value dst = words.view(op.getDst(), op.getDstOffset(), op.getDstStrides(),
//                          op.getRows());
//
// Constant fields fold into one constant; run-time fields are shifted and
// added.
#pragma once

#include "compiler/dialect/npu/NpuOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace kiln::npu {

/// A packed 64-bit operand word: constant fields and shifted values.
class Word {
public:
  Word(mlir::OpBuilder &builder, mlir::Location loc)
      : builder_(builder), loc_(loc) {}

  Word &add(uint64_t constant, unsigned bit) {
    constant_ += constant << bit;
    return *this;
  }
  /// An index or i64 value.
  Word &add(mlir::Value value, unsigned bit);
  mlir::Value value();

private:
  mlir::Value i64(uint64_t constant);

  mlir::OpBuilder &builder_;
  mlir::Location loc_;
  uint64_t constant_ = 0;
  mlir::Value sum_;
};

/// The f3 field of a command on elements of this memref's type.
uint32_t typeField(mlir::Value memref);

class OperandWords {
public:
  OperandWords(mlir::OpBuilder &builder, mlir::Location loc)
      : builder_(builder), loc_(loc) {}

  mlir::OpBuilder &builder() { return builder_; }
  mlir::Location loc() const { return loc_; }

  Word word() { return Word(builder_, loc_); }
  mlir::Value constant(uint64_t value) { return word().add(value, 0).value(); }
  /// The byte address of an operand, and a word that begins with it.
  mlir::Value address(mlir::Value base, mlir::Value offset);
  Word at(mlir::Value base, mlir::Value offset) {
    return word().add(address(base, offset), 0);
  }
  /// A LocalView word; a null count leaves the field 0.
  mlir::Value view(mlir::Value base, mlir::Value offset, int64_t row,
                   int64_t blk, mlir::Value count);
  mlir::Value view(mlir::Value base, mlir::Value offset,
                   llvm::ArrayRef<int64_t> strides, mlir::Value count) {
    return view(base, offset, strides[0], strides[1], count);
  }

  template <typename Isa, typename... Args> void emit(Args... args) {
    Isa::create(builder_, loc_, args...);
  }

private:
  mlir::OpBuilder &builder_;
  mlir::Location loc_;
};

} // namespace kiln::npu
