// SPDX-License-Identifier: Apache-2.0
//
// Commands that several timing tests issue.
#pragma once

#include "isa/gen/operands.h"
#include "tests/engines/support/program_builder.h"

namespace kiln::test {

/// A view of contiguous 32-byte blocks in local memory.
inline uint64_t view(uint32_t addr, uint32_t count, uint32_t rowStride = 8) {
  return isa::LocalView{addr, rowStride, 1, count}.pack();
}

/// What im2col of a 1x1 window reads: one pixel in `stride` of each row.
struct Pixels {
  uint32_t height, width;
  uint32_t perRow;
  uint32_t stride;
  uint32_t count;
  bool fourChannels = false;
};

/// im2col of one k block of f16.
inline void im2col(ProgramBuilder &b, const Pixels &pixels) {
  isa::Mte1Config0 image;
  image.h = pixels.height;
  image.w = pixels.width;
  image.ow = pixels.perRow;
  isa::Mte1Config1 window;
  window.kh = window.kw = window.sh = window.dh = window.dw = 1;
  window.sw = pixels.stride;
  window.cValidLast = pixels.fourChannels ? 4 : 16;
  isa::Mte1Config2 channels;
  channels.c1 = 1;
  b.configure(isa::Pipe::MTE1, 0, image.pack());
  b.configure(isa::Pipe::MTE1, 1, window.pack());
  b.configure(isa::Pipe::MTE1, 2, channels.pack());
  if (pixels.fourChannels) {
    b.configure(isa::Pipe::MTE1, 3, isa::Mte1Config3{.c04 = 1}.pack());
  }
  isa::Im2colTarget to;
  to.mCount = pixels.count;
  to.k1Count = 1;
  b.npu({.op = isa::Opcode::kIm2col,
         .f3 = static_cast<uint8_t>(isa::ElementType::F16)},
        to.pack(), isa::Im2colSource{}.pack());
}

} // namespace kiln::test
