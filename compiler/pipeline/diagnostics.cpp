// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/diagnostics.h"

#include "mlir/IR/Diagnostics.h"

using namespace mlir;

namespace kiln {

std::string locationText(Location loc) {
  if (auto named = dyn_cast<NameLoc>(loc)) {
    std::string text = "node '" + named.getName().str() + "'";
    if (auto file = dyn_cast<FileLineColLoc>(named.getChildLoc())) {
      text += " (" + file.getFilename().str() + ")";
    }
    return text;
  }
  if (auto file = dyn_cast<FileLineColLoc>(loc)) {
    return file.getFilename().str() + ":" + std::to_string(file.getLine());
  }
  if (auto fused = dyn_cast<FusedLoc>(loc);
      fused && !fused.getLocations().empty()) {
    return locationText(fused.getLocations().front());
  }
  return "";
}

Status runPasses(PassManager &pm, ModuleOp module, StatusCode failureCode) {
  std::string message;
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &d) {
    if (d.getSeverity() != DiagnosticSeverity::Error) {
      return success();
    }
    std::string where = locationText(d.getLocation());
    message += (message.empty() ? "" : "\n") + where +
               (where.empty() ? "" : ": ") + d.str();
    return success();
  });
  if (succeeded(pm.run(module))) {
    return Status::ok();
  }
  return {failureCode,
          message.empty() ? "a pass failed without a message" : message};
}

} // namespace kiln
