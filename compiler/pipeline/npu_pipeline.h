// SPDX-License-Identifier: Apache-2.0
//
// The command level of the NPU path: kernels of npu commands -> kernel ELF.
//
//   NpuLoweringOptions options{.capacities = npu::capacitiesOf(arch)};
//   Result<NpuProgram> p = compileNpuKernel(kernel, options);
//   // p->elf: what a device loads; p->note: what it needs
//
// A kernel is a func.func marked npu.kernel as NpuBase.td describes it.
#pragma once

#include "compiler/transforms/npu/plan_local_memory.h"
#include "isa/abi/launch.h"
#include "isa/arch/arch_spec.h"
#include "isa/support/status.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace kiln::pipeline {

/// How commands of different pipes are ordered.
enum class NpuSync : uint8_t {
  kFlags,      // flags between dependent commands, verified
  kBarrierAll, // a barrier after every command: the oracle
  kAsWritten,  // the kernel has its own flags; nothing is added or proven
};

struct NpuLoweringOptions {
  npu::Capacities capacities{};
  NpuSync sync = NpuSync::kFlags;
  /// Called after each stage ("planned", "isa", "llvm") with the module as it
  /// is then, for --dump-dir and --stop-after.
  std::function<void(const char *stage, mlir::ModuleOp)> afterStage;
};

/// Addresses, slots and synchronisation, on a module of kernels.
void addNpuPlanningPasses(mlir::OpPassManager &manager,
                          const NpuLoweringOptions &options);
/// Commands with addresses and flags to npu_isa instructions.
void addNpuIsaPasses(mlir::OpPassManager &manager);
/// All of it: commands without addresses to the LLVM dialect.
void addNpuLoweringPasses(mlir::OpPassManager &manager,
                          const NpuLoweringOptions &options);

struct NpuProgram {
  std::string kernel; // name of the kernel function
  std::vector<uint8_t> elf;
  isa::KernelNote note;
  std::vector<std::string> remarks; // "op.cpp:12:5: a barrier replaces ..."
};

/// Compiles one kernel; the function is not changed. Buffers that do not fit
/// are kDoesNotFit, a malformed kernel kInvalidArgument, with every
/// diagnostic in the message.
Result<NpuProgram> compileNpuKernel(mlir::func::FuncOp kernel,
                                    const NpuLoweringOptions &options);

} // namespace kiln::pipeline
