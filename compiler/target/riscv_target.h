// SPDX-License-Identifier: Apache-2.0
//
// The one place that says which RISC-V the control core is.
#pragma once

#include "llvm/MC/TargetRegistry.h"

namespace kiln::target {

constexpr char kRiscvTriple[] = "riscv64-unknown-elf";
constexpr char kRiscvCpu[] = "generic-rv64";
/// No compressed instructions (NPU words are four bytes, fetch is simple) and
/// no linker relaxation (deterministic sizes).
constexpr char kRiscvFeatures[] = "+m,+zba,+zbb,+zicsr,-relax,-c";

/// Registers LLVM's RISC-V target once and returns it; never null.
const llvm::Target &riscvTarget();

} // namespace kiln::target
