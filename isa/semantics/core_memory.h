// SPDX-License-Identifier: Apache-2.0
//
// The memory a command sees: the local buffers of one core and global memory.
#pragma once

#include "isa/codec/machine_types.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace kiln::isa {

enum class Access : uint8_t { kRead, kWrite };

/// Global memory as a command sees it. Implementations: the simulator's
/// host-backed memory, test doubles.
class GlobalMemory {
public:
  virtual ~GlobalMemory() = default;
  /// Host pointer to `bytes` contiguous bytes at GM address `addr`, or null
  /// when any of them lies outside the buffers bound to the launch (the caller
  /// raises the bounds fault).
  virtual std::byte *map(uint64_t addr, uint64_t bytes, Access access) = 0;
};

/// Local buffers indexed by Space (GM's slot is empty) plus global memory.
/// Does not own; a core owns its buffers.
struct CoreMemory {
  std::array<std::span<std::byte>, kNumSpaces> local{};
  GlobalMemory *gm = nullptr;

  std::span<std::byte> operator[](Space s) const {
    return local[static_cast<unsigned>(s)];
  }
};

} // namespace kiln::isa
