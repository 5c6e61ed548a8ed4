// SPDX-License-Identifier: Apache-2.0
//
// Every encoding of the instruction set, both ways, and every word that is
// none. The expected words are assembled here from the table of the design
// (op, f2, sub per mnemonic), not from the generated one.
#include "isa/codec/instruction.h"

#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>

namespace kiln::isa {
namespace {

struct Row {
  const char *mnemonic;
  unsigned op, f2, sub, registers;
};

// The instruction table of the design, by hand.
constexpr Row kRows[] = {
    {"kbar", 0x0b, 3, 0, 0},
    {"kend", 0x0b, 3, 1, 0},
    {"ktrap", 0x0b, 3, 2, 1},
    {"ld.ub", 0x2b, 0, 0, 3},
    {"ld.l1", 0x2b, 0, 1, 3},
    {"ld.nz", 0x2b, 0, 2, 3},
    {"st.ub", 0x2b, 0, 3, 3},
    {"st.l1", 0x2b, 0, 4, 3},
    {"cp.l0a", 0x2b, 1, 0, 2},
    {"cp.l0b", 0x2b, 1, 1, 2},
    {"im2col", 0x2b, 1, 2, 2},
    {"cp.bt", 0x2b, 1, 3, 3},
    {"fix.gm", 0x2b, 2, 0, 3},
    {"fix.ub", 0x2b, 2, 1, 3},
    {"fix.l1", 0x2b, 2, 2, 3},
    {"mmad", 0x5b, 0, 0, 3},
    {"vadd", 0x7b, 0, 0, 3},
    {"vsub", 0x7b, 0, 1, 3},
    {"vmul", 0x7b, 0, 2, 3},
    {"vdiv", 0x7b, 0, 3, 3},
    {"vmax", 0x7b, 0, 4, 3},
    {"vmin", 0x7b, 0, 5, 3},
    {"vmadd", 0x7b, 0, 6, 3},
    {"vexpd", 0x7b, 0, 7, 3},
    {"vexpd.h", 0x7b, 0, 8, 3},
    {"vexpd.b", 0x7b, 0, 9, 3},
    {"vadds", 0x7b, 1, 0, 3},
    {"vmuls", 0x7b, 1, 1, 3},
    {"vmaxs", 0x7b, 1, 2, 3},
    {"vmins", 0x7b, 1, 3, 3},
    {"vdup", 0x7b, 1, 4, 3},
    {"vmov", 0x7b, 2, 0, 2},
    {"vexp", 0x7b, 2, 1, 2},
    {"vrec", 0x7b, 2, 2, 2},
    {"vcast", 0x7b, 2, 3, 3},
    {"vsqrt", 0x7b, 2, 4, 2},
    {"vtanh", 0x7b, 2, 5, 2},
    {"vsum.l", 0x7b, 3, 0, 2},
    {"vmax.l", 0x7b, 3, 1, 2},
    {"vsum.r", 0x7b, 3, 2, 2},
    {"vmax.r", 0x7b, 3, 3, 2},
    {"vbc", 0x7b, 3, 4, 2},
    {"vtr.in", 0x7b, 3, 5, 2},
    {"vtr.out", 0x7b, 3, 6, 2},
    {"kcfg", 0x0b, 0, 2, 1},
    {"kset", 0x0b, 1, 5, 1},
    {"kwait", 0x0b, 2, 5, 1},
    // Blocks that meet, texts.
    {"kpost", 0x0b, 3, 3, 1},
    {"kpend", 0x0b, 3, 4, 1},
    {"kdbar", 0x0b, 3, 5, 0},
    {"kprint", 0x0b, 3, 6, 3},
    {"kassert", 0x0b, 3, 7, 3},
    // Sequences, indices, sorting.
    {"viota", 0x7b, 1, 5, 3},
    {"vgather", 0x7b, 0, 23, 3},
    {"vscatter", 0x7b, 0, 24, 3},
    {"vgatherb", 0x7b, 0, 27, 3},
    {"vsort32", 0x7b, 0, 25, 3},
    {"vmerge", 0x7b, 0, 26, 3},
    {"vpair.k", 0x7b, 2, 12, 2},
    {"vpair.i", 0x7b, 2, 13, 2},
    // Functions.
    {"vln", 0x7b, 2, 7, 2},
    {"vrsqrt", 0x7b, 2, 8, 2},
    {"verf", 0x7b, 2, 9, 2},
    {"vsin", 0x7b, 2, 10, 2},
    {"vcos", 0x7b, 2, 11, 2},
    // Logic, shifts, comparisons, minima and arg reductions.
    {"vand", 0x7b, 0, 10, 3},
    {"vor", 0x7b, 0, 11, 3},
    {"vxor", 0x7b, 0, 12, 3},
    {"vshl", 0x7b, 0, 13, 3},
    {"vshr", 0x7b, 0, 14, 3},
    {"vshru", 0x7b, 0, 15, 3},
    {"vcmp.eq", 0x7b, 0, 16, 3},
    {"vcmp.ne", 0x7b, 0, 17, 3},
    {"vcmp.lt", 0x7b, 0, 18, 3},
    {"vcmp.le", 0x7b, 0, 19, 3},
    {"vcmp.gt", 0x7b, 0, 20, 3},
    {"vcmp.ge", 0x7b, 0, 21, 3},
    {"vsel", 0x7b, 0, 22, 3},
    {"vmadds", 0x7b, 1, 6, 3},
    {"vands", 0x7b, 1, 10, 3},
    {"vors", 0x7b, 1, 11, 3},
    {"vxors", 0x7b, 1, 12, 3},
    {"vshls", 0x7b, 1, 13, 3},
    {"vshrs", 0x7b, 1, 14, 3},
    {"vshrus", 0x7b, 1, 15, 3},
    {"vcmps.eq", 0x7b, 1, 16, 3},
    {"vcmps.ne", 0x7b, 1, 17, 3},
    {"vcmps.lt", 0x7b, 1, 18, 3},
    {"vcmps.le", 0x7b, 1, 19, 3},
    {"vcmps.gt", 0x7b, 1, 20, 3},
    {"vcmps.ge", 0x7b, 1, 21, 3},
    {"vnot", 0x7b, 2, 6, 2},
    {"vmin.l", 0x7b, 3, 7, 2},
    {"vargmax.l", 0x7b, 3, 8, 2},
    {"vargmin.l", 0x7b, 3, 9, 2},
    {"vmin.r", 0x7b, 3, 10, 2},
    {"vargmax.r", 0x7b, 3, 11, 2},
    {"vargmin.r", 0x7b, 3, 12, 2},
};

/// Calls `visit` with every legal instruction that has registers x10, x11,
/// x12 where it has registers.
template <typename Visit> void forEachInstruction(Visit visit) {
  for (unsigned op = 0; op < kNumOpcodes; ++op) {
    const OpcodeInfo &table = info(static_cast<Opcode>(op));
    for (unsigned sub = 0; sub < 32; ++sub) {
      for (unsigned f3 = 0; f3 < 8; ++f3) {
        Instruction i{static_cast<Opcode>(op), static_cast<uint8_t>(sub),
                      static_cast<uint8_t>(f3)};
        i.rs1 = table.numOperands > 0 ? 10 : 0;
        i.rs2 = table.numOperands > 1 ? 11 : 0;
        i.rs3 = table.numOperands > 2 ? 12 : 0;
        if ((table.subMask >> sub & 1) && encode(i)) {
          visit(i);
        }
      }
    }
  }
}

TEST(Encoding, FollowsTheTableOfTheDesign) {
  std::map<std::string_view, const OpcodeInfo *> byName;
  for (const OpcodeInfo &i : kOpcodeTable) {
    byName[i.mnemonic] = &i;
  }
  ASSERT_EQ(std::size(kRows), kNumOpcodes);
  for (const Row &row : kRows) {
    ASSERT_TRUE(byName.contains(row.mnemonic)) << row.mnemonic;
    const OpcodeInfo &i = *byName[row.mnemonic];
    EXPECT_EQ(i.opcode, row.op) << row.mnemonic;
    EXPECT_EQ(i.f2, row.f2) << row.mnemonic;
    EXPECT_TRUE(i.subMask >> row.sub & 1) << row.mnemonic;
    EXPECT_EQ(i.numOperands, row.registers) << row.mnemonic;
  }
}

TEST(Encoding, PutsEveryFieldWhereTheFormatSays) {
  const Instruction i{Opcode::kStUb, 0, 7, 1, 2, 31};
  const Result<uint32_t> word = encode(i);
  ASSERT_TRUE(word) << word.status().message();
  EXPECT_EQ(*word, 31u << 27 | 0u << 25 | 2u << 20 | 1u << 15 | 7u << 12 |
                       3u << 7 | 0x2bu);
}

TEST(Encoding, EveryInstructionDecodesToItself) {
  unsigned count = 0;
  std::set<uint32_t> words;
  forEachInstruction([&](const Instruction &i) {
    const Result<uint32_t> word = encode(i);
    const Result<Instruction> back = decode(*word);
    ASSERT_TRUE(back) << back.status().message();
    EXPECT_EQ(*back, i);
    EXPECT_EQ(decodeFast(*word), i);
    EXPECT_TRUE(isNpuWord(*word));
    EXPECT_TRUE(words.insert(*word).second) << "two instructions, one word";
    ++count;
  });
  // Control 8 + 42 + 42 + 3, moves 3 + 8 + 1 + 2*2 + 5 + 1 + 3*2, mmad 7,
  // vector 5*8 + 5*3, 5*8, 8 + 3 + 3 + 8 + 3 + 3, 2*(4 + 8) + 3*8: 301. Then
  // vmadd and sums of integers 5 + 2*4, logic and shifts 2*(3*8 + 3*5),
  // vmadds, vnot and vsel 3*8, comparisons 2*6*8, minima and args 6*8,
  // functions 5*3, indices and sorting 6*8 + 1, transposes 2*2, kpost 2,
  // kpend, kdbar, kprint and kassert 1 each, gathered blocks 8.
  EXPECT_EQ(count, 301u + 13 + 78 + 24 + 96 + 48 + 15 + 49 + 4 + 6 + 8);
}

TEST(Encoding, EveryRegisterNumberSurvives) {
  for (unsigned r = 0; r < 32; ++r) {
    const uint8_t a = static_cast<uint8_t>(r);
    const uint8_t b = static_cast<uint8_t>((r * 7 + 3) & 31);
    const uint8_t c = static_cast<uint8_t>((r * 11 + 5) & 31);
    const Instruction i{Opcode::kMmad, 0, 5, a, b, c};
    const Result<uint32_t> word = encode(i);
    ASSERT_TRUE(word);
    EXPECT_EQ(*decode(*word), i);
  }
}

TEST(Encoding, EveryInstructionSurvivesAssemblyText) {
  forEachInstruction([](const Instruction &i) {
    const std::string text = toText(i);
    const Result<Instruction> back = parseText(text);
    ASSERT_TRUE(back) << text << ": " << back.status().message();
    EXPECT_EQ(*encode(*back), *encode(i)) << text;
    EXPECT_EQ(disassembleWord(*encode(i)), text);
  });
}

TEST(Encoding, TextIsWhatTheManualShows) {
  EXPECT_EQ(toText({Opcode::kLdUb, 0, 0, 10, 11, 12}), "ld.ub a0, a1, a2");
  EXPECT_EQ(toText({Opcode::kMmad, 0, 5, 10, 11, 12}), "mmad.f16 a0, a1, a2");
  EXPECT_EQ(toText({Opcode::kMmad, 0, 1, 5, 6, 7}), "mmad.u8i8 t0, t1, t2");
  EXPECT_EQ(toText({Opcode::kCpL0a, 0, 1, 10, 11}), "cp.l0a.t a0, a1");
  EXPECT_EQ(toText({Opcode::kKset, 5, 6, 10}), "kset.v.mte3 a0");
  EXPECT_EQ(toText({Opcode::kKcfg, 2, 3, 10}), "kcfg.mte1.3 a0");
  EXPECT_EQ(toText({Opcode::kVexpdH, 0, 7, 1, 2, 3}), "vexpd.h.f32 ra, sp, gp");
  EXPECT_EQ(toText({Opcode::kKbar}), "kbar");
}

/// The field a refusal names, "" for a legal word.
std::string refusedField(uint32_t word) {
  const Result<Instruction> i = decode(word);
  if (i) {
    return "";
  }
  const std::string message(i.status().message());
  return message.substr(0, message.find(':'));
}

/// The named field is the culprit: another value of it is not refused for it.
void expectCulprit(uint32_t word) {
  const std::string field = refusedField(word);
  SCOPED_TRACE(disassembleWord(word));
  if (!isNpuWord(word)) {
    EXPECT_EQ("op", field);
    return;
  }
  if (field == "sub") { // some f2 and sub are free in every opcode
    return;
  }
  const std::map<std::string, std::pair<unsigned, unsigned>> fields = {
      {"f3", {12, 8}}, {"rs1", {15, 1}}, {"rs2", {20, 1}}, {"rs3", {27, 1}}};
  ASSERT_TRUE(fields.contains(field)) << field;
  const auto [shift, values] = fields.at(field);
  const uint32_t mask = (field == "f3" ? 7u : 31u) << shift;
  bool cured = false;
  for (uint32_t v = 0; v < values; ++v) {
    cured |= refusedField((word & ~mask) | v << shift) != field;
  }
  EXPECT_TRUE(cured);
}

// 10^6 refused words.
TEST(Encoding, RefusalsNameTheCulprit) {
  std::mt19937 random(20261123);
  constexpr uint32_t kMajor[4] = {0x0b, 0x2b, 0x5b, 0x7b};
  std::map<std::string, unsigned> seen;
  for (unsigned n = 0; n < 1'000'000 && !HasFailure();) {
    uint32_t word = random();
    if (n % 16 != 0) { // NPU words, many with rs3 or rs2 and rs3 x0
      word = (word & ~0x7fu) | kMajor[random() & 3];
      word &= n % 3 == 0   ? ~0u
              : n % 3 == 1 ? ~(31u << 27)
                           : ~(31u << 27 | 31u << 20);
    }
    if (decodeFast(word)) {
      continue;
    }
    ++n;
    ++seen[refusedField(word)];
    if (n % 8 == 0) {
      expectCulprit(word);
    }
  }
  for (const char *field : {"op", "sub", "f3", "rs1", "rs2", "rs3"}) {
    EXPECT_GT(seen[field], 100u) << field;
  }
  EXPECT_EQ(6u, seen.size());
}

// Fixed count and seed: about a second on the build machine.
TEST(Encoding, RandomWordsDecodeToThemselvesOrAreRefused) {
  std::mt19937 random(20261122);
  constexpr uint32_t kMajor[4] = {0x0b, 0x2b, 0x5b, 0x7b};
  unsigned legal = 0;
  for (unsigned n = 0; n < 30'000'000; ++n) {
    uint32_t word = random();
    if (n % 8 != 0) { // mostly NPU words, half of them with rs3 = x0
      word = (word & ~0x7fu) | kMajor[random() & 3];
      word &= n % 2 ? ~0u : ~(31u << 27);
    }
    const std::optional<Instruction> fast = decodeFast(word);
    if (!fast) {
      continue; // refused: see above
    }
    ++legal;
    const Result<uint32_t> back = encode(*fast);
    ASSERT_TRUE(back) << std::hex << word << back.status().message();
    ASSERT_EQ(*back, word) << std::hex << word;
    if (legal % 64 == 0) {
      EXPECT_EQ(*decode(word), *fast);
      EXPECT_EQ(*encode(*parseText(toText(*fast))), word);
    }
  }
  EXPECT_GT(legal, 1'000'000u) << "the generator hits too few legal words";
}

} // namespace
} // namespace kiln::isa
