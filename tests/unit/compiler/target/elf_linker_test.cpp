// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/assembler.h"
#include "compiler/target/elf_linker.h"

#include "llvm/Object/ELFObjectFile.h"

#include <gtest/gtest.h>

namespace kiln::target {
namespace {

isa::KernelNote noteFor(const char *kernel) {
  isa::KernelNote note;
  note.isaVersion = 1;
  note.kernel = kernel;
  note.bindingCount = 2;
  return note;
}

constexpr char kProgram[] = R"(
.globl kernel
kernel:
  ld a1, 24(a0)
  la a2, table
  lw a3, 4(a2)
  ret
.data
table: .word 1, 2, 3
)";

Result<ObjectBytes> program() {
  Result<ObjectBytes> object = assemble(kProgram, "k.s");
  return object ? linkNpuProgram({*object}, noteFor("kernel")) : object;
}

using Elf = llvm::object::ELFObjectFile<llvm::object::ELF64LE>;

std::unique_ptr<llvm::object::ObjectFile> open(const ObjectBytes &bytes) {
  llvm::MemoryBufferRef buffer(
      llvm::StringRef(reinterpret_cast<const char *>(bytes.data()),
                      bytes.size()),
      "elf");
  auto file = llvm::object::ObjectFile::createELFObjectFile(buffer);
  if (!file) {
    llvm::consumeError(file.takeError());
    return nullptr;
  }
  return std::move(*file);
}

TEST(ElfLinker, PlacesTextDataStackAndNote) {
  Result<ObjectBytes> elf = program();
  ASSERT_TRUE(elf) << elf.status().message();
  auto file = open(*elf);
  ASSERT_TRUE(file);
  auto *object = llvm::cast<Elf>(file.get());
  EXPECT_EQ(object->getELFFile().getHeader().e_entry, isa::kInstructionRamBase);
  uint64_t data = 0, stackTop = 0;
  for (const llvm::object::SymbolRef &s : object->symbols()) {
    llvm::StringRef name = llvm::cantFail(s.getName());
    uint64_t address = llvm::cantFail(s.getAddress());
    data = name == "table" ? address : data;
    stackTop = name == "__kiln_stack_top" ? address : stackTop;
  }
  EXPECT_EQ(data, isa::kScalarRamBase);
  EXPECT_EQ(stackTop, isa::kScalarRamBase + 16 + 2048);
  bool hasNote = false;
  for (const llvm::object::SectionRef &s : object->sections()) {
    if (llvm::cantFail(s.getName()) == isa::kNoteSectionName) {
      hasNote = llvm::cantFail(s.getContents()).contains("\"kernel\"");
    }
  }
  EXPECT_TRUE(hasNote);
}

TEST(ElfLinker, IsDeterministic) {
  EXPECT_EQ(program().value(), program().value());
}

TEST(ElfLinker, KeepsTheCountsOfTheCaller) {
  Result<ObjectBytes> object =
      assemble(".globl kernel\nkernel:\nkbar\nkbar\nret\n", "k.s");
  ASSERT_TRUE(object) << object.status().message();
  const auto contains = [&](const isa::KernelNote &note, const char *text) {
    Result<ObjectBytes> elf = linkNpuProgram({*object}, note);
    return elf && llvm::StringRef(reinterpret_cast<const char *>(elf->data()),
                                  elf->size())
                      .contains(text);
  };
  isa::KernelNote note = noteFor("kernel");
  EXPECT_TRUE(contains(note, "\"barrier_count\":2"));
  note.barrierCount = 1; // e.g. a loop that LLVM unrolled
  EXPECT_TRUE(contains(note, "\"barrier_count\":1"));
}

TEST(ElfLinker, AMissingKernelIsNamed) {
  Result<ObjectBytes> object = assemble(kProgram, "k.s");
  ASSERT_TRUE(object);
  Result<ObjectBytes> elf = linkNpuProgram({*object}, noteFor("absent"));
  ASSERT_FALSE(elf);
  EXPECT_NE(elf.status().message().find("absent"), std::string::npos);
}

TEST(Assembler, ErrorsNameLineAndColumnOfTheTextNotOfThePrelude) {
  Result<ObjectBytes> object =
      assemble("nop\n  nosuch a0\nnop\nadd a0\n", "bad.s",
               ".macro twice\nnop\nnop\n.endm\n");
  ASSERT_FALSE(object);
  EXPECT_EQ(object.status().code(), StatusCode::kCorrupt);
  const std::string &text = object.status().message();
  EXPECT_NE(text.find("bad.s:2:3: "), std::string::npos) << text;
  EXPECT_NE(text.find("bad.s:4:"), std::string::npos) << text;
}

TEST(Assembler, MacrosOfThePreludeWorkOnEveryLine) {
  constexpr char kPrelude[] = "# about\n.macro ld.two a, b\naddi \\a, \\b, 2\n"
                              "addi \\a, \\a, 0\n.endm\n";
  EXPECT_TRUE(assemble("ld.two a0, a1\nnop\nld.two a2, a3\n", "m.s", kPrelude));
  Result<ObjectBytes> bad = assemble("nop\nld.two a0, 7\n", "m.s", kPrelude);
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.status().message().find("m.s:2:"), std::string::npos)
      << bad.status().message();
}

TEST(Assembler, CompressedAndFloatInstructionsAreRefused) {
  EXPECT_FALSE(assemble("c.nop\n", "c.s"));
  EXPECT_FALSE(assemble("fadd.s f0, f1, f2\n", "f.s"));
}

TEST(SharedObject, AnUndefinedSymbolIsNamed) {
  // RISC-V objects serve as well: the gate looks at symbols only.
  Result<ObjectBytes> object =
      assemble(".globl f\nf: call printf@plt\nret\n", "f.s");
  ASSERT_TRUE(object) << object.status().message();
  Result<ObjectBytes> so = linkSharedObject({*object});
  ASSERT_FALSE(so);
  EXPECT_NE(so.status().message().find("'printf'"), std::string::npos)
      << so.status().message();
}

} // namespace
} // namespace kiln::target
