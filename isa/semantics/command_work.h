// SPDX-License-Identifier: Apache-2.0
//
// How much a command does: for statistics, roofline reports and energy.
//
//   Footprint scratch;
//   CommandWork w = workOf(command, config, scratch);
//   totals.macs += w.macs;
//
// Counts follow footprint(): exact bytes, each access once even where ranges
// of a command repeat (im2col reads a pixel once per tap). A command that
// would fault on its operands, or is not a data command, does no work.
//
// Thread rule: pure function; `scratch` is only reused storage.
#pragma once

#include "isa/semantics/semantics.h"

#include <array>
#include <cstdint>

namespace kiln::isa {

struct CommandWork {
  /// mmad: multiply-accumulates of real lanes (m * n * k).
  uint64_t macs = 0;
  /// mmad: 16 x 16 outputs x 32 bytes of k, partial ones included. The cube's
  /// occupancy is cells * weight / cells per cycle.
  uint64_t cells = 0;
  /// V: rows * cols.
  uint64_t elements = 0;
  /// By Space.
  std::array<uint64_t, kNumSpaces> bytesRead{};
  std::array<uint64_t, kNumSpaces> bytesWritten{};

  uint64_t gmBytesRead() const { return bytesRead[0]; }
  uint64_t gmBytesWritten() const { return bytesWritten[0]; }
};

CommandWork workOf(const Command &command, const PipeConfig &config,
                   Footprint &scratch);

} // namespace kiln::isa
