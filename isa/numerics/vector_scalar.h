// SPDX-License-Identifier: Apache-2.0
//
// The oracle over arrays: what the SIMD kernels call for combinations of
// type and mode that no kernel of this project runs often, for the few lanes
// their fast method cannot round, and on machines without AVX2. Private to
// isa/numerics; the functions are those of vector_kernels.h.
#pragma once

#include "isa/numerics/vector_types.h"

#include <cstddef>
#include <cstdint>

namespace kiln::isa::numerics::scalar {

void binary(BinaryOp op, ElementType type, const void *a, const void *b,
            void *dst, size_t n);
void multiplyAdd(ElementType type, const void *a, const void *b, void *dst,
                 size_t n);
void unary(UnaryOp op, ElementType type, const void *src, void *dst, size_t n);
void expDifference(ElementType from, ElementType to, const void *a,
                   const void *b, void *dst, size_t n);
void cast(ElementType from, ElementType to, RoundingMode rounding,
          const void *src, void *dst, size_t n);
void fix(const FixMode &mode, const uint32_t *accumulators,
         const FixChannels &channels, void *dst, size_t n);

} // namespace kiln::isa::numerics::scalar
