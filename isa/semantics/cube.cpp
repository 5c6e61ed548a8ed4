// SPDX-License-Identifier: Apache-2.0
//
// M: mmad.
#include "isa/numerics/mmad.h"
#include "isa/semantics/operand_checks.h"

namespace kiln::isa::semantics {

namespace {

struct Mmad {
  CubeType type;
  CubeShape c;
  uint64_t a;
  CubeB b;

  uint64_t k1() const { return (c.k + fractalK(type) - 1) / fractalK(type); }
  uint64_t n1() const { return (c.n + 15) / 16; }
  uint64_t m1() const { return (c.m + 15) / 16; }
};

Mmad decode(const Command &cmd) {
  return {static_cast<CubeType>(cmd.f3), CubeShape::unpack(cmd.rs1), cmd.rs2,
          CubeB::unpack(cmd.rs3)};
}

/// The lanes below k of `rows` rows of A: fractal (mi,ki) at mi*k1 + ki.
void addA(const Mmad &x, Footprint &out) {
  const uint64_t fullK = x.c.k / fractalK(x.type);
  const uint64_t tailBytes = x.c.k % fractalK(x.type) * operandBytes(x.type);
  const uint64_t fullM = x.c.m / kCellRows, tailM = x.c.m % kCellRows;
  const uint64_t rowOfFractals = kFractalBytes * x.k1();
  const uint64_t tail = x.a + fullM * rowOfFractals;
  StridedRange r{.space = Space::L0A};
  r.base = x.a; // whole fractals
  r.bytes = kFractalBytes * fullK;
  r.count[0] = fullM;
  r.stride[0] = rowOfFractals;
  addRange(out, r);
  r.base = tail; // the rows of the last, partial row of fractals
  r.bytes = kBlockBytes * tailM;
  r.count[0] = fullK;
  r.stride[0] = kFractalBytes;
  addRange(out, r);
  r.base = x.a + kFractalBytes * fullK; // the last lanes of k
  r.bytes = tailBytes;
  r.count[0] = kCellRows;
  r.stride[0] = kBlockBytes;
  r.count[1] = fullM;
  r.stride[1] = rowOfFractals;
  addRange(out, r);
  r.base = tail + kFractalBytes * fullK;
  r.count[0] = tailM;
  r.count[1] = 1;
  addRange(out, r);
}

/// The lanes below k of B: fractal (ki,ni) at ki*n1 + ni, so the n-rows of
/// one ki follow one another.
void addB(const Mmad &x, Footprint &out) {
  const uint64_t fullK = x.c.k / fractalK(x.type);
  const uint64_t step = kFractalBytes * x.n1();
  addRange(out, {.space = Space::L0B,
                 .base = x.b.addr,
                 .bytes = kBlockBytes * x.c.n,
                 .count = {fullK, 1},
                 .stride = {step, 0}});
  addRange(out, {.space = Space::L0B,
                 .base = x.b.addr + fullK * step,
                 .bytes = x.c.k % fractalK(x.type) * operandBytes(x.type),
                 .count = {x.c.n, 1},
                 .stride = {kBlockBytes, 0}});
}

} // namespace

void addAccumulators(Footprint &out, bool write, uint64_t addr, uint64_t m,
                     uint64_t n, uint64_t m1) {
  const uint64_t column = kL0CCellBytes * m1;
  constexpr uint64_t kRowBytes = 4 * kCellRows;
  addRange(out, {.space = Space::L0C,
                 .write = write,
                 .base = addr,
                 .bytes = kRowBytes * m,
                 .count = {n / kCellRows, 1},
                 .stride = {column, 0}});
  addRange(out, {.space = Space::L0C,
                 .write = write,
                 .base = addr + n / kCellRows * column,
                 .bytes = 4 * (n % kCellRows),
                 .count = {m, 1},
                 .stride = {kRowBytes, 0}});
}

MaybeFault describeCube(const Command &c, const PipeConfig &, Footprint &out) {
  const Mmad x = decode(c);
  if (!x.b.outOfRange().empty()) {
    return makeFault(FaultKind::kIllegalOperand,
                     "mode is {}; expected 0 (zero), 1 (accumulate) or 2 "
                     "(bias)",
                     static_cast<unsigned>(x.b.mode));
  }
  if (x.b.bias % 4 != 0) {
    return makeFault(FaultKind::kMisaligned,
                     "bias offset {:#x} is not a multiple of 4", x.b.bias);
  }
  if (x.c.m == 0 || x.c.n == 0 || x.c.k == 0) {
    return std::nullopt;
  }
  addA(x, out);
  addB(x, out);
  if (x.b.mode == CubeMode::kBias) {
    addRange(out,
             {.space = Space::BT, .base = x.b.bias, .bytes = 4ull * x.c.n});
  }
  if (x.b.mode == CubeMode::kAccumulate) {
    addAccumulators(out, false, x.c.addr, x.c.m, x.c.n, x.m1());
  }
  addAccumulators(out, true, x.c.addr, x.c.m, x.c.n, x.m1());
  return std::nullopt;
}

void runCube(const Command &c, const PipeConfig &, CoreMemory &memory) {
  const Mmad x = decode(c);
  const std::byte *bias = x.b.mode == CubeMode::kBias
                              ? memory[Space::BT].data() + x.b.bias
                              : nullptr;
  numerics::mmad(x.type, {x.c.m, x.c.n, x.c.k}, x.b.mode,
                 memory[Space::L0A].data() + x.a,
                 memory[Space::L0B].data() + x.b.addr, bias,
                 memory[Space::L0C].data() + x.c.addr);
}

} // namespace kiln::isa::semantics
