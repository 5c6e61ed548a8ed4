// SPDX-License-Identifier: Apache-2.0
//
// MLIR diagnostics as a Status: collects errors while it lives.
//
//   DiagnosticCollector errors(context);
//   if (failed(pm.run(module)))
//     return errors.status(StatusCode::kUnsupported, "lowering for the NPU");
#pragma once

#include "compiler/pipeline/diagnostics.h"
#include "isa/support/status.h"

#include "mlir/IR/Diagnostics.h"

#include <string>
#include <vector>

namespace kiln::pipeline {

class DiagnosticCollector {
public:
  explicit DiagnosticCollector(mlir::MLIRContext *context)
      : handler_(context, [this](mlir::Diagnostic &d) {
          if (d.getSeverity() != mlir::DiagnosticSeverity::Error) {
            remarks_.push_back(render(d));
            return mlir::success();
          }
          errors_.push_back(render(d));
          return mlir::success();
        }) {}

  /// One status with every error so far, a line each, after `context`.
  Status status(StatusCode code, const std::string &context) const {
    std::string text = context + " failed";
    for (const std::string &e : errors_) {
      text += "\n  " + e;
    }
    return Status(code, text);
  }
  const std::vector<std::string> &errors() const { return errors_; }
  const std::vector<std::string> &remarks() const { return remarks_; }

private:
  static std::string render(mlir::Diagnostic &d) {
    std::string text;
    llvm::raw_string_ostream os(text);
    std::string where = locationText(d.getLocation());
    os << where << (where.empty() ? "" : ": ") << d;
    for (mlir::Diagnostic &note : d.getNotes()) {
      os << "\n    note: " << note;
    }
    return text;
  }

  std::vector<std::string> errors_, remarks_;
  mlir::ScopedDiagnosticHandler handler_;
};

} // namespace kiln::pipeline
