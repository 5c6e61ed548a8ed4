// SPDX-License-Identifier: Apache-2.0
//
// Logic, shifts, comparisons and selects over contiguous elements; equal to
// VectorOracle<> (tests/unit/isa/numerics/vector_logic_test.cpp).
//
//   uint8_t mask[64];
//   numerics::compare(CompareOp::kLt, ElementType::F16, a, b, mask, 512);
//   numerics::select(ElementType::F16, mask, a, b, dst, 512);  // minimum
//
// Bit e of a mask is bit e%8 of byte e/8; a comparison clears the bits of its
// last byte beyond n. `dst` may be exactly a source. No alignment is needed.
//
// Thread rule: pure functions of their arguments.
#pragma once

#include "isa/numerics/vector_types.h"

#include <cstddef>
#include <cstdint>

namespace kiln::isa::numerics {

/// The operations on bits and the shifts of BinaryOp.
void bits(BinaryOp op, ElementType type, const void *a, const void *b,
          void *dst, size_t n);

/// dst = ~src
void invert(const void *src, void *dst, size_t bytes);

/// Bit i of `bits` = a[i] op b[i]
void compare(CompareOp op, ElementType type, const void *a, const void *b,
             uint8_t *bits, size_t n);

/// dst[i] = bit i ? a[i] : b[i]
void select(ElementType type, const uint8_t *bits, const void *a, const void *b,
            void *dst, size_t n);

} // namespace kiln::isa::numerics
