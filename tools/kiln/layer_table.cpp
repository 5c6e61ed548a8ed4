// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/layer_table.h"

#include <algorithm>

#include <fmt/format.h>

namespace kiln::tools {

LayerTable::LayerTable(const LoadedModel &model)
    : machine_(model.device().machine) {
  if (machine_) {
    summary_.emplace(*machine_, model.device().name);
    summary_->setPrecision(model.package().precision);
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
  if (profile.dispatch) {
    row.useful.count = profile.dispatch->macs;
    row.useful.type = hal::toElementType(profile.dispatch->macType)
                          .value_or(isa::ElementType::F32);
  }
  for (const std::string &finding : profile.report.findings) {
    findings_.push_back(row.node + ": " + finding);
  }
  for (const std::string &line : profile.report.printed) {
    printed_.push_back(row.node + ": " + line);
  }
  row.report = profile.report;
  if (summary_) {
    summary_->add(profile.report, row.useful);
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
                            {"useful_macs", row.useful.count},
                            {"host_s", row.report.hostSeconds}};
    if (const auto &cycle = row.report.cycle) {
      entry["cycles"] = cycle->cycles;
      entry["kernel_cycles"] = cycle->kernelCycles;
      entry["macs"] = row.report.macs;
      entry["useful_mac_share"] = macShare(
          *machine_, row.useful, row.report.cores, cycle->kernelCycles);
      entry["model_mac_share"] =
          macShare(*machine_, row.useful, row.report.cores, cycle->cycles);
    }
    layers.push_back(std::move(entry));
  }
  return layers;
}

/// Cycles, share of the run, kernel and model share; empty where not timed.
std::vector<std::string> LayerTable::cells(const Row &row,
                                           uint64_t total) const {
  if (!row.report.cycle) {
    return {"", "", "", ""};
  }
  const hal::CycleReport &cycle = *row.report.cycle;
  auto percent = [](double share) {
    return fmt::format("{:.1f} %", 100 * share);
  };
  auto ofPeak = [&](uint64_t cycles) {
    return row.useful.count == 0 ? std::string("-")
                                 : percent(macShare(*machine_, row.useful,
                                                    row.report.cores, cycles));
  };
  return {
      fmt::format("{}", cycle.cycles),
      percent(static_cast<double>(cycle.cycles) / static_cast<double>(total)),
      ofPeak(cycle.kernelCycles), ofPeak(cycle.cycles)};
}

std::string LayerTable::text() const {
  uint64_t total = 0;
  for (const Row &row : rows_) {
    total += row.report.cycle ? row.report.cycle->cycles : 0;
  }
  std::vector<std::string> titles(4);
  if (total > 0) {
    titles = {"cycles", "of run", "kernel", "model"};
  }
  auto line = [](const std::string &node, const std::string &op,
                 const std::vector<std::string> &c, const std::string &host) {
    return fmt::format("{:24.24} {:16.16} {:>10} {:>7} {:>7} {:>7} {:>10}\n",
                       node, op, c[0], c[1], c[2], c[3], host);
  };
  std::string text = line("node", "operator", titles, "host ms");
  for (const Row &row : rows_) {
    text += line(row.node, row.op, cells(row, total),
                 fmt::format("{:.4f}", 1e3 * row.report.hostSeconds));
  }
  return text;
}

} // namespace kiln::tools
