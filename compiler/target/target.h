// SPDX-License-Identifier: Apache-2.0
//
// Target: what a backend adds to the shared compiler. compiler/pipeline runs
//   import -> shared level -> Target::prepare -> Target::emit -> plan-arena
//   -> package
// and knows backends through this interface only.
//
// Adding one: derive, list it in compiler/pipeline/targets.cpp.
#pragma once

#include "hal/format/package_model.h"
#include "isa/support/status.h"

#include "mlir/IR/BuiltinOps.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace kiln::target {

/// Which code runs one dispatch function, and how.
struct DispatchCode {
  uint32_t program = 0; // of TargetCode::programs
  uint32_t entry = 0;   // of that program's entries
  uint32_t blockDim = 1;
  uint64_t workspaceBytes = 0; // from the arena, 64-byte aligned
};

/// Everything a target made of a module.
struct TargetCode {
  std::vector<hal::ProgramModel> programs;
  std::map<std::string, DispatchCode> dispatches; // by function name
  std::string schedules;                          // the schedules used, as text
};

/// Called with the module after a named stage, for --dump-dir and
/// --stop-after. Returns false to stop there.
using StageHook = std::function<bool(const char *stage, mlir::ModuleOp)>;

class Target {
public:
  virtual ~Target() = default;
  /// "cpu", "npu"; goes into the package.
  virtual std::string_view name() const = 0;
  /// Machine name and hash for the package; "" when the target has none.
  virtual std::string machineName() const { return {}; }
  virtual std::string machineHash() const { return {}; }

  /// Rewrites the module after form-dispatches: physical layouts of dispatch
  /// operands, conversion dispatches, longer constant recipes.
  virtual Status prepare(mlir::ModuleOp module, const StageHook &hook) = 0;
  /// Makes code of every `plan.dispatch` function. `module` is not changed.
  virtual Result<TargetCode> emit(mlir::ModuleOp module,
                                  const StageHook &hook) = 0;
};

/// The CPU target; `cpu` as in CpuOptions. Checked when code is emitted.
std::unique_ptr<Target> makeCpuTarget(std::string cpu);

} // namespace kiln::target
