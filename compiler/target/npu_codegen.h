// SPDX-License-Identifier: Apache-2.0
//
// emit-elf: a kernel in the LLVM dialect -> RISC-V object -> kernel ELF.
//
//   KernelNote note;                       // kernel, bindings, needs
//   Result<ObjectBytes> elf = emitNpuElf(module, note);
//
// Translates to LLVM IR, marks the memory effects of the NPU instructions,
// optimises at O2 without the loop and SLP vectorisers, generates code for the
// control core and links it with start code and note (elf_linker.h). Lines of
// FileLineCol locations become DWARF. Same module, same bytes.
#pragma once

#include "compiler/target/lld_link.h"
#include "isa/abi/launch.h"

#include "mlir/IR/BuiltinOps.h"

namespace kiln::target {

struct NpuObject {
  ObjectBytes bytes;
  uint64_t frameBytes = 0; // largest stack frame of a function
};

/// Object code of the module's functions.
Result<NpuObject> emitNpuObject(mlir::ModuleOp module);

/// Links the object; A frame larger than `note.stackBytes` raises it.
Result<ObjectBytes> emitNpuElf(mlir::ModuleOp module, isa::KernelNote &note);

} // namespace kiln::target
