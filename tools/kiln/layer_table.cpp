// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/layer_table.h"

#include <algorithm>

#include <fmt/format.h>

namespace kiln::tools {

LayerTable::LayerTable(const LoadedModel &model)
    : machine_(model.device().machine) {
  if (machine_) {
    summary_.emplace(*machine_, model.device().name);
    bool half = model.package().precision == "fp16";
    summary_->setPrecision(model.package().precision,
                           half ? isa::ElementType::F16
                                : isa::ElementType::F32);
  }
}

void LayerTable::setUsefulMacs(uint64_t macs, ops::DataType type) {
  if (summary_) {
    bool half = type == ops::DataType::F16;
    summary_->setPrecision(half ? "fp16" : "fp32", half
                                                       ? isa::ElementType::F16
                                                       : isa::ElementType::F32);
    summary_->setUsefulMacs(macs);
  }
}

void LayerTable::add(const hal::DispatchProfile &profile) {
  Row row;
  row.node = profile.source     ? profile.source->node
             : profile.dispatch ? profile.dispatch->name
                                : "";
  row.op = profile.source ? profile.source->opType : "";
  row.program =
      profile.program ? std::string(hal::name(profile.program->kind)) : "";
  row.report = profile.report;
  if (summary_) {
    summary_->add(profile.report);
  }
  rows_.push_back(std::move(row));
}

void LayerTable::keepFaster(const hal::DispatchProfile &profile) {
  if (profile.index < rows_.size()) {
    double &least = rows_[profile.index].report.hostSeconds;
    least = std::min(least, profile.report.hostSeconds);
  }
}

nlohmann::json LayerTable::json() const {
  nlohmann::json layers = nlohmann::json::array();
  for (const Row &row : rows_) {
    nlohmann::json entry = {{"node", row.node},
                            {"op", row.op},
                            {"program", row.program},
                            {"host_s", row.report.hostSeconds}};
    if (row.report.cycle) {
      entry["cycles"] = row.report.cycle->cycles;
      entry["kernel_cycles"] = row.report.cycle->kernelCycles;
      entry["macs"] = row.report.macs;
    }
    layers.push_back(std::move(entry));
  }
  return layers;
}

std::string LayerTable::text() const {
  uint64_t total = 0;
  for (const Row &row : rows_) {
    total += row.report.cycle ? row.report.cycle->cycles : 0;
  }
  std::string text =
      fmt::format("{:24} {:16} {:>12} {:>6} {:>10}\n", "node", "operator",
                  total ? "cycles" : "", total ? "share" : "", "host ms");
  for (const Row &row : rows_) {
    uint64_t cycles = row.report.cycle ? row.report.cycle->cycles : 0;
    std::string cell = total ? fmt::format("{}", cycles) : "";
    std::string share =
        total ? fmt::format("{:.1f} %", 100.0 * static_cast<double>(cycles) /
                                            static_cast<double>(total))
              : "";
    text += fmt::format("{:24.24} {:16.16} {:>12} {:>6} {:>10.4f}\n", row.node,
                        row.op, cell, share, 1e3 * row.report.hostSeconds);
  }
  return text;
}

} // namespace kiln::tools
