// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/elf_linker.h"

#include "compiler/target/assembler.h"
#include "isa/codec/instruction.h"
#include "isa/support/units.h"

#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/Endian.h"

#include <fmt/format.h>
#include <map>

namespace kiln::target {
namespace {

constexpr char kLinkerScript[] = R"(
ENTRY(_start)
SECTIONS {{
  . = {text:#x};
  .text : {{ KEEP(*(.text.start)) *(.text .text.*) }}
  ASSERT(. <= {data:#x}, "the code does not fit the instruction window")
  . = {data:#x};
  .data : {{
    *(.rodata .rodata.* .srodata .srodata.*)
    *(.data .data.* .sdata .sdata.*)
  }}
  .bss : {{ *(.bss .bss.* .sbss .sbss.* COMMON) }}
  __global_pointer$ = {data:#x} + 0x800;
  . = ALIGN(16) + {stack};
  __kiln_stack_top = .;
  ASSERT(. <= {dataEnd:#x}, "data and stack do not fit the scalar window")
  .note.kiln 0 : {{ KEEP(*(.note.kiln)) }}
  /DISCARD/ : {{ *(.eh_frame*) *(.riscv.attributes) *(.comment) }}
}}
)";

constexpr char kStartText[] = R"(
.section .text.start,"ax",@progbits
.globl _start
_start:
  la gp, __global_pointer$
  la sp, __kiln_stack_top
  call {kernel}
  kend
.section {section},"",@note
  .long {ownerBytes}
  .long 2f - 1f
  .long {type}
  .asciz "{owner}"
  .balign 4
1:
  .ascii "{json}"
2:
  .balign 4
)";

std::string escaped(const std::string &json) {
  std::string out;
  for (char c : json) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out;
}

using FlagSets = std::map<std::pair<isa::Pipe, isa::Pipe>, uint32_t>;

void countWords(llvm::StringRef code, FlagSets &sets, uint32_t &barriers) {
  for (size_t at = 0; at + 4 <= code.size(); at += 4) {
    const std::optional<isa::Instruction> i =
        isa::decodeFast(llvm::support::endian::read32le(code.data() + at));
    if (i && i->op == isa::Opcode::kKset) {
      ++sets[{isa::flagSource(*i), isa::flagDestination(*i)}];
    } else if (i && i->op == isa::Opcode::kKbar) {
      ++barriers;
    }
  }
}

/// Counts the synchronisation in the objects' code into the note.
Status countSync(const std::vector<ObjectBytes> &objects,
                 isa::KernelNote &note) {
  FlagSets sets;
  note.barrierCount = 0;
  for (const ObjectBytes &bytes : objects) {
    const llvm::StringRef data(reinterpret_cast<const char *>(bytes.data()),
                               bytes.size());
    auto file = llvm::object::ObjectFile::createELFObjectFile({data, "object"});
    if (!file) {
      return {StatusCode::kInternal,
              "kernel object: " + llvm::toString(file.takeError())};
    }
    for (const llvm::object::SectionRef &section : (*file)->sections()) {
      llvm::Expected<llvm::StringRef> code = section.getContents();
      if (!code) {
        llvm::consumeError(code.takeError());
      } else if (section.isText()) {
        countWords(*code, sets, note.barrierCount);
      }
    }
  }
  note.flagSets.clear();
  for (const auto &[pipes, count] : sets) {
    note.flagSets.emplace_back(
        fmt::format("{}>{}", isa::name(pipes.first), isa::name(pipes.second)),
        count);
  }
  return Status::ok();
}

} // namespace

Result<ObjectBytes> linkNpuProgram(const std::vector<ObjectBytes> &objects,
                                   const isa::KernelNote &needs) {
  isa::KernelNote note = needs;
  note.isaVersion = isa::kIsaVersion;
  if (note.flagSets.empty() && note.barrierCount == 0) {
    KILN_RETURN_IF_ERROR(countSync(objects, note));
  }
  std::string start = fmt::format(
      kStartText, fmt::arg("kernel", note.kernel),
      fmt::arg("section", isa::kNoteSectionName),
      fmt::arg("ownerBytes", sizeof(isa::kNoteOwner)),
      fmt::arg("type", isa::kNoteType), fmt::arg("owner", isa::kNoteOwner),
      fmt::arg("json", escaped(isa::toJson(note))));
  KILN_ASSIGN_OR_RETURN(
      ObjectBytes startObject,
      assemble(start, "<kiln start>", /*prelude=*/{}, LineTable::kNone));
  std::string script =
      fmt::format(kLinkerScript, fmt::arg("text", isa::kInstructionRamBase),
                  fmt::arg("data", isa::kScalarRamBase),
                  fmt::arg("dataEnd", isa::kUbWindowBase),
                  fmt::arg("stack", alignUp(note.stackBytes, 16)));
  std::vector<ObjectBytes> all = {std::move(startObject)};
  all.insert(all.end(), objects.begin(), objects.end());
  return runLinker({"-static", "-nostdlib", "--build-id=none", "-z", "norelro",
                    "-z", "max-page-size=16", "--no-relax", "--gc-sections"},
                   all, script);
}

} // namespace kiln::target
