// SPDX-License-Identifier: Apache-2.0
//
// LLVM dialect module -> object file for the CPU, in memory.
#pragma once

#include "compiler/transforms/cpu/cpu_passes.h"
#include "isa/support/status.h"

#include "mlir/IR/BuiltinOps.h"

#include <cstdint>
#include <string>
#include <vector>

namespace kiln::target {

/// The CPU code is generated for.
struct CpuTarget {
  std::string cpu;      // LLVM name, e.g. "sapphirerapids", "x86-64-v3"
  std::string features; // LLVM feature string, "+avx2,..."
  /// Names of features the code may use, sorted; the package records them and
  /// loading on a CPU without one of them is refused.
  std::vector<std::string> requiredFeatures;
  cpu::CpuMachine machine;
};

/// "native" (this CPU) or an LLVM CPU name of at least x86-64-v3.
Result<CpuTarget> resolveCpuTarget(const std::string &name);

/// Translates, optimises (O3) and emits a relocatable ELF object. The module
/// holds the LLVM dialect only. Not thread-safe with itself per MLIRContext.
Result<std::vector<uint8_t>> emitCpuObject(mlir::ModuleOp module,
                                           const CpuTarget &target);

} // namespace kiln::target
