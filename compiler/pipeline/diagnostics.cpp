// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/diagnostics.h"

#include "llvm/Support/raw_ostream.h"

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

static std::string render(Diagnostic &d) {
  std::string text;
  llvm::raw_string_ostream os(text);
  std::string where = locationText(d.getLocation());
  os << where << (where.empty() ? "" : ": ") << d;
  for (Diagnostic &note : d.getNotes()) {
    os << "\n    note: " << note;
  }
  return text;
}

DiagnosticCollector::DiagnosticCollector(MLIRContext *context)
    : handler_(context, [this](Diagnostic &d) {
        bool error = d.getSeverity() == DiagnosticSeverity::Error;
        (error ? errors_ : remarks_).push_back(render(d));
        return success();
      }) {}

Status DiagnosticCollector::status(StatusCode code,
                                   const std::string &what) const {
  std::string text = what + " failed";
  for (const std::string &error : errors_) {
    text += "\n  " + error;
  }
  return {code, text};
}

LogicalResult runPasses(ModuleOp module,
                        llvm::function_ref<void(OpPassManager &)> add) {
  PassManager manager(module.getContext());
  add(manager);
  return manager.run(module);
}

} // namespace kiln
