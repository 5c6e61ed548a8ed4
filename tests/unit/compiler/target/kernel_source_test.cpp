// SPDX-License-Identifier: Apache-2.0
//
// Assembly kernels there and back: every NPU mnemonic through LLVM's
// assembler gives the codec's word, and the disassembler gives the text.
#include "compiler/target/assembler.h"
#include "compiler/target/disassembler.h"
#include "compiler/target/kernel_source.h"
#include "isa/codec/instruction.h"
#include "isa/gen/tables.h"

#include "llvm/Object/ELFObjectFile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::target {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

/// Every legal instruction with registers that differ.
std::vector<isa::Instruction> allInstructions() {
  std::vector<isa::Instruction> out;
  unsigned n = 0;
  for (const isa::tables::Spelling &s : isa::tables::kSpellings) {
    isa::Instruction i{s.op, s.sub, s.f3};
    uint8_t *registers[3] = {&i.rs1, &i.rs2, &i.rs3};
    for (unsigned r = 0; r < isa::info(s.op).numOperands; ++r) {
      *registers[r] = (n++ * 7 + 1) % 32;
    }
    out.push_back(i);
  }
  return out;
}

TEST(KernelSource, EveryMnemonicAssemblesToTheWordOfTheCodec) {
  std::string text = ".text\n";
  std::vector<uint32_t> expected;
  for (const isa::Instruction &i : allInstructions()) {
    text += isa::toText(i) + "\n";
    expected.push_back(*isa::encode(i));
  }
  const Result<ObjectBytes> object = assemble(text, "all.s");
  ASSERT_TRUE(object) << object.status().message();
  const Result<std::vector<DisassembledLine>> lines = disassembleElf(*object);
  ASSERT_TRUE(lines) << lines.status().message();
  ASSERT_EQ(lines->size(), expected.size());
  const std::vector<isa::Instruction> all = allInstructions();
  for (size_t n = 0; n < expected.size(); ++n) {
    EXPECT_EQ((*lines)[n].word, expected[n]) << isa::toText(all[n]);
    EXPECT_EQ((*lines)[n].text, isa::toText(all[n]));
  }
}

TEST(KernelSource, SeparateOperandsOfControlInstructionsWork) {
  const Result<ObjectBytes> object =
      assemble("kset mte2, v, a0\nkwait v, mte3, a1\nkcfg fix, 2, a2\n"
               "st.ub a0, a1, a2\n",
               "c.s");
  ASSERT_TRUE(object) << object.status().message();
  std::vector<std::string> text;
  const Result<std::vector<DisassembledLine>> listing = disassembleElf(*object);
  ASSERT_TRUE(listing) << listing.status().message();
  for (const DisassembledLine &line : *listing) {
    text.push_back(line.text);
  }
  EXPECT_THAT(text, ElementsAre("kset.mte2.v a0", "kwait.v.mte3 a1",
                                "kcfg.fix.2 a2", "st.ub.i8 a0, a1, a2"));
}

constexpr char kKernel[] = R"(# kiln: bindings=3 UB=6144
# kiln: stack=4096
.globl kernel
kernel:
  ld t0, 24(a0)
  ld.ub a1, t0, a2
  kset mte2, v, zero
  kwait mte2, v, zero
  kset mte2, v, zero
  kset v, mte3, a3
  kbar
  beqz t0, done
  vadd.f16 a0, a1, a2
done:
  ret
)";

TEST(KernelSource, BecomesAKernelWithItsNote) {
  const Result<ObjectBytes> elf = assembleKernel(kKernel, "k.s");
  ASSERT_TRUE(elf) << elf.status().message();
  auto file =
      llvm::object::ObjectFile::createELFObjectFile(llvm::MemoryBufferRef(
          {reinterpret_cast<const char *>(elf->data()), elf->size()}, "k"));
  ASSERT_TRUE(bool(file));
  std::string json;
  for (const llvm::object::SectionRef &s : (*file)->sections()) {
    if (llvm::cantFail(s.getName()) == isa::kNoteSectionName) {
      // Header of 12 bytes, owner "Kiln" and its 0 padded to 8.
      json = llvm::cantFail(s.getContents()).drop_front(20).str();
    }
  }
  json.erase(json.find_last_of('}') + 1);
  const Result<isa::KernelNote> note = isa::parseKernelNote(json);
  ASSERT_TRUE(note) << note.status().message() << json;
  EXPECT_EQ(note->isaVersion, isa::kIsaVersion);
  EXPECT_EQ(note->kernel, "kernel");
  EXPECT_EQ(note->bindingCount, 3u);
  EXPECT_EQ(note->stackBytes, 4096u);
  EXPECT_THAT(note->capacityNeeds, ElementsAre(Pair("UB", 6144)));
  EXPECT_THAT(note->flagSets,
              ElementsAre(Pair("MTE2>V", 2), Pair("V>MTE3", 1)));
  EXPECT_EQ(note->barrierCount, 1u);
}

