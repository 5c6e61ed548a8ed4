// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/elf_linker.h"

#include "compiler/target/assembler.h"
#include "isa/codec/instruction.h"
#include "isa/support/units.h"

#include <fmt/format.h>

namespace kiln::target {
namespace {

constexpr char kLinkerScript[] = R"(
ENTRY(_start)
SECTIONS {{
  . = {text:#x};
  .text : {{ KEEP(*(.text.start)) *(.text .text.*) }}
  . = {data:#x};
  .data : {{ *(.rodata .rodata.* .srodata .srodata.*) *(.data .data.* .sdata .sdata.*) }}
  .bss : {{ *(.bss .bss.* .sbss .sbss.* COMMON) }}
  __global_pointer$ = {data:#x} + 0x800;
  . = ALIGN(16) + {stack};
  __kiln_stack_top = .;
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
  .word {kend:#x}
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

} // namespace

Result<ObjectBytes> linkNpuProgram(const std::vector<ObjectBytes> &objects,
                                   const isa::KernelNote &note) {
  isa::Instruction end;
  end.op = isa::Opcode::kKend;
  KILN_ASSIGN_OR_RETURN(uint32_t kend, isa::encode(end));
  std::string start = fmt::format(
      kStartText, fmt::arg("kernel", note.kernel), fmt::arg("kend", kend),
      fmt::arg("section", isa::kNoteSectionName),
      fmt::arg("ownerBytes", sizeof(isa::kNoteOwner)),
      fmt::arg("type", isa::kNoteType), fmt::arg("owner", isa::kNoteOwner),
      fmt::arg("json", escaped(isa::toJson(note))));
  KILN_ASSIGN_OR_RETURN(ObjectBytes startObject,
                        assemble(start, "<kiln start>"));
  std::string script =
      fmt::format(kLinkerScript, fmt::arg("text", isa::kInstructionRamBase),
                  fmt::arg("data", isa::kScalarRamBase),
                  fmt::arg("stack", alignUp(note.stackBytes, 16)));
  std::vector<ObjectBytes> all = {std::move(startObject)};
  all.insert(all.end(), objects.begin(), objects.end());
  return runLinker({"-static", "-nostdlib", "--build-id=none", "-z", "norelro",
                    "-z", "max-page-size=16", "--no-relax", "--gc-sections"},
                   all, script);
}

} // namespace kiln::target
