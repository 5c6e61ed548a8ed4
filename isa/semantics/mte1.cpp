// SPDX-License-Identifier: Apache-2.0
//
// MTE1: L1 to L0A, L0B and the bias table. im2col has its own file.
#include "isa/semantics/operand_checks.h"

namespace kiln::isa::semantics {

namespace {

struct FractalCopy {
  Space space;
  FractalTarget dst;
  FractalSource src;
  bool transpose;
};

FractalCopy decodeCopy(const Command &c) {
  return {c.op == Opcode::kCpL0a ? Space::L0A : Space::L0B,
          FractalTarget::unpack(c.rs1), FractalSource::unpack(c.rs2),
          c.f3 != 0};
}

void describeCopy(const FractalCopy &copy, Footprint &out) {
  addRange(out, {.space = Space::L1,
                 .base = copy.src.addr,
                 .bytes = kFractalBytes,
                 .count = {copy.dst.inner, copy.dst.outer},
                 .stride = {kFractalBytes * copy.src.innerStride,
                            kFractalBytes * copy.src.outerStride}});
  addRange(out, {.space = copy.space,
                 .write = true,
                 .base = copy.dst.addr,
                 .bytes = kFractalBytes * copy.dst.inner * copy.dst.outer});
}

void transposeFractal(std::byte *dst, const std::byte *src) {
  uint16_t in[256], out[256];
  std::memcpy(in, src, kFractalBytes);
  for (unsigned i = 0; i < 16; ++i) {
    for (unsigned j = 0; j < 16; ++j) {
      out[16 * i + j] = in[16 * j + i];
    }
  }
  std::memcpy(dst, out, kFractalBytes);
}

void runCopy(const FractalCopy &copy, CoreMemory &memory) {
  const std::byte *l1 = memory[Space::L1].data() + copy.src.addr;
  std::byte *dst = memory[copy.space].data() + copy.dst.addr;
  const uint64_t inner = copy.dst.inner;
  for (uint64_t o = 0; o < copy.dst.outer; ++o) {
    const std::byte *src = l1 + kFractalBytes * o * copy.src.outerStride;
    if (!copy.transpose && copy.src.innerStride == 1) {
      std::memcpy(dst, src, kFractalBytes * inner);
      dst += kFractalBytes * inner;
      continue;
    }
    for (uint64_t i = 0; i < inner; ++i, dst += kFractalBytes) {
      const std::byte *fractal = src + kFractalBytes * i * copy.src.innerStride;
      if (copy.transpose) {
        transposeFractal(dst, fractal);
      } else {
        std::memcpy(dst, fractal, kFractalBytes);
      }
    }
  }
}

} // namespace

MaybeFault describeMte1(const Command &c, const PipeConfig &config,
                        Footprint &out) {
  if (c.op == Opcode::kIm2col) {
    return describeIm2col(c, config, out);
  }
  if (c.op == Opcode::kCpBt) {
    const uint64_t bytes = ByteCount::unpack(c.rs3).bytes;
    addRange(out, {.space = Space::L1, .base = c.rs2, .bytes = bytes});
    addRange(
        out,
        {.space = Space::BT, .write = true, .base = c.rs1, .bytes = bytes});
    return std::nullopt;
  }
  describeCopy(decodeCopy(c), out);
  return std::nullopt;
}

void runMte1(const Command &c, const PipeConfig &config, CoreMemory &memory) {
  if (c.op == Opcode::kIm2col) {
    runIm2col(c, config, memory);
  } else if (c.op == Opcode::kCpBt) {
    std::memcpy(memory[Space::BT].data() + c.rs1,
                memory[Space::L1].data() + c.rs2,
                ByteCount::unpack(c.rs3).bytes);
  } else {
    runCopy(decodeCopy(c), memory);
  }
}

} // namespace kiln::isa::semantics
