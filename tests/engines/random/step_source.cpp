// SPDX-License-Identifier: Apache-2.0
#include "tests/engines/random/step_source.h"

#include "isa/gen/operands.h"

namespace kiln::test {

using isa::ElementType;
using isa::Opcode;
using isa::Pipe;
using isa::TimingClass;

namespace {

/// Data commands of a pipe or of a class, all of them.
template <typename Wanted> std::vector<Opcode> opcodes(Wanted wanted) {
  std::vector<Opcode> found;
  for (unsigned i = 0; i < isa::kNumOpcodes; ++i) {
    const auto op = static_cast<Opcode>(i);
    if (isa::info(op).timing != TimingClass::kControl && wanted(op)) {
      found.push_back(op);
    }
  }
  return found;
}

} // namespace

Step StepSource::command(Opcode op, uint8_t f3, uint64_t a, uint64_t b,
                         uint64_t c) {
  Step s;
  s.instruction.op = op;
  s.instruction.f3 = f3;
  s.operand[0] = a;
  s.operand[1] = b;
  s.operand[2] = c;
  return s;
}

Step StepSource::kcfg(Pipe pipe, uint8_t index, uint64_t value) {
  Step s;
  s.instruction.op = Opcode::kKcfg;
  s.instruction.sub = static_cast<uint8_t>(pipe);
  s.instruction.f3 = index;
  s.operand[0] = value;
  return s;
}

uint8_t StepSource::anyF3(Opcode op) {
  uint8_t f3;
  do {
    f3 = static_cast<uint8_t>(below(8));
  } while (((isa::info(op).f3Mask >> f3) & 1) == 0);
  return f3;
}

isa::LocalView StepSource::view(uint32_t count, uint64_t rowBytes) {
  const uint32_t blk = oneIn(4) ? 2 : 1;
  const auto blocks =
      static_cast<uint32_t>((rowBytes + isa::kBlockBytes - 1) / 32);
  const uint32_t address = focus_ && oneIn(2) ? *focus_ : local(6144, 32);
  return {address, blocks * blk + below32(2), blk, count};
}

StepSource::Draw StepSource::any() {
  constexpr Pipe kOften[] = {Pipe::MTE2, Pipe::MTE2, Pipe::MTE3, Pipe::MTE1,
                             Pipe::M,    Pipe::FIX,  Pipe::V,    Pipe::V};
  switch (below(16)) {
  case 0:
    return {windowCopy()};
  case 1:
    return {configuration()};
  case 2:
    return indexed();
  case 3:
  case 4:
    return ofClass(
        static_cast<TimingClass>(1 + below(isa::kNumTimingClasses - 1)));
  default: {
    const Pipe pipe = kOften[below(std::size(kOften))];
    return anyOf(
        opcodes([&](Opcode op) { return isa::info(op).pipe == pipe; }));
  }
  }
}

StepSource::Draw StepSource::ofClass(TimingClass timing) {
  if (timing == TimingClass::kControl) {
    return {configuration()};
  }
  return anyOf(
      opcodes([&](Opcode op) { return isa::info(op).timing == timing; }));
}

StepSource::Draw StepSource::anyOf(const std::vector<Opcode> &ops) {
  const Opcode op = ops[below(ops.size())];
  return ofOpcode(op, anyF3(op));
}

StepSource::Draw StepSource::ofOpcode(Opcode op, uint8_t f3) {
  Draw draw;
  switch (isa::info(op).pipe) {
  case Pipe::MTE2:
    draw.push_back(load(op));
    break;
  case Pipe::MTE3:
    draw.push_back(op == Opcode::kStUb ? store(f3) : localStore());
    break;
  case Pipe::MTE1:
    if (op == Opcode::kIm2col) {
      if (oneIn(3)) {
        im2colConfig(draw, static_cast<ElementType>(f3));
      }
      draw.push_back(im2col(f3));
    } else {
      draw.push_back(op == Opcode::kCpBt ? biasTable() : fractals(op, f3));
    }
    break;
  case Pipe::M:
    draw.push_back(cube(f3));
    break;
  case Pipe::FIX:
    if (oneIn(3)) {
      fixConfig(draw, f3 == static_cast<uint8_t>(ElementType::I32));
    }
    draw.push_back(fix(op, f3));
    break;
  default:
    draw.push_back(vector(op, static_cast<ElementType>(f3)));
  }
  return draw;
}

Step StepSource::load(Opcode op) {
  const uint32_t rows = 1 + below32(6);
  isa::LoadGeometry g;
  g.rowBytes = 1 + below32(oneIn(4) ? 1300 : 200);
  g.gmStride = g.rowBytes + below32(64);
  const uint32_t blocks = (g.rowBytes + 31) / 32;
  isa::LocalView dst = view(rows, g.rowBytes);
  if (op == Opcode::kLdL1) {
    dst = {local(8192, 32), blocks + below32(2), 1, rows};
  } else if (op == Opcode::kLdNz) {
    dst = {local(8192, 32), rows + below32(16), 0, rows};
  }
  return command(op, 0, dst.pack(), gmAddress(), g.pack());
}

Step StepSource::store(uint8_t type) {
  const auto mode = static_cast<isa::StoreMode>(oneIn(2) ? 0 : below(4));
  const uint32_t size = isa::sizeOf(static_cast<ElementType>(type));
  const uint32_t unit = mode == isa::StoreMode::kStore ? 1 : size;
  isa::StoreGeometry g;
  g.rowBytes = unit * (1 + below32((oneIn(4) ? 1200 : 150) / unit));
  g.gmStride = g.rowBytes + unit * below32(40 / unit);
  g.mode = mode;
  return command(Opcode::kStUb, type, gmAddress(unit),
                 view(1 + below32(4), g.rowBytes).pack(), g.pack());
}

Step StepSource::localStore() {
  const uint32_t blocks = 1 + below32(8);
  const uint32_t blk = oneIn(4) ? 2 : 1;
  const isa::LocalView dst{local(8192, 32), blocks * blk + below32(4), blk,
                           1 + below32(4)};
  const isa::LocalView src = view(0, 32 * blocks);
  return command(Opcode::kStL1, 0, dst.pack(), src.pack(),
                 isa::RowBlocks{blocks}.pack());
}

Step StepSource::fractals(Opcode op, uint8_t transpose) {
  const uint32_t step = transpose > 1 ? 2 : 1; // t8 and t32 need an even count
  const isa::FractalTarget t{local(2048, 512), step * (1 + below32(2)),
                             step * (1 + below32(2))};
  const isa::FractalSource s{local(8192, 32), below32(4), below32(4)};
  return command(op, transpose, t.pack(), s.pack());
}

Step StepSource::biasTable() {
  return command(Opcode::kCpBt, 0, local(512, 32), local(8192, 32),
                 1 + below(160));
}

void StepSource::im2colConfig(Draw &draw, ElementType type) {
  const bool c04 = oneIn(4);
  isa::Mte1Config0 image{3 + below32(5), 3 + below32(5), below32(3), below32(3),
                         2 + below32(5)};
  isa::Mte1Config1 kernel;
  kernel.kh = 1 + below32(3);
  kernel.kw = 1 + below32(3);
  kernel.sh = 1 + below32(2);
  kernel.sw = 1 + below32(2);
  kernel.dh = 1 + below32(2);
  kernel.dw = 1 + below32(2);
  kernel.cValidLast = 1 + below32(c04 ? 4 : isa::c0(type));
  isa::Mte1Config2 channels;
  channels.c1Stride = 30 + below32(30);
  channels.c1 = 1 + below32(2);
  channels.pad = type == ElementType::F32 ? 0 : below32(1 << 16);
  isa::Mte1Config3 batch;
  batch.imageStride = 70;
  batch.images = below32(3);
  batch.c04 = c04;
  batch.oh = 1 + below32(5);
  draw.push_back(kcfg(Pipe::MTE1, 0, image.pack()));
  draw.push_back(kcfg(Pipe::MTE1, 1, kernel.pack()));
  draw.push_back(kcfg(Pipe::MTE1, 2, channels.pack()));
  draw.push_back(kcfg(Pipe::MTE1, 3, batch.pack()));
}

Step StepSource::im2col(uint8_t f3) {
  const isa::Im2colTarget t{local(2048, 512), 1 + below32(24), 1 + below32(2)};
  const isa::Im2colSource s{local(4096, 32), below32(6), below32(3)};
  return command(Opcode::kIm2col, f3, t.pack(), s.pack());
}

Step StepSource::cube(uint8_t type) {
  isa::CubeShape shape;
  shape.addr = local(4096, 1024);
  shape.m = 1 + below32(24);
  shape.n = 1 + below32(24);
  shape.k = 1 + below32(32);
  isa::CubeB b;
  b.addr = local(2048, 512);
  b.bias = local(512, 4);
  b.mode = static_cast<isa::CubeMode>(below(3));
  return command(Opcode::kMmad, type, shape.pack(), local(2048, 512), b.pack());
}

void StepSource::fixConfig(Draw &draw, bool integers) {
  constexpr ElementType kOut[] = {ElementType::I8,  ElementType::U8,
                                  ElementType::I16, ElementType::F16,
                                  ElementType::F32, ElementType::BF16};
  const bool raw = integers && oneIn(3);
  const bool perChannel = !raw && oneIn(3);
  isa::FixConfig0 output;
  output.type = raw ? ElementType::I32 : kOut[below(6)];
  output.activation = static_cast<isa::Activation>(raw ? 0 : below(5));
  output.l0cM1 = 2 + below32(2);
  isa::FixConfig1 factor;
  factor.scale = raw || perChannel || oneIn(2) ? 0 : 0x3f00'0000;
  if (output.activation == isa::Activation::kLeaky ||
      output.activation == isa::Activation::kClip) {
    factor.parameter = 0x3e00'0000;
  }
  isa::FixConfig2 channels;
  channels.scales = local(512, 4);
  channels.perChannel = perChannel;
  channels.zeroPoint = below32(256);
  if (output.activation == isa::Activation::kPrelu) {
    channels.slopes = local(512, 4);
  }
  draw.push_back(kcfg(Pipe::FIX, 0, output.pack()));
  draw.push_back(kcfg(Pipe::FIX, 1, factor.pack()));
  draw.push_back(kcfg(Pipe::FIX, 2, channels.pack()));
}

Step StepSource::fix(Opcode op, uint8_t f3) {
  const isa::AccumulatorTile tile{local(4096, 1024), 1 + below32(24),
                                  1 + below32(24)};
  // Blocked, or rows that may lie apart or interleave.
  const isa::FixStrides strides{32 * (1 + below32(40)), 32 * (1 + below32(8))};
  const uint64_t dst = op == Opcode::kFixGm   ? gmAddress(4)
                       : op == Opcode::kFixUb ? local(4096, 4)
                                              : local(8192, 4);
  return command(op, f3, dst, tile.pack(), strides.pack());
}

Step StepSource::configuration() {
  Draw all;
  all.push_back(kcfg(Pipe::MTE2, 0, below(uint64_t{1} << 32)));
  fixConfig(all, oneIn(2));
  im2colConfig(all, ElementType::F16);
  return all[below(all.size())];
}

Step StepSource::windowCopy() {
  const uint32_t bytes = 1u << below(4);
  Step s;
  s.kind = Step::Kind::kWindowCopy;
  const uint32_t base = focus_.value_or(0);
  const uint32_t window = focus_ ? 32 : 4096;
  s.operand[0] = base + local(window, bytes);
  s.operand[1] = base + local(window, bytes);
  s.operand[2] = bytes;
  return s;
}

} // namespace kiln::test
