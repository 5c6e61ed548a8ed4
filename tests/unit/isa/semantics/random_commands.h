// SPDX-License-Identifier: Apache-2.0
//
// Random legal commands of every data instruction, small enough for TestCore.
#pragma once

#include "test_core.h"

#include "isa/gen/vector_meanings.h"

namespace kiln::isa::testing {

struct RandomCommand {
  Command command;
  PipeConfig config;
};

/// Not every draw is legal (views may meet); execute() says.
class CommandGenerator {
public:
  explicit CommandGenerator(uint32_t seed) : random_(seed) {}

  RandomCommand draw(Opcode op) {
    RandomCommand out;
    const uint32_t f3 = drawF3(op);
    switch (info(op).pipe) {
    case Pipe::MTE2:
      drawLoad(out, op);
      break;
    case Pipe::MTE3:
      drawStore(out, op, f3);
      break;
    case Pipe::MTE1:
      op == Opcode::kIm2col ? drawIm2col(out, f3) : drawCopy(out, op, f3);
      break;
    case Pipe::M:
      drawMmad(out, f3);
      break;
    case Pipe::FIX:
      drawFix(out, op, f3);
      break;
    default:
      drawVector(out, op, f3);
    }
    return out;
  }

  uint32_t below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }

private:
  uint32_t drawF3(Opcode op) {
    uint32_t f3;
    do {
      f3 = below(8);
    } while (((info(op).f3Mask >> f3) & 1) == 0);
    return f3;
  }

  void drawLoad(RandomCommand &out, Opcode op) {
    out.config.mte2[0] = static_cast<uint32_t>(random_());
    out.command =
        command(op,
                view(32 * below(64), 16 + below(8),
                     op == Opcode::kLdNz ? 0 : 1 + below(2), 1 + below(9)),
                kGmBase + below(500),
                LoadGeometry{.rowBytes = 1 + below(250), .gmStride = below(600)}
                    .pack());
  }

  void drawStore(RandomCommand &out, Opcode op, uint32_t f3) {
    if (op == Opcode::kStL1) {
      out.command = command(op, view(32 * below(64), 12, 1, 1 + below(7)),
                            view(32 * below(64), below(9), below(3)),
                            RowBlocks{.blocks = 1 + below(12)}.pack());
      return;
    }
    const uint32_t size = sizeOf(static_cast<ElementType>(f3));
    out.command =
        command(op, kGmBase + size * below(120),
                view(32 * below(64), below(9), below(4), 1 + below(9)),
                StoreGeometry{.rowBytes = size * (1 + below(60)),
                              .mode = static_cast<StoreMode>(below(4)),
                              .gmStride = size * (62 + below(70))}
                    .pack(),
                f3);
  }

  void drawCopy(RandomCommand &out, Opcode op, uint32_t f3) {
    if (op == Opcode::kCpBt) {
      out.command = command(op, 32 * below(16), 32 * below(64), 1 + below(500));
      return;
    }
    out.command =
        command(op,
                FractalTarget{.addr = 512 * below(4),
                              .outer = (f3 > 1 ? 2u : 1u) * (1 + below(3)),
                              .inner = (f3 > 1 ? 2u : 1u) * (1 + below(4))}
                    .pack(),
                FractalSource{.addr = 32 * below(100),
                              .outerStride = below(9),
                              .innerStride = below(3)}
                    .pack(),
                0, f3);
  }

  void drawMmad(RandomCommand &out, uint32_t f3) {
    out.command = command(Opcode::kMmad,
                          CubeShape{.addr = 1024 * below(3),
                                    .m = 1 + below(40),
                                    .n = 1 + below(40),
                                    .k = 1 + below(45)}
                              .pack(),
                          512 * below(3),
                          CubeB{.addr = 512 * below(3),
                                .bias = 4 * below(30),
                                .mode = static_cast<CubeMode>(below(3))}
                              .pack(),
                          f3);
  }