TEST(KernelSource, ListingNamesSymbolsLinesAndTargets) {
  const Result<ObjectBytes> elf = assembleKernel(kKernel, "k.s");
  ASSERT_TRUE(elf) << elf.status().message();
  const Result<std::vector<DisassembledLine>> lines = disassembleElf(*elf);
  ASSERT_TRUE(lines) << lines.status().message();
  EXPECT_EQ(lines->front().address, isa::kInstructionRamBase);
  EXPECT_EQ(lines->front().function, "_start");
  bool sawLoad = false;
  uint64_t done = 0;
  std::string branch;
  for (const DisassembledLine &line : *lines) {
    if (line.text == "ld.ub a1, t0, a2") {
      sawLoad = true;
      EXPECT_EQ(line.function, "kernel");
      EXPECT_EQ(line.offset, 4u);
      EXPECT_EQ(line.file, "k.s");
      EXPECT_EQ(line.line, 6u);
    }
    done = line.function == "done" && line.offset == 0 ? line.address : done;
    branch = line.text.starts_with("beqz") ? line.text : branch;
  }
  EXPECT_TRUE(sawLoad);
  char target[32];
  std::snprintf(target, sizeof target, "0x%llx",
                static_cast<unsigned long long>(done));
  EXPECT_THAT(branch, HasSubstr(target));
  const std::string listing = formatListing(*lines);
  EXPECT_THAT(listing, HasSubstr("kernel:\n  # k.s:5\n"));
  EXPECT_THAT(listing, HasSubstr("vadd.f16 a0, a1, a2"));
  EXPECT_THAT(listing, HasSubstr("kend"));
}

TEST(KernelSource, MistakesInNpuInstructionsAreLocated) {
  const auto error = [](const char *text) {
    return assemble(text, "e.s").status().message();
  };
  EXPECT_THAT(error("nop\n  ld.ub a0, a1\n"), HasSubstr("e.s:2:"));
  EXPECT_THAT(error("nop\nnop\n  ld.ub a0, a1, 7\n"), HasSubstr("e.s:3:3:"));
  EXPECT_THAT(error("ld.ub a0, a1, a2; nosuch a0\n"),
              HasSubstr("e.s:1:19: unrecognized instruction mnemonic"));
  const std::string type = error("nop\nvadd.f99 a0, a1, a2\n");
  EXPECT_THAT(type, HasSubstr("e.s:2:1:"));
  EXPECT_THAT(type, HasSubstr("there are vadd.bf16, vadd.f16, vadd.f32, "));
  const std::string pipe = error("nop\nnop\nkset m, m, a0\n");
  EXPECT_THAT(pipe, HasSubstr("e.s:3:1:"));
  EXPECT_THAT(pipe, HasSubstr("there are kset.m.fix, kset.m.mte1, "));
  EXPECT_EQ(error("frob a0\n").find("there are"), std::string::npos);
}

TEST(KernelSource, NpuInstructionsHaveTheirLines) {
  const Result<ObjectBytes> object = assemble("f: ld.ub a0, a1, a2\n"
                                              "\n"
                                              "  g:kbar # all\n"
                                              "  .insn r4 0x0b, 0, 3, x1, x0, "
                                              "x0, x0\n",
                                              "l.s");
  ASSERT_TRUE(object) << object.status().message();
  std::vector<unsigned> lines;
  const Result<std::vector<DisassembledLine>> listing = disassembleElf(*object);
  ASSERT_TRUE(listing) << listing.status().message();
  for (const DisassembledLine &line : *listing) {
    lines.push_back(line.line);
  }
  EXPECT_THAT(lines, ElementsAre(1, 3, 4));
}

TEST(KernelSource, WrongDirectivesAreLocated) {
  const auto error = [](const char *text) {
    return parseNoteDirectives(text, "d.s").status().message();
  };
  EXPECT_THAT(error("nop\n# kiln: bindings=x\n"), HasSubstr("d.s:2:1"));
  EXPECT_THAT(error("# kiln: L7=1\n"), HasSubstr("'L7=1'"));
  EXPECT_THAT(error("# kiln: bindings\n"), HasSubstr("'bindings'"));
  EXPECT_THAT(error("# kiln: GM=1\n"), HasSubstr("'GM=1'"));
  EXPECT_THAT(error("# kiln: kernel=a\"b\n"), HasSubstr("kernel"));
  EXPECT_TRUE(parseNoteDirectives("# kilns: x\n#kiln\n", "d.s"));
}

TEST(KernelSource, AMissingKernelIsBadInput) {
  const Result<ObjectBytes> elf = assembleKernel("nop\n", "n.s");
  ASSERT_FALSE(elf);
  EXPECT_EQ(elf.status().code(), StatusCode::kCorrupt);
  EXPECT_THAT(elf.status().message(), HasSubstr("kernel"));
}

TEST(Disassembler, ShowsIllegalWords) {
  EXPECT_EQ(disassembleWord(0xffff'ffff, 0), ".word 0xffffffff");
  EXPECT_THAT(disassembleWord(0xffff'ff5b, 0), HasSubstr("# sub:"));
  EXPECT_EQ(disassembleWord(0x0000'0013, 0), "nop");
}

TEST(Disassembler, RefusesWhatIsNoKernel) {
  const std::vector<uint8_t> junk = {1, 2, 3, 4};
  EXPECT_EQ(disassembleElf(junk).status().code(), StatusCode::kCorrupt);
  EXPECT_EQ(disassembleElf({}).status().code(), StatusCode::kCorrupt);
  Result<ObjectBytes> elf = assembleKernel(kKernel, "k.s");
  ASSERT_TRUE(elf);
  elf->resize(elf->size() / 2);
  EXPECT_FALSE(disassembleElf(*elf));
}

} // namespace
} // namespace kiln::target
