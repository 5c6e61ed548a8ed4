// SPDX-License-Identifier: Apache-2.0
//
// Illegal encodings and texts: each refusal names the field.
#include "isa/codec/instruction.h"
#include "isa/gen/operands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::isa {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

void expectRefused(uint32_t word, const char *field) {
  const Result<Instruction> i = decode(word);
  ASSERT_FALSE(i) << std::hex << word;
  EXPECT_EQ(i.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(i.status().message(), StartsWith(field));
  EXPECT_FALSE(decodeFast(word)) << std::hex << word;
}

constexpr uint32_t word(unsigned rs3, unsigned f2, unsigned rs2, unsigned rs1,
                        unsigned f3, unsigned sub, unsigned op) {
  return rs3 << 27 | f2 << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | sub << 7 |
         op;
}

TEST(Decode, RefusesWordsThatAreNotNpuWords) {
  expectRefused(0x0000'0013, "op"); // addi x0, x0, 0
  expectRefused(0, "op");
}

TEST(Decode, RefusesUnknownSubAndF2) {
  expectRefused(word(0, 0, 0, 0, 0, 5, 0x2b), "sub");
  expectRefused(word(0, 3, 0, 0, 0, 0, 0x2b), "sub");
  expectRefused(word(0, 1, 0, 0, 0, 0, 0x5b), "sub");
  expectRefused(word(0, 0, 0, 10, 0, 3, 0x0b), "sub"); // kcfg of pipe M
  expectRefused(word(0, 1, 0, 10, 0, 7, 0x0b), "sub"); // kset of pipe 7
}

TEST(Decode, RefusesAnF3TheInstructionDoesNotAllow) {
  expectRefused(word(12, 0, 11, 10, 1, 0, 0x2b), "f3"); // ld.ub
  expectRefused(word(12, 0, 11, 10, 4, 0, 0x5b), "f3"); // mmad of i32
  expectRefused(word(12, 2, 11, 10, 5, 0, 0x2b), "f3"); // fix.gm of f16
  expectRefused(word(12, 0, 11, 10, 0, 3, 0x7b), "f3"); // vdiv of i8
  expectRefused(word(0, 1, 11, 10, 4, 0, 0x2b), "f3");  // cp.l0a
  expectRefused(word(0, 2, 11, 10, 1, 7, 0x7b), "f3");  // vln of u8
  expectRefused(word(0, 0, 0, 10, 1, 1, 0x0b), "f3");   // kcfg MTE2[1]
  expectRefused(word(0, 0, 0, 10, 3, 4, 0x0b), "f3");   // kcfg FIX[3]
}

TEST(Decode, RefusesAFlagOfAPipeToItself) {
  expectRefused(word(0, 1, 0, 10, 5, 5, 0x0b), "f3");
  expectRefused(word(0, 2, 0, 10, 0, 0, 0x0b), "f3");
}

TEST(Decode, RefusesUnusedRegistersThatAreNotX0) {
  expectRefused(word(1, 1, 11, 10, 0, 0, 0x2b), "rs3"); // cp.l0a
  expectRefused(word(0, 1, 1, 10, 0, 5, 0x0b), "rs2");  // kset
  expectRefused(word(0, 3, 0, 1, 0, 0, 0x0b), "rs1");   // kbar
  expectRefused(word(9, 2, 11, 10, 7, 1, 0x7b), "rs3"); // vexp
}

TEST(Encode, RefusesWhatItCannotEncode) {
  EXPECT_THAT(encode({Opcode::kMmad, 0, 4, 1, 2, 3}).status().message(),
              StartsWith("f3"));
  EXPECT_THAT(encode({Opcode::kKset, 9, 1, 1}).status().message(),
              StartsWith("sub"));
  EXPECT_THAT(encode({Opcode::kKset, 1, 1, 1}).status().message(),
              StartsWith("f3"));
  EXPECT_THAT(encode({Opcode::kKbar, 0, 0, 0, 4}).status().message(),
              StartsWith("rs2"));
  EXPECT_FALSE(encode({Opcode::kMmad, 0, 5, 32, 2, 3}));
  EXPECT_FALSE(encode({Opcode::kMmad, 0, 8, 1, 2, 3}));
  EXPECT_FALSE(encode({static_cast<Opcode>(200)}));
}

TEST(Text, AcceptsSpacingAndRegisterNumbers) {
  const Instruction i{Opcode::kVadd, 0, 5, 10, 11, 12};
  EXPECT_EQ(*parseText("  vadd.f16\ta0 ,x11,  a2 "), i);
  EXPECT_EQ(parseText("st.ub a0, a1, a2")->op, Opcode::kStUb);
  EXPECT_EQ(parseText("kset.mte2.v fp")->rs1, 8);
}

TEST(Text, KnowsMnemonics) {
  EXPECT_TRUE(isMnemonic("kset.v.mte3"));
  EXPECT_TRUE(isMnemonic("st.ub"));
  EXPECT_FALSE(isMnemonic("vadd"));
  EXPECT_FALSE(isMnemonic("add"));
  EXPECT_FALSE(isMnemonic(""));
}

TEST(Text, NamesTheMistake) {
  EXPECT_THAT(parseText("vfoo.f16 a0").status().message(),
              HasSubstr("'vfoo.f16'"));
  EXPECT_THAT(parseText("vadd a0, a1, a2").status().message(),
              HasSubstr("'vadd'"));
  EXPECT_THAT(parseText("vadd.f16 a0, a1").status().message(),
              HasSubstr("3 register operands, not 2"));
  EXPECT_THAT(parseText("vadd.f16 a0, a1,").status().message(),
              HasSubstr("operand 3"));
  EXPECT_THAT(parseText("vadd.f16 a0, q1, a2").status().message(),
              HasSubstr("operand 2 (src0) is 'q1'"));
  EXPECT_THAT(parseText("vadd.f16 a0, x32, a2").status().message(),
              HasSubstr("'x32'"));
  EXPECT_THAT(parseText("kbar a0").status().message(), HasSubstr("0 register"));
  EXPECT_FALSE(parseText(""));
}

TEST(Text, AnIllegalWordSaysWhy) {
  EXPECT_THAT(disassembleWord(0x0000'0013),
              StartsWith(".word 0x00000013 # op:"));
}

TEST(Command, GoesToThePipeTheInstructionNames) {
  const auto pipe = [](const Instruction &i) {
    return makeCommand(i, 0, 1, 2, 3, 4).pipe;
  };
  EXPECT_EQ(pipe({Opcode::kKset, 5, 6, 1}), Pipe::V);
  EXPECT_EQ(pipe({Opcode::kKwait, 5, 6, 1}), Pipe::MTE3);
  EXPECT_EQ(pipe({Opcode::kKwait, 5, 0, 1}), Pipe::S);
  EXPECT_EQ(pipe({Opcode::kKcfg, 4, 2, 1}), Pipe::FIX);
  EXPECT_EQ(pipe({Opcode::kStL1, 0, 0, 1, 2, 3}), Pipe::MTE3);
  EXPECT_EQ(pipe({Opcode::kKend}), Pipe::S);
  const Command c =
      makeCommand({Opcode::kMmad, 0, 7, 1, 2, 3}, 0xabc, 11, 22, 33, 44);
  EXPECT_EQ(c.f3, 7);
  EXPECT_EQ(c.word, 0xabcu);
  EXPECT_EQ(c.rs1, 11u);
  EXPECT_EQ(c.rs2, 22u);
  EXPECT_EQ(c.rs3, 33u);
  EXPECT_EQ(c.pc, 44u);
}

TEST(Command, FindsBitsOutsideTheFields) {
  Command c = makeCommand(
      {Opcode::kVadd, 0, 5, 1, 2, 3}, 0, LocalView{0x40, 2, 1, 8}.pack(),
      LocalView{0x80, 2, 1, 16}.pack(), LocalView{0xc0, 2, 1, 0}.pack(), 0);
  EXPECT_TRUE(operandBitsAreUsed(c));
  EXPECT_EQ(describeOperands(c),
            "dst{addr=0x40 row_stride=2 blk_stride=1 count=8} "
            "src0{addr=0x80 row_stride=2 blk_stride=1 count=16} "
            "src1{addr=0xc0 row_stride=2 blk_stride=1 count=0}");
  c.rs3 |= uint64_t{1} << 48; // src1 has no count
  EXPECT_FALSE(operandBitsAreUsed(c));
  EXPECT_THAT(describeOperands(c), HasSubstr("!bits=0x1000000000000"));
}

TEST(Operands, PackAndUnpackEveryField) {
  const StoreGeometry g{
      .rowBytes = 0xfffff, .mode = StoreMode::kMin, .gmStride = 0x1234'5678};
  EXPECT_EQ(g.pack(), 0x1234'5678'003f'ffffu);
  EXPECT_EQ(StoreGeometry::unpack(g.pack()), g);
  const CubeB b{.addr = 0x200, .bias = 0x40, .mode = CubeMode::kBias};
  EXPECT_EQ(b.pack(), 2ull << 40 | 0x40ull << 24 | 0x200u);
  const CubeShape s{.addr = 0x400, .m = 0xfff, .n = 0xabc, .k = 0x1234};
  EXPECT_EQ(s.pack(), 0x1234'abc'fff'000400u);
  EXPECT_EQ(CubeShape::unpack(s.pack()), s);
}

TEST(Operands, ConfigurationWordsSitWhereTheManualSays) {
  EXPECT_EQ(
      (Mte1Config0{.h = 1, .w = 2, .padTop = 3, .padLeft = 4, .ow = 5}).pack(),
      0x0005'04'03'0002'0001u);
  EXPECT_EQ((Mte1Config1{.kh = 1,
                         .kw = 2,
                         .sh = 3,
                         .sw = 4,
                         .dh = 5,
                         .dw = 6,
                         .cValidLast = 7})
                .pack(),
            0x00'07'06'05'04'03'02'01u);
  EXPECT_EQ((Mte1Config2{.c1Stride = 1, .c1 = 2, .pad = 3}).pack(),
            0x0003'00'0002'000001u);
  EXPECT_EQ(
      (Mte1Config3{.imageStride = 1, .images = 2, .c04 = 1, .oh = 3}).pack(),
      1u | 2ull << 24 | 1ull << 40 | 3ull << 41);
  EXPECT_EQ((FixConfig0{.type = ElementType::F16,
                        .activation = Activation::kRelu,
                        .l0cM1 = 3})
                .pack(),
            5u | 1u << 3 | 3u << 6);
  EXPECT_EQ(
      (FixConfig2{.scales = 1, .perChannel = 1, .zeroPoint = 0x80}).pack(),
      1u | 1u << 16 | 0x80u << 24);
}

TEST(Operands, NameTheFieldOutOfRange) {
  EXPECT_EQ((LoadGeometry{.rowBytes = 1 << 20}).outOfRange(), "row_bytes");
  EXPECT_EQ((LoadGeometry{.rowBytes = (1 << 20) - 1}).outOfRange(), "");
  EXPECT_EQ((CubeShape{.k = 1 << 16}).outOfRange(), "k");
  EXPECT_EQ((FlagId{.id = 8}).outOfRange(), "id");
  EXPECT_EQ((CastMode{.rounding = static_cast<RoundingMode>(7)}).outOfRange(),
            "rounding");
}

TEST(Operands, FieldsOfALayoutCoverWhatPackWrites) {
  for (unsigned op = 0; op < kNumOpcodes; ++op) {
    for (const OperandInfo &o : info(static_cast<Opcode>(op)).operand) {
      uint64_t bits = 0;
      for (const FieldInfo &f : fields(o.layout)) {
        const unsigned width = f.hi - f.lo + 1u;
        bits |= (width == 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1)
                << f.lo;
      }
      EXPECT_EQ(o.usedBits & ~bits, 0u) << mnemonic(static_cast<Opcode>(op));
    }
  }
}

TEST(Operands, ConfigLayoutsExistForLegalIndicesOnly) {
  EXPECT_EQ(configLayout(Pipe::MTE1, 3), Layout::kMte1Config3);
  EXPECT_EQ(configLayout(Pipe::FIX, 3), Layout::kNone);
  EXPECT_EQ(configLayout(Pipe::V, 0), Layout::kNone);
}

} // namespace
} // namespace kiln::isa
