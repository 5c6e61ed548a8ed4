// SPDX-License-Identifier: Apache-2.0
//
// The operands of a V instruction, decoded and checked. Private to
// isa/semantics.
#pragma once

#include "isa/semantics/operand_checks.h"

namespace kiln::isa::semantics {

/// What the elements of an operand are laid out as.
enum class Shape : uint8_t {
  kAbsent,
  kRows,     // rows x cols elements in blocks
  kOneRow,   // one row of cols elements
  kOnePerRow // one element per row, at addr + 32*r*row_stride
};

struct VectorOperand {
  Shape shape = Shape::kAbsent;
  LocalView view;
  ElementType type{};
  uint64_t rows = 0, cols = 0;

  uint64_t rowBytes() const {
    return (shape == Shape::kOnePerRow ? 1 : cols) * sizeOf(type);
  }
  uint64_t numRows() const { return shape == Shape::kOneRow ? 1 : rows; }
};

struct VectorCommand {
  Opcode op{};
  VectorOperand dst, src0, src1;
  uint64_t rows = 0, cols = 0;
  uint32_t scalar = 0;     // scalar forms and vdup
  RoundingMode rounding{}; // vcast
  bool readsDst = false;   // vmadd
};

VectorCommand decodeVector(const Command &command);

} // namespace kiln::isa::semantics
