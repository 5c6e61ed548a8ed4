// SPDX-License-Identifier: Apache-2.0
//
// Im2colRows: the rows of L1 that an im2col reads, group by group (rule 34 of
// docs/microarchitecture.md).
//
//   Im2colRows rows(command, config, perGroup);
//   std::vector<uint64_t> addresses;
//   while (rows.next(addresses)) { ... }   // at most perGroup each
//
// Rows outside the image are not read and not in a group; so a group may be
// empty.
#pragma once

#include "isa/codec/command.h"
#include "isa/gen/operands.h"

#include <cstdint>
#include <vector>

namespace kiln::sim {

class Im2colRows {
public:
  Im2colRows(const isa::Command &command, const isa::PipeConfig &config,
             uint32_t perGroup);

  /// The addresses of the next group; false when there is none.
  bool next(std::vector<uint64_t> &addresses);

private:
  void enterStep();

  isa::Im2colTarget to_;
  isa::Im2colSource from_;
  isa::Mte1Config0 image_;
  isa::Mte1Config1 kernel_;
  isa::Mte1Config2 channels_;
  isa::Mte1Config3 batch_;
  uint64_t perGroup_, taps_ = 1, perKernelRow_ = 1, pixelBytes_ = 1;
  bool valid_ = false;
  uint64_t step_ = 0, m_ = 0;
  // Of the k block.
  int64_t kw_ = 0, kh_ = 0;
  uint64_t plane_ = 0, ow_ = 0, oh_ = 0;
};

} // namespace kiln::sim