  void drawIm2col(RandomCommand &out, uint32_t f3) {
    const auto type = static_cast<ElementType>(f3);
    const bool c04 = below(4) == 0;
    const uint32_t kh = 1 + below(3), kw = 1 + below(3);
    const uint32_t c1 = c04 ? 1 : 1 + below(2);
    const uint32_t taps = c04 ? c0(type) / 4 : 1;
    const uint32_t total = c1 * kh * ((kw + taps - 1) / taps);
    const uint32_t first = below(total);
    PipeConfig &config = out.config;
    config.mte1[0] = Mte1Config0{.h = 3 + below(6),
                                 .w = 3 + below(6),
                                 .padTop = below(3),
                                 .padLeft = below(3),
                                 .ow = 2 + below(6)}
                         .pack();
    config.mte1[1] = Mte1Config1{.kh = kh,
                                 .kw = kw,
                                 .sh = 1 + below(2),
                                 .sw = 1 + below(2),
                                 .dh = 1 + below(2),
                                 .dw = 1 + below(2),
                                 .cValidLast = 1 + below(c04 ? 4 : c0(type))}
                         .pack();
    config.mte1[2] =
        Mte1Config2{.c1Stride = 80,
                    .c1 = c1,
                    .pad = type == ElementType::F32 ? 0 : below(65536)}
            .pack();
    config.mte1[3] = Mte1Config3{.imageStride = 170,
                                 .images = below(3),
                                 .c04 = c04 ? 1u : 0u,
                                 .oh = 4}
                         .pack();
    out.command = command(Opcode::kIm2col, type,
                          Im2colTarget{.addr = 512 * below(3),
                                       .mCount = 1 + below(40),
                                       .k1Count = 1 + below(total - first)}
                              .pack(),
                          Im2colSource{.addr = 32 * below(9),
                                       .mStart = below(30),
                                       .k1Start = first}
                              .pack());
  }

  void drawFix(RandomCommand &out, Opcode op, uint32_t f3) {
    constexpr ElementType kOut[] = {ElementType::I8,  ElementType::U8,
                                    ElementType::F16, ElementType::BF16,
                                    ElementType::F32, ElementType::I16};
    const bool raw = f3 == 4 && below(3) == 0;
    const ElementType type = raw ? ElementType::I32 : kOut[below(6)];
    const bool perChannel = !raw && below(3) == 0;
    const auto activation =
        raw ? Activation::kNone : static_cast<Activation>(below(5));
    const bool parameter =
        activation == Activation::kLeaky || activation == Activation::kClip;
    const uint32_t m = 1 + below(40), n = 1 + below(50);
    const uint32_t size = sizeOf(type);
    out.config.fix[0] = FixConfig0{.type = type,
                                   .activation = activation,
                                   .l0cM1 = (m + 15) / 16 + below(2)}
                            .pack();
    out.config.fix[1] =
        FixConfig1{.scale =
                       raw || perChannel || below(2) == 0 ? 0u : 0x3f000000u,
                   .parameter = parameter ? 0x3e000000u : 0}
            .pack();
    out.config.fix[2] =
        FixConfig2{.scales = 4 * below(20),
                   .perChannel = perChannel ? 1u : 0u,
                   .zeroPoint = below(256),
                   .slopes =
                       activation == Activation::kPrelu ? 4 * below(30) : 0}
            .pack();
    const bool blocked = below(2) == 0;
    const uint64_t addr = size * below(64);
    out.command =
        command(op, op == Opcode::kFixGm ? kGmBase + addr : addr,
                AccumulatorTile{.addr = 1024 * below(2), .m = m, .n = n}.pack(),
                FixStrides{.c1Stride = blocked ? 32 * (m + below(3)) : 32,
                           .mPitch = blocked ? 32 : size * (n + below(9))}
                    .pack(),
                f3);
  }

