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
  Transpose transpose;

  bool toL0a() const { return space == Space::L0A; }
  /// The source in fractals: for a transposition of 8-bit elements 32 rows of
  /// the source make 16 of L0, of 32-bit ones 8.
  uint64_t outer() const { return sourceCount(dst.outer, toL0a()); }
  uint64_t inner() const { return sourceCount(dst.inner, !toL0a()); }
  uint64_t sourceCount(uint64_t count, bool crosses) const {
    switch (transpose) {
    case Transpose::kT8:
      return crosses ? count / 2 : 2 * count;
    case Transpose::kT32:
      return crosses ? 2 * count : count / 2;
    default:
      return count;
    }
  }
};

FractalCopy decodeCopy(const Command &c) {
  return {c.op == Opcode::kCpL0a ? Space::L0A : Space::L0B,
          FractalTarget::unpack(c.rs1), FractalSource::unpack(c.rs2),
          static_cast<Transpose>(c.f3)};
}

MaybeFault describeCopy(const FractalCopy &copy, Footprint &out) {
  const bool outerEven = copy.transpose == Transpose::kT8    ? copy.toL0a()
                         : copy.transpose == Transpose::kT32 ? !copy.toL0a()
                                                             : false;
  const bool innerEven = copy.transpose >= Transpose::kT8 && !outerEven;
  if ((outerEven && copy.dst.outer % 2 != 0) ||
      (innerEven && copy.dst.inner % 2 != 0)) {
    return makeFault(FaultKind::kIllegalOperand,
                     "{} fractals with outer {} and inner {}; {} must be even "
                     "in this transposition",
                     name(copy.space), copy.dst.outer, copy.dst.inner,
                     outerEven ? "outer" : "inner");
  }
  addRange(out, {.space = Space::L1,
                 .base = copy.src.addr,
                 .bytes = kFractalBytes,
                 .count = {copy.inner(), copy.outer()},
                 .stride = {kFractalBytes * copy.src.innerStride,
                            kFractalBytes * copy.src.outerStride}});
  addRange(out, {.space = copy.space,
                 .write = true,
                 .base = copy.dst.addr,
                 .bytes = kFractalBytes * copy.dst.inner * copy.dst.outer});
  return std::nullopt;
}

/// Fractal (o,i) of the target, element by element from the source: row r of
/// L0 holds column `across` of the source, lane l its row `along`.
template <typename Element>
void transposeFractal(const FractalCopy &copy, const std::byte *src, uint64_t o,
                      uint64_t i, std::byte *dst) {
  constexpr uint64_t kC0 = kBlockBytes / sizeof(Element);
  const uint64_t across0 = kCellRows * (copy.toL0a() ? o : i);
  const uint64_t along0 = kC0 * (copy.toL0a() ? i : o);
  const uint64_t acrossStride =
      copy.toL0a() ? copy.src.outerStride : copy.src.innerStride;
  const uint64_t alongStride =
      copy.toL0a() ? copy.src.innerStride : copy.src.outerStride;
  Element fractal[kCellRows * kC0];
  for (uint64_t l = 0; l < kC0; ++l) {
    const uint64_t along = along0 + l;
    for (uint64_t r = 0; r < kCellRows; ++r) {
      const uint64_t across = across0 + r;
      const std::byte *from =
          src +
          kFractalBytes *
              (across / kC0 * acrossStride + along / kCellRows * alongStride) +
          kBlockBytes * (along % kCellRows) + sizeof(Element) * (across % kC0);
      std::memcpy(&fractal[kC0 * r + l], from, sizeof(Element));
    }
  }
  std::memcpy(dst, fractal, kFractalBytes);
}

/// 16-bit elements: a fractal is its own square.
void transposeSquare(const std::byte *src, std::byte *dst) {
  uint16_t in[256], out[256];
  std::memcpy(in, src, kFractalBytes);
  for (unsigned i = 0; i < 16; ++i) {
    for (unsigned j = 0; j < 16; ++j) {
      out[16 * i + j] = in[16 * j + i];
    }
  }
  std::memcpy(dst, out, kFractalBytes);
}

template <typename Element>
void runTransposed(const FractalCopy &copy, const std::byte *l1,
                   std::byte *dst) {
  for (uint64_t o = 0; o < copy.dst.outer; ++o) {
    for (uint64_t i = 0; i < copy.dst.inner; ++i, dst += kFractalBytes) {
      transposeFractal<Element>(copy, l1, o, i, dst);
    }
  }
}

void runCopy(const FractalCopy &copy, CoreMemory &memory) {
  const std::byte *l1 = memory[Space::L1].data() + copy.src.addr;
  std::byte *dst = memory[copy.space].data() + copy.dst.addr;
  switch (copy.transpose) {
  case Transpose::kT8:
    return runTransposed<uint8_t>(copy, l1, dst);
  case Transpose::kT32:
    return runTransposed<uint32_t>(copy, l1, dst);
  default:
    break;
  }
  const uint64_t inner = copy.dst.inner;
  for (uint64_t o = 0; o < copy.dst.outer; ++o) {
    const std::byte *src = l1 + kFractalBytes * o * copy.src.outerStride;
    if (copy.transpose == Transpose::kNone && copy.src.innerStride == 1) {
      std::memcpy(dst, src, kFractalBytes * inner);
      dst += kFractalBytes * inner;
      continue;
    }
    for (uint64_t i = 0; i < inner; ++i, dst += kFractalBytes) {
      const std::byte *fractal = src + kFractalBytes * i * copy.src.innerStride;
      if (copy.transpose == Transpose::kT) {
        transposeSquare(fractal, dst);
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
  return describeCopy(decodeCopy(c), out);
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
