// SPDX-License-Identifier: Apache-2.0
#include "compiler/frontend/onnx/report.h"

#include <algorithm>
#include <fmt/format.h>

namespace kiln::frontend {

static std::string list(const std::vector<Finding> &findings, bool invalid) {
  std::string text;
  for (const Finding &finding : findings) {
    if (finding.invalid != invalid) {
      continue;
    }
    text += "\n  " + finding.where;
    if (!finding.attribute.empty()) {
      text += ", attribute '" + finding.attribute + "'";
    }
    text += ": " + finding.text;
  }
  return text;
}

Status Report::status() const {
  if (findings_.empty()) {
    return Status::ok();
  }
  auto invalid = std::count_if(findings_.begin(), findings_.end(),
                               [](const Finding &f) { return f.invalid; });
  auto gaps = static_cast<std::ptrdiff_t>(findings_.size()) - invalid;
  std::string text;
  if (invalid > 0) {
    text = fmt::format("the model is not valid ({} finding{}):", invalid,
                       invalid == 1 ? "" : "s") +
           list(findings_, true);
  }
  if (gaps > 0) {
    text += fmt::format("{}{} thing{} in this model {} not supported:",
                        text.empty() ? "" : "\n", gaps, gaps == 1 ? "" : "s",
                        gaps == 1 ? "is" : "are") +
            list(findings_, false);
  }
  return {invalid > 0 ? StatusCode::kCorrupt : StatusCode::kUnsupported, text};
}

} // namespace kiln::frontend
