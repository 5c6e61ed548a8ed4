// SPDX-License-Identifier: Apache-2.0
//
// Runs MLIR passes and turns their diagnostics into a Status: the only way the
// compiler does it.
//
//   DiagnosticCollector errors(module.getContext());
//   if (failed(runPasses(module, addMyPasses)))
//     return errors.status(StatusCode::kUnsupported, "lowering for the NPU");
//
// The message is what failed and every error, one per line, each with the
// model's node ("node 'conv_1' (model.onnx): ...").
#pragma once

#include "isa/support/status.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"
#include "mlir/Pass/PassManager.h"

#include <string>
#include <vector>

namespace kiln {

/// Collects the diagnostics of a context while it lives.
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(mlir::MLIRContext *context);

  /// Every error so far, after "`what` failed". `code`: kInternal where input
  /// was checked before, kUnsupported where a target may refuse.
  Status status(StatusCode code, const std::string &what) const;
  const std::vector<std::string> &errors() const { return errors_; }
  /// Warnings and remarks.
  const std::vector<std::string> &remarks() const { return remarks_; }

private:
  std::vector<std::string> errors_, remarks_;
  mlir::ScopedDiagnosticHandler handler_;
};

/// Runs the passes that `add` puts into a new pass manager.
llvm::LogicalResult
runPasses(mlir::ModuleOp module,
          llvm::function_ref<void(mlir::OpPassManager &)> add);

/// A location for people: "node 'conv_1' (model.onnx)", "kernel.cpp:12".
std::string locationText(mlir::Location loc);

} // namespace kiln
