// SPDX-License-Identifier: Apache-2.0
//
// A kernel in one assembly file: text, note and link in one call. It is what
// `kiln asm` does.
//
//   Result<ObjectBytes> elf = assembleKernel(text, "vadd.s");
//
//   # kiln: bindings=3 stack=2048 UB=6144
//   .globl kernel
//   kernel:                 # a0: argument block (isa/abi/launch.h)
//     ld    t0, 24(a0)
//     ld.ub a1, t0, a2
//     kset  mte2, v, zero
//     ...
//     ret                   # the start code runs kend
//
// Lines that begin with `# kiln:` fill the note: kernel=SYMBOL, bindings=N,
// constants=N, stack=BYTES, and the bytes used of local memories by name (L1,
// L0A, L0B, L0C, UB, BT). The linker counts flags and barriers.
#pragma once

#include "compiler/target/lld_link.h"
#include "isa/abi/launch.h"

#include <string_view>

namespace kiln::target {

/// Assembles and links to a kernel ELF. kCorrupt with file, line and column
/// for a mistake in the text, with the linker's text for a missing symbol.
Result<ObjectBytes> assembleKernel(std::string_view text,
                                   std::string_view origin);

/// The note of a text's `# kiln:` lines. Without them: kernel "kernel", no
/// bindings, the default stack.
Result<isa::KernelNote> parseNoteDirectives(std::string_view text,
                                            std::string_view origin);

} // namespace kiln::target
