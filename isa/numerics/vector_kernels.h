// SPDX-License-Identifier: Apache-2.0
//
// The vector unit's and FIX's arithmetic over contiguous elements, fast:
// SIMD, equal to VectorOracle<> in every bit
// (tests/unit/isa/numerics/vector_kernels_test.cpp).
//
//   numerics::binary(BinaryOp::kAdd, ElementType::F16, a, b, dst, n);
//
// Counts are elements. `dst` may be exactly a source; other overlaps are not
// allowed. No alignment is needed. Types are those the instruction table
// allows (callers check): any for add, sub, mul, max, min, madd, sums, logic
// and cast, integers for shifts, floats for the rest. No error.
//
// Thread rule: pure functions of their arguments.
#pragma once

#include "isa/numerics/vector_types.h"

#include <cstddef>
#include <cstdint>

namespace kiln::isa::numerics {

/// dst[i] = a[i] op b[i]
void binary(BinaryOp op, ElementType type, const void *a, const void *b,
            void *dst, size_t n);

/// dst[i] = a[i] * b[i] + dst[i], one rounding
void multiplyAdd(ElementType type, const void *a, const void *b, void *dst,
                 size_t n);

/// dst[i] = op(src[i])
void unary(UnaryOp op, ElementType type, const void *src, void *dst, size_t n);

/// dst[i] = exp(a[i] - b[i])
void expDifference(ElementType from, ElementType to, const void *a,
                   const void *b, void *dst, size_t n);

/// dst[i] = src[i] converted
void cast(ElementType from, ElementType to, RoundingMode rounding,
          const void *src, void *dst, size_t n);

/// Row sum in pieces: lanes start at 0; every piece but the last has a
/// multiple of 64 elements. Lanes hold f32 bits (i32 for integers).
void sumToLanes(ElementType type, const void *src, size_t n,
                uint32_t lanes[kReduceLanes]);
/// The element the lanes add up to.
uint32_t finishLanes(ElementType type, const uint32_t lanes[kReduceLanes]);

/// Column sums: adds a row to n running sums (f32 bits or i32, 0 at first).
void sumToColumns(ElementType type, const void *src, size_t n, uint32_t *sums);
/// Rounds the running sums to the type.
void finishColumns(ElementType type, const uint32_t *sums, void *dst, size_t n);

/// The maximum or minimum of n >= 1 elements, as an element.
uint32_t extreme(BinaryOp op, ElementType type, const void *src, size_t n);

/// FIX over n accumulator elements of a row.
void fix(const FixMode &mode, const uint32_t *accumulators,
         const FixChannels &channels, void *dst, size_t n);

} // namespace kiln::isa::numerics
