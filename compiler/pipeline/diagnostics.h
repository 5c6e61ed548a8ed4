// SPDX-License-Identifier: Apache-2.0
//
// Runs MLIR passes and turns their diagnostics into a Status.
//
//   mlir::PassManager pm(&context);
//   ...
//   KILN_RETURN_IF_ERROR(runPasses(pm, module, StatusCode::kInternal));
//
// The message is every error, one per line, each with the model's node
// ("conv_1 (model.onnx, node 3): ...").
#pragma once

#include "isa/support/status.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Location.h"
#include "mlir/Pass/PassManager.h"

namespace kiln {

/// `failure` is the code of an error: kInternal where input was checked
/// before, kUnsupported where a target may refuse.
Status runPasses(mlir::PassManager &pm, mlir::ModuleOp module,
                 StatusCode failure);

/// A location for people: "node 'conv_1' (model.onnx)", "kernel.cpp:12".
std::string locationText(mlir::Location loc);

} // namespace kiln
