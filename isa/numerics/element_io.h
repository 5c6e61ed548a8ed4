// SPDX-License-Identifier: Apache-2.0
//
// Loads and stores of single elements by type; any alignment.
#pragma once

#include "isa/codec/machine_types.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace kiln::isa {

/// Element i of an array, in the low bits.
inline uint32_t loadElement(ElementType t, const void *base, size_t i) {
  const auto *p = static_cast<const std::byte *>(base) + i * sizeOf(t);
  switch (sizeOf(t)) {
  case 1:
    return static_cast<uint8_t>(*p);
  case 2: {
    uint16_t v;
    std::memcpy(&v, p, 2);
    return v;
  }
  default: {
    uint32_t v;
    std::memcpy(&v, p, 4);
    return v;
  }
  }
}

inline void storeElement(ElementType t, void *base, size_t i, uint32_t x) {
  auto *p = static_cast<std::byte *>(base) + i * sizeOf(t);
  std::memcpy(p, &x, sizeOf(t)); // little-endian hosts
}

} // namespace kiln::isa