  void drawVector(RandomCommand &out, Opcode op, uint32_t f3) {
    const auto type = static_cast<ElementType>(f3);
    const uint32_t size = sizeOf(type);
    const VectorShape shape = meaning(op).shape;
    const bool transpose = shape == VectorShape::kTransposeIn ||
                           shape == VectorShape::kTransposeOut;
    const uint32_t rows = 1 + below(transpose ? c0(type) : 6);
    const uint32_t cols = 1 + below(transpose ? 40 : 90);
    LocalView dst{32 * below(64), 24 + below(4), 1 + below(2), rows};
    LocalView a{0x4000 + 32 * below(64), below(30), below(4), cols};
    const LocalView b{0x8000 + 32 * below(64), below(20), below(3), 0};
    uint64_t rs3 = 0;
    switch (shape) {
    case VectorShape::kSelect:
      rs3 =
          LocalView{b.addr, b.rowStride, b.blkStride, 0x600 + below(32)}.pack();
      break;
    case VectorShape::kBinary:
    case VectorShape::kCompare:
      rs3 = b.pack();
      break;
    case VectorShape::kCast:
      rs3 = CastMode{.type = static_cast<ElementType>(below(8)),
                     .rounding = static_cast<RoundingMode>(below(7))}
                .pack();
      break;
    case VectorShape::kSequence:
      rs3 = Sequence{.start = scalarOf(op, size), .step = 1}.pack();
      break;
    case VectorShape::kGather:
    case VectorShape::kGatherBlocks:
      rs3 = Table{.addr = b.addr, .count = 1 + below(300)}.pack();
      break;
    case VectorShape::kScatter:
    case VectorShape::kSort:
      rs3 = b.pack();
      break;
    case VectorShape::kMerge:
      rs3 = LocalView{b.addr, b.rowStride, b.blkStride, 1 + below(40)}.pack();
      dst.rowStride += 60;
      break;
    case VectorShape::kScalar:
    case VectorShape::kCompareScalar:
    case VectorShape::kFill:
      rs3 = scalarOf(op, size);
      break;
    default:
      break;
    }
    adjustViews(shape, elementSize(op, size), dst, a);
    uint64_t rs1 = dst.pack();
    if (shape == VectorShape::kScatter) {
      rs1 =
          Table{.addr = dst.addr, .count = 1 + below(300), .rows = rows}.pack();
    }
    out.command = command(op, type, rs1, a.pack(), rs3);
  }

  static uint32_t scalarOf(Opcode op, uint32_t size) {
    if (meaning(op).shape == VectorShape::kScalar &&
        (op == Opcode::kVshls || op == Opcode::kVshrs ||
         op == Opcode::kVshrus)) {
      return 3;
    }
    return size == 4 ? 0x40490fdb : 0x4248 & ((1u << 8 * size) - 1);
  }
  static uint32_t elementSize(Opcode op, uint32_t size) {
    return meaning(op).result == VectorResult::kI32 ? 4 : size;
  }

  /// The fields an instruction leaves out, and exact overlap now and then.
  void adjustViews(VectorShape shape, uint32_t size, LocalView &dst,
                   LocalView &a) {
    switch (shape) {
    case VectorShape::kFill:
    case VectorShape::kSequence:
      a = {0, 0, 0, a.count};
      break;
    case VectorShape::kRowReduce:
      dst.blkStride = 0;
      dst.addr += size * below(32 / size);
      break;
    case VectorShape::kColumnReduce:
    case VectorShape::kTransposeIn:
      dst.rowStride = 0;
      break;
    case VectorShape::kSpread:
      a.blkStride = 0;
      a.addr += size * below(32 / size);
      break;
    case VectorShape::kTransposeOut:
      a.rowStride = 0;
      break;
    default:
      if (below(4) == 0) {
        a = {dst.addr, dst.rowStride, dst.blkStride, a.count};
      }
    }
  }

  std::mt19937 random_;
};

} // namespace kiln::isa::testing
