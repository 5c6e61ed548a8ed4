// SPDX-License-Identifier: Apache-2.0
//
// The operands of a V instruction, decoded and checked. Private to
// isa/semantics. What each operand is follows from the instruction's shape in
// isa/spec (isa/gen/vector_meanings.h), never from its opcode.
#pragma once

#include "isa/gen/vector_meanings.h"
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
  VectorShape shape{};
  ElementType type{}; // f3
  /// `mask` is the bit mask of a select.
  VectorOperand dst, src0, src1, mask;
  uint64_t rows = 0, cols = 0;
  uint32_t scalar = 0;     // scalar forms and fills; the start of a sequence
  uint32_t step = 0;       // of a sequence
  RoundingMode rounding{}; // casts
  bool readsDst = false;
};

VectorCommand decodeVector(const Command &command);

} // namespace kiln::isa::semantics
