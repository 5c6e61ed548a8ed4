// SPDX-License-Identifier: Apache-2.0
//
// The CPU path: dispatch functions of the shared level -> one shared object.
//
//   Result<CpuProgram> p = compileForCpu(module, options);
//   // p->sharedObject: bytes for dlopen; p->entries: what to call
//
// Every entry has the ABI `void k(const KilnArgs *args, uint32_t block)` with
// the argument block of isa/abi/launch.h: bindings are the dispatch's inputs,
// then its outputs, as host pointers aligned to their elements; `workspace`
// points to at least `workspaceBytes`, aligned to 64 bytes.
#pragma once

#include "compiler/target/cpu_object.h"
#include "isa/support/status.h"

#include "mlir/IR/BuiltinOps.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace kiln::pipeline {

struct CpuOptions {
  /// "native", or an LLVM CPU name of at least x86-64-v3.
  std::string cpu = "native";
  /// Called after each stage ("bufferized", "vectorized", "llvm")
  /// with the module as it is then, for --dump-dir and --stop-after.
  std::function<void(const char *stage, mlir::ModuleOp)> afterStage;
};

struct CpuEntry {
  std::string dispatch; // name of the dispatch function
  std::string symbol;   // exported symbol; equal dispatches share one
  uint32_t blockDim = 1;
  uint32_t bindingCount = 0;
  uint64_t workspaceBytes = 0;
};

struct CpuProgram {
  std::vector<uint8_t> sharedObject;
  std::vector<CpuEntry> entries;             // in module order
  std::vector<std::string> requiredFeatures; // of the CPU, sorted
  std::string cpu;
};

/// Compiles every func.func marked `plan.dispatch`. The module is not changed.
/// kInvalidArgument for an unknown CPU, kUnsupported for one below the
/// baseline, kInternal for the rest: the shared level was verified.
Result<CpuProgram> compileForCpu(mlir::ModuleOp module,
                                 const CpuOptions &options);

} // namespace kiln::pipeline
