// SPDX-License-Identifier: Apache-2.0
//
// Every operand check raises its fault, says what it found, and nothing is
// written; and the no-ops do nothing.
#include "test_core.h"

#include <gmock/gmock.h>

namespace kiln::isa {
namespace {

using namespace testing;
using ::testing::HasSubstr;

constexpr auto kF16 = ElementType::F16;

struct FaultCase {
  const char *what;
  FaultKind kind;
  const char *message; // a part of it: the culprit
  Command command;
  PipeConfig config = {};
};

PipeConfig fixConfig(ElementType type, bool relu = false, uint32_t scale = 0,
                     uint64_t word2 = 0, uint32_t m1 = 1) {
  PipeConfig c;
  c.fix[0] =
      FixConfig0{.type = type,
                 .activation = relu ? Activation::kRelu : Activation::kNone,
                 .l0cM1 = m1}
          .pack();
  c.fix[1] = scale;
  c.fix[2] = word2;
  return c;
}

PipeConfig im2colConfig(Mte1Config0 w0, Mte1Config1 w1, Mte1Config2 w2,
                        Mte1Config3 w3 = {}) {
  PipeConfig c;
  c.mte1[0] = w0.pack();
  c.mte1[1] = w1.pack();
  c.mte1[2] = w2.pack();
  c.mte1[3] = w3.pack();
  return c;
}
constexpr Mte1Config0 kImage{.h = 4, .w = 4, .ow = 4};
constexpr Mte1Config1 kKernel{
    .kh = 1, .kw = 1, .sh = 1, .sw = 1, .dh = 1, .dw = 1, .cValidLast = 16};
constexpr Mte1Config2 kChannels{.c1 = 1};

Command im2col(ElementType type = kF16, uint32_t mCount = 16,
               uint32_t k1Count = 1, uint32_t k1Start = 0) {
  return command(Opcode::kIm2col, type,
                 Im2colTarget{.mCount = mCount, .k1Count = k1Count}.pack(),
                 Im2colSource{.k1Start = k1Start}.pack());
}

Command load(uint64_t dst, uint64_t src, uint32_t rowBytes,
             uint32_t stride = 64) {
  return command(Opcode::kLdUb, dst, src,
                 LoadGeometry{.rowBytes = rowBytes, .gmStride = stride}.pack());
}
Command mmad(uint32_t c, uint64_t a, CubeB b, unsigned f3 = 5) {
  return command(Opcode::kMmad,
                 CubeShape{.addr = c, .m = 16, .n = 16, .k = 16}.pack(), a,
                 b.pack(), f3);
}
Command fix(Opcode op, uint64_t dst, FixStrides strides, unsigned f3 = 7,
            uint32_t m = 16, uint32_t n = 16) {
  return command(op, dst, AccumulatorTile{.m = m, .n = n}.pack(),
                 strides.pack(), f3);
}
Command vadd(uint64_t dst, uint64_t a, uint64_t b, ElementType t = kF16) {
  return command(Opcode::kVadd, t, dst, a, b);
}

std::vector<FaultCase> cases() {
  using enum FaultKind;
  const uint64_t d = view(0, 4, 1, 2), a = view(0x400, 4, 1, 40),
                 b = view(0x800, 4, 1);
  const FixStrides nd{.c1Stride = 32, .mPitch = 32};
  return {
      // The instruction table.
      {"type", kIllegalInstruction, "f3 is 4", mmad(0, 0, {}, 4)},
      {"float only", kIllegalInstruction, "f3 is 2",
       command(Opcode::kVdiv, ElementType::I16, d, a, b)},
      {"quotient of i8", kIllegalInstruction, "f3 is 0",
       command(Opcode::kVdiv, ElementType::I8, d, a, b)},
      {"type of im2col", kIllegalInstruction, "f3 is 2",
       im2col(ElementType::I16)},
      {"accumulator", kIllegalInstruction, "f3 is 5",
       fix(Opcode::kFixUb, 0, nd, 5)},
      {"unused bits of GM address", kIllegalInstruction, "src",
       load(view(0, 1, 1, 1), 1ull << 50, 32)},
      {"unused bits of a length", kIllegalInstruction, "geometry",
       command(Opcode::kLdUb, view(0, 1, 1, 1), kGmBase, 1ull << 25)},
      {"count of src1", kIllegalInstruction, "src1",
       vadd(d, a, view(0x800, 4, 1, 40))},
      {"blk_stride of ld.nz", kIllegalInstruction, "dst",
       command(Opcode::kLdNz, view(0, 16, 1, 2), kGmBase,
               LoadGeometry{.rowBytes = 64, .gmStride = 64}.pack())},
      {"row_stride of vsum.r", kIllegalInstruction, "dst",
       command(Opcode::kVsumR, kF16, view(0, 1, 1, 2), a)},
      {"address of vdup's shape", kIllegalInstruction, "shape",
       command(Opcode::kVdup, kF16, d, a, 0)},
      // Alignment.
      {"V address", kMisaligned, "0x410", vadd(d, view(0x410, 4, 1, 40), b)},
      {"L0A address", kMisaligned, "0x100", mmad(0, 0x100, {})},
      {"L0C address", kMisaligned, "0x200", mmad(0x200, 0, {})},
      {"bias offset", kMisaligned, "0x6",
       mmad(0, 0, {.bias = 6, .mode = CubeMode::kBias})},
      {"row statistic", kMisaligned, "0x1",
       command(Opcode::kVsumL, kF16, view(1, 1, 0, 2), a)},
      {"broadcast element", kMisaligned, "0x402",
       command(Opcode::kVbc, ElementType::F32, d, view(0x402, 1, 0, 8))},
      {"fix address", kMisaligned, "dst 0x1", fix(Opcode::kFixUb, 1, nd),
       fixConfig(kF16)},
      {"fix pitch", kMisaligned, "m_pitch 33",
       fix(Opcode::kFixGm, kGmBase, {.c1Stride = 32, .mPitch = 33}),
       fixConfig(kF16)},
      {"offset of scales", kMisaligned, "0x2", fix(Opcode::kFixUb, 0, nd),
       fixConfig(kF16, false, 0,
                 FixConfig2{.scales = 2, .perChannel = 1}.pack())},
      // Operand rules.
      {"mode", kIllegalOperand, "mode is 3",
       mmad(0, 0, {.mode = static_cast<CubeMode>(3)})},
      {"blk_stride 0", kIllegalOperand, "blk_stride is 0",
       vadd(view(0, 4, 0, 2), a, b)},
      {"blk_stride 0 of a load", kIllegalOperand, "blk_stride is 0",
       load(view(0, 4, 0, 1), kGmBase, 33)},
      {"scalar", kIllegalOperand, "0x10000",
       command(Opcode::kVadds, kF16, d, a, 0x10000)},
      {"rounding", kIllegalOperand, "rounding is 7",
       command(Opcode::kVcast, kF16, d, a, 7ull << 4)},
      {"channels", kIllegalOperand, "17 channels",
       command(Opcode::kVtrIn, kF16, view(0x2000, 0, 1, 17), a)},
      {"i32 from f32", kIllegalOperand, "i32", fix(Opcode::kFixUb, 0, nd),
       fixConfig(ElementType::I32)},
      {"i32 with relu", kIllegalOperand, "activation 1",
       fix(Opcode::kFixUb, 0, nd, 4), fixConfig(ElementType::I32, true)},
      {"two scales", kIllegalOperand, "FIX[1]", fix(Opcode::kFixUb, 0, nd),
       fixConfig(kF16, false, 0x3f800000, FixConfig2{.perChannel = 1}.pack())},
      {"cells of the tile", kIllegalOperand, "l0c_m1 is 1",
       fix(Opcode::kFixUb, 0, nd, 7, 17, 17), fixConfig(kF16)},
      {"no stride", kIllegalOperand, "sh 0", im2col(),
       im2colConfig(
           kImage,
           {.kh = 1, .kw = 1, .sw = 1, .dh = 1, .dw = 1, .cValidLast = 1},
           kChannels)},
      {"channels of im2col", kIllegalOperand, "c_valid_last is 17", im2col(),
       im2colConfig(kImage,
                    {.kh = 1,
                     .kw = 1,
                     .sh = 1,
                     .sw = 1,
                     .dh = 1,
                     .dw = 1,
                     .cValidLast = 17},
                    kChannels)},
      {"k blocks", kIllegalOperand, "k blocks 0 to 1", im2col(kF16, 16, 2),
       im2colConfig(kImage, kKernel, kChannels)},
      {"images without height", kIllegalOperand, "oh is 0", im2col(),
       im2colConfig(kImage, kKernel, kChannels, {.images = 2})},
      {"pad of f32", kIllegalOperand, "pad is 0x1", im2col(ElementType::F32),
       im2colConfig(kImage,
                    {.kh = 1,
                     .kw = 1,
                     .sh = 1,
                     .sw = 1,
                     .dh = 1,
                     .dw = 1,
                     .cValidLast = 8},
                    {.c1 = 1, .pad = 1})},
      // Overlap.
      {"dst rows", kOverlap, "row_stride 0", vadd(view(0, 0, 1, 2), a, b)},
      {"dst blocks of two rows", kOverlap, "row_stride 2",
       vadd(view(0, 2, 1, 2), a, b)},
      {"rows of a load", kOverlap, "row_stride 1",
       load(view(0, 1, 1, 2), kGmBase, 33)},
      {"columns of ld.nz", kOverlap, "row_stride 1 and blk_stride 4",
       command(Opcode::kLdNz, view(0, 4, 0, 5), kGmBase,
               LoadGeometry{.rowBytes = 64, .gmStride = 64}.pack())},
      {"shifted source", kOverlap, "src0",
       vadd(view(0x400, 4, 1, 2), view(0x420, 4, 1, 40), b)},
      {"second source", kOverlap, "src1",
       vadd(view(0x800, 4, 1, 2), a, view(0x820, 4, 1))},
      {"other stride", kOverlap, "src0",
       vadd(view(0x400, 4, 1, 2), view(0x400, 5, 1, 40), b)},
      {"broadcast of dst", kOverlap, "src1",
       vadd(view(0x800, 4, 1, 2), a, view(0x800, 0, 1))},
      {"cast to another size", kOverlap, "src0",
       command(Opcode::kVcast, ElementType::F32, view(0x400, 8, 1, 2),
               view(0x400, 8, 1, 16), CastMode{.type = kF16}.pack())},
      {"reduction into its source", kOverlap, "src0",
       command(Opcode::kVsumL, kF16, view(0x400, 1, 0, 2), a)},
      {"atomic address", kMisaligned, "multiples of 4",
       command(Opcode::kStUb, ElementType::F32, kGmBase + 2, a,
               StoreGeometry{.rowBytes = 8, .mode = StoreMode::kAdd}.pack())},
      {"atomic row", kMisaligned, "row_bytes 5",
       command(Opcode::kStUb, ElementType::I16, kGmBase, a,
               StoreGeometry{.rowBytes = 5, .mode = StoreMode::kMin}.pack())},
      {"odd fractals", kIllegalOperand, "outer must be even",
       command(Opcode::kCpL0a, FractalTarget{.outer = 3, .inner = 2}.pack(),
               FractalSource{.outerStride = 1, .innerStride = 1}.pack(), 0, 2)},
      // Bounds.
      {"UB", kLocalBounds, "capacity is 0x10000",
       vadd(d, view(0xffe0, 0, 1, 17), view(0x2000, 4, 1))},
      {"L1", kLocalBounds, "writes L1",
       command(Opcode::kLdL1, view(0xffe0, 1, 1, 2), kGmBase,
               LoadGeometry{.rowBytes = 32, .gmStride = 32}.pack())},
      {"L0A", kLocalBounds, "reads L0A", mmad(0, 0x8000, {})},
      {"L0C", kLocalBounds, "writes L0C", mmad(0x10000, 0, {})},
      {"BT", kLocalBounds, "reads BT",
       mmad(0, 0, {.bias = 4092, .mode = CubeMode::kBias})},
      {"GM read", kGmBounds, "reads GM",
       load(view(0, 1, 1, 1), kGmBase + kGmBytes - 31, 32)},
      {"GM below", kGmBounds, "reads GM", load(view(0, 1, 1, 1), 0, 32)},
      {"one GM row", kGmBounds, "2 rows",
       load(view(0, 1, 1, 2), kGmBase, 32, kGmBytes)},
      {"GM write", kGmBounds, "writes GM",
       fix(Opcode::kFixGm, kGmBase + kGmBytes - 480, nd), fixConfig(kF16)},
      {"not data", kIllegalInstruction, "kbar", command(Opcode::kKbar, 0)},
  };
}

TEST(Faults, EveryCheckNamesItsCulpritAndWritesNothing) {
  for (const FaultCase &c : cases()) {
    SCOPED_TRACE(c.what);
    TestCore core;
    core.fillRandom(1);
    TestCore before = core;
    core.config = c.config;
    const std::optional<Fault> fault = core.run(c.command);
    ASSERT_TRUE(fault.has_value());
    EXPECT_EQ(name(c.kind), name(fault->kind)) << fault->message;
    EXPECT_THAT(fault->message, HasSubstr(c.message));
    for (unsigned s = 0; s < kNumSpaces; ++s) {
      EXPECT_EQ(before[static_cast<Space>(s)], core[static_cast<Space>(s)]);
    }
  }
}

TEST(Faults, CountZeroIsANoOp) {
  const Command noOps[] = {
      load(view(0, 1, 1, 0), 0, 32),
      load(view(0, 1, 1, 4), 0, 0),
      vadd(view(0, 0, 1, 0), view(0, 1, 1, 5), view(0, 1, 1)),
      vadd(view(0, 0, 1, 3), view(32, 1, 1, 0), view(0, 1, 1)),
      command(Opcode::kMmad, CubeShape{.m = 0, .n = 4, .k = 4}.pack(), 0, 0, 5),
      command(Opcode::kMmad, CubeShape{.m = 4, .n = 4, .k = 0}.pack(), 0, 0, 5),
      fix(Opcode::kFixGm, 0, {}, 7, 0, 4),
      command(Opcode::kStUb, kF16, 0, view(0, 1, 1, 0), 4),
      command(Opcode::kStL1, view(0, 1, 1, 3), view(0, 1, 1), 0),
      command(Opcode::kCpBt, 0, 0, 0),
      command(Opcode::kCpL0a, FractalTarget{.outer = 0, .inner = 3}.pack(), 0),
      im2col(kF16, 0, 1),
  };
  for (const Command &c : noOps) {
    TestCore core;
    core.fillRandom(2);
    TestCore before = core;
    core.config = fixConfig(kF16);
    core.runOk(c);
    for (unsigned s = 0; s < kNumSpaces; ++s) {
      EXPECT_EQ(before[static_cast<Space>(s)], core[static_cast<Space>(s)])
          << mnemonic(c.op);
    }
  }
}

TEST(Overlap, ExactAndInterleavedViewsAreLegal) {
  const Command legal[] = {
      vadd(view(0x400, 4, 1, 2), view(0x400, 4, 1, 40), view(0x800, 4, 1)),
      // one row: the row stride plays no part
      vadd(view(0x400, 9, 1, 1), view(0x400, 4, 1, 40), view(0x400, 0, 1)),
      // even blocks to odd blocks of the same range
      vadd(view(0x420, 16, 2, 3), view(0x400, 16, 2, 60), view(0x1800, 4, 1)),
      // rows between rows
      vadd(view(0x400, 8, 1, 3), view(0x480, 8, 1, 64), view(0x1800, 4, 1)),
      // a statistic in the gap behind each row
      command(Opcode::kVsumL, kF16, view(0x440, 3, 0, 5),
              view(0x400, 3, 1, 32)),
      // dst rows interleaved block by block
      vadd(view(0, 1, 4, 4), view(0x4000, 9, 1, 64), view(0x8000, 9, 1)),
  };
  for (const Command &c : legal) {
    TestCore core;
    core.runOk(c);
  }
}

TEST(Configure, SetsTheWordOfItsPipe) {
  PipeConfig config;
  Command c = command(Opcode::kKcfg, 0xffffffff);
  c.pipe = Pipe::MTE2;
  EXPECT_FALSE(configure(c, config));
  EXPECT_EQ(0xffffffffu, config.mte2[0]);
  c.pipe = Pipe::MTE1;
  c.f3 = 3;
  c.rs1 = Mte1Config3{.imageStride = 9, .images = 2, .oh = 7}.pack();
  EXPECT_FALSE(configure(c, config));
  EXPECT_EQ(c.rs1, config.mte1[3]);
  c.pipe = Pipe::FIX;
  c.f3 = 2;
  c.rs1 = FixConfig2{.scales = 64, .perChannel = 1}.pack();
  EXPECT_FALSE(configure(c, config));
  EXPECT_EQ(c.rs1, config.fix[2]);
}

TEST(Configure, RefusesUnknownWordsAndBadFields) {
  struct Case {
    Pipe pipe;
    uint8_t index;
    uint64_t value;
    FaultKind kind;
  };
  const Case cases[] = {
      {Pipe::V, 0, 0, FaultKind::kIllegalInstruction},
      {Pipe::MTE2, 1, 0, FaultKind::kIllegalInstruction},
      {Pipe::FIX, 3, 0, FaultKind::kIllegalInstruction},
      {Pipe::MTE2, 0, 1ull << 32, FaultKind::kIllegalOperand},
      {Pipe::FIX, 0, 5u << 3, FaultKind::kIllegalOperand},      // activation 5
      {Pipe::MTE1, 1, 33ull << 48, FaultKind::kIllegalOperand}, // channels
      {Pipe::MTE1, 3, 1ull << 60, FaultKind::kIllegalOperand},
  };
  for (const Case &c : cases) {
    PipeConfig config;
    Command cmd = command(Opcode::kKcfg, c.value);
    cmd.pipe = c.pipe;
    cmd.f3 = c.index;
    const std::optional<Fault> fault = configure(cmd, config);
    ASSERT_TRUE(fault.has_value());
    EXPECT_EQ(name(c.kind), name(fault->kind)) << fault->message;
    EXPECT_EQ(PipeConfig{}, config);
  }
}

} // namespace
} // namespace kiln::isa
