// SPDX-License-Identifier: Apache-2.0
#include "isa/numerics/vector_kernels.h"

#include "isa/numerics/element_io.h"
#include "isa/numerics/vector_oracle.h"

namespace kiln::isa::numerics {

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

static uint32_t accumulate(ElementType type, uint32_t sum, uint32_t x) {
  if (!oracle::isFloat(type)) {
    return sum + x;
  }
  return Float::add(oracle::kF32, sum,
                    Float::convert(oracle::formatOf(type), oracle::kF32, x));
}

static uint32_t finish(ElementType type, uint32_t sum) {
  return oracle::isFloat(type)
             ? Float::convert(oracle::kF32, oracle::formatOf(type), sum)
             : sum;
}

void sumToLanes(ElementType type, const void *src, size_t n,
                uint32_t lanes[kReduceLanes]) {
  for (size_t i = 0; i < n; ++i) {
    lanes[i % kReduceLanes] =
        accumulate(type, lanes[i % kReduceLanes], loadElement(type, src, i));
  }
}

uint32_t finishLanes(ElementType type, const uint32_t lanes[kReduceLanes]) {
  uint32_t sum[kReduceLanes];
  std::copy_n(lanes, kReduceLanes, sum);
  for (unsigned half = kReduceLanes / 2; half > 0; half /= 2) {
    for (unsigned j = 0; j < half; ++j) {
      sum[j] = oracle::isFloat(type)
                   ? Float::add(oracle::kF32, sum[j], sum[j + half])
                   : sum[j] + sum[j + half];
    }
  }
  return finish(type, sum[0]);
}

void sumToColumns(ElementType type, const void *src, size_t n, uint32_t *sums) {
  for (size_t i = 0; i < n; ++i) {
    sums[i] = accumulate(type, sums[i], loadElement(type, src, i));
  }
}

void finishColumns(ElementType type, const uint32_t *sums, void *dst,
                   size_t n) {
  for (size_t i = 0; i < n; ++i) {
    storeElement(type, dst, i, finish(type, sums[i]));
  }
}

uint32_t maximum(ElementType type, const void *src, size_t n) {
  uint32_t result = loadElement(type, src, 0);
  for (size_t i = 0; i < n; ++i) {
    result =
        Oracle::binary(BinaryOp::kMax, type, result, loadElement(type, src, i));
  }
  return result;
}

void fix(const FixMode &mode, const uint32_t *accumulators,
         const uint32_t *scales, void *dst, size_t n) {
  FixMode element = mode;
  for (size_t i = 0; i < n; ++i) {
    if (scales != nullptr) {
      element.scaled = true;
      element.scale = scales[i];
    }
    storeElement(mode.out, dst, i, Oracle::fix(element, accumulators[i]));
  }
}

} // namespace kiln::isa::numerics
