// SPDX-License-Identifier: Apache-2.0
#include "isa/numerics/vector_scalar.h"

#include "isa/numerics/element_io.h"
#include "isa/numerics/vector_oracle.h"

namespace kiln::isa::numerics::scalar {

using Oracle = oracle::VectorOracle<>;
using Float = oracle::SoftFloat<>;

void binary(BinaryOp op, ElementType type, const void *a, const void *b,
            void *dst, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    storeElement(type, dst, i,
                 Oracle::binary(op, type, loadElement(type, a, i),
                                loadElement(type, b, i)));
  }
}

void multiplyAdd(ElementType type, const void *a, const void *b, void *dst,
                 size_t n) {
  for (size_t i = 0; i < n; ++i) {
    storeElement(type, dst, i,
                 Oracle::multiplyAdd(type, loadElement(type, a, i),
                                     loadElement(type, b, i),
                                     loadElement(type, dst, i)));
  }
}

void unary(UnaryOp op, ElementType type, const void *src, void *dst, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    storeElement(type, dst, i,
                 Oracle::unary(op, type, loadElement(type, src, i)));
  }
}

void expDifference(ElementType from, ElementType to, const void *a,
                   const void *b, void *dst, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    storeElement(to, dst, i,
                 Oracle::expDifference(from, to, loadElement(from, a, i),
                                       loadElement(from, b, i)));
  }
}

void cast(ElementType from, ElementType to, RoundingMode rounding,
          const void *src, void *dst, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    storeElement(to, dst, i,
                 Oracle::cast(from, to, rounding, loadElement(from, src, i)));
  }
}

void fix(const FixMode &mode, const uint32_t *accumulators,
         const FixChannels &channels, void *dst, size_t n) {
  FixMode element = mode;
  for (size_t i = 0; i < n; ++i) {
    if (channels.scales != nullptr) {
      element.scaled = true;
      element.scale = channels.scales[i];
    }
    if (channels.slopes != nullptr) {
      element.parameter = channels.slopes[i];
    }
    storeElement(mode.out, dst, i, Oracle::fix(element, accumulators[i]));
  }
}

} // namespace kiln::isa::numerics::scalar
