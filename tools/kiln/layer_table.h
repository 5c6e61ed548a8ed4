// SPDX-License-Identifier: Apache-2.0
//
// What each dispatch of a run cost, by ONNX node.
#pragma once

#include "tools/kiln/cycle_report.h"
#include "tools/kiln/loaded_model.h"

#include <optional>

namespace kiln::tools {

class LayerTable {
public:
  explicit LayerTable(const LoadedModel &model);

  void add(const hal::DispatchProfile &profile);
  /// Of a further run: each row keeps its least host time.
  void keepFaster(const hal::DispatchProfile &profile);

  /// Sums; nothing on a device without a machine.
  const std::optional<CycleSummary> &summary() const { return summary_; }
  nlohmann::json json() const;
  std::string text() const;
  /// What the checks found, in the order of the dispatches.
  const std::vector<std::string> &findings() const { return findings_; }
  /// What kernels printed, "NODE: block 0: text", in the order of the
  /// dispatches.
  const std::vector<std::string> &printed() const { return printed_; }

private:
  struct Row {
    std::string node, op, program;
    UsefulMacs useful;
    hal::ProgramReport report;
  };
  std::vector<std::string> cells(const Row &row, uint64_t total) const;

  std::shared_ptr<const isa::ArchSpec> machine_;
  std::optional<CycleSummary> summary_;
  std::vector<Row> rows_;
  std::vector<std::string> findings_, printed_;
};

} // namespace kiln::tools
