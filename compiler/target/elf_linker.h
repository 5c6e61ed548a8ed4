// SPDX-License-Identifier: Apache-2.0
//
// Objects of the control core -> a kernel binary: a static RISC-V ELF at the
// addresses of isa/abi/launch.h, with `_start`, the stack and the Kiln note.
//
//   Result<ObjectBytes> elf = linkNpuProgram({object}, note);
//
// `_start` sets gp and sp (to __kiln_stack_top, after data and stack), calls
// the kernel with a0 as the launcher set it, and runs kend. Equal inputs give
// equal bytes.
#pragma once

#include "compiler/target/lld_link.h"
#include "isa/abi/launch.h"
#include "isa/support/status.h"

namespace kiln::target {

/// `needs.kernel` is the symbol `_start` calls; objects define it. Filled in:
/// the ISA version, and, when the caller counted neither flags nor barriers,
/// the kset per pipe pair and the kbar in the objects' code.
Result<ObjectBytes> linkNpuProgram(const std::vector<ObjectBytes> &objects,
                                   const isa::KernelNote &needs);

} // namespace kiln::target
