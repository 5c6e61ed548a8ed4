// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/bench_table.h"

#include "tools/ceilings/row_run.h"
#include "tools/kiln/cycle_report.h"
#include "tools/kiln/op_run.h"
#include "tools/kiln/operator_options.h"

#include <algorithm>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

/// An operator of the compiler, its result compared with the reference.
Result<RowResult> runCompiled(const CeilingRow &row,
                              const CompileOptions &compile) {
  if (row.share != ShareOf::kCube || row.cores != 1) {
    return Status(StatusCode::kUnsupported,
                  "an operator of the compiler runs on one core and has a "
                  "share of the cube");
  }
  OperatorRequest request;
  request.name = row.op.name;
  request.shapes = row.op.shapes;
  request.attributes = row.op.attributes;
  DeviceChoice device;
  device.device = "npu:cycle";
  device.machine = row.machine;
  KILN_ASSIGN_OR_RETURN(OperatorRun run, runOperator(request, device, compile));
  std::string measures;
  nlohmann::json check;
  KILN_RETURN_IF_ERROR(checkOperator(run.op, run.outputs, measures, check));
  const CycleSummary &summary = *run.layers->summary();
  return RowResult{summary.kernelCycles(), 100 * summary.kernelShare()};
}

/// The table while it grows: text, JSON, and what is wrong.
struct Table {
  std::string text;
  nlohmann::json rows = nlohmann::json::array();
  Status worst;

  void add(const std::string &name, double ceiling, double bar,
           const RowResult &result, const std::string &verdict) {
    auto figure = [](double value) {
      return value > 0 ? fmt::format("{:.4g}", value) : "-";
    };
    text += fmt::format(
        "{:44} {:>7} {:>5} {:>8.1f} {:>10}  {}\n", name, figure(ceiling),
        figure(bar), result.percent,
        result.cycles > 0 ? fmt::format("{}", result.cycles) : "", verdict);
    auto number = [](double value) {
      return value > 0 ? nlohmann::json(value) : nlohmann::json();
    };
    rows.push_back({{"row", name},
                    {"ceiling", number(ceiling)},
                    {"bar", number(bar)},
                    {"reached", result.percent},
                    {"cycles", result.cycles},
                    {"verdict", verdict}});
  }
};

class TableRun {
public:
  TableRun(const TableOptions &options, const CompileOptions &compile,
           RowRunner::Folders folders)
      : options_(options), compile_(compile), runner_(std::move(folders)) {}

  Status run(const CeilingTable &ceilings, Table &table) {
    std::vector<std::optional<double>> percents(ceilings.rows.size());
    Progress progress("bench", ceilings.rows.size());
    for (size_t i = 0; i < ceilings.rows.size(); ++i) {
      const CeilingRow &row = ceilings.rows[i];
      if (chosen(row)) {
        progress.update(i, row.name);
        KILN_ASSIGN_OR_RETURN(RowResult result, addRow(row, table));
        percents[i] = result.percent;
      }
    }
    for (const CeilingGroup &group : ceilings.groups) {
      addGroup(group, geometricMean(group, percents), table);
    }
    return Status::ok();
  }

private:
  bool chosen(const CeilingRow &row) const {
    return row.name.find(options_.filter) != std::string::npos &&
           (options_.set == "all" || row.isLong == (options_.set == "long"));
  }

  Result<RowResult> addRow(const CeilingRow &row, Table &table) {
    KILN_ASSIGN_OR_RETURN(isa::ArchSpec machine,
                          isa::loadArchSpec(row.machine));
    Result<RowResult> result = row.op.name.empty() ? runner_.run(row, machine)
                                                   : runCompiled(row, compile_);
    if (!result) {
      return result.status().withContext(row.name);
    }
    const bool reached = result->percent >= row.bar;
    table.add(row.name, row.ceiling, row.bar, *result,
              row.bar == 0 ? ""
              : reached    ? "reached"
                           : "below");
    nlohmann::json &json = table.rows.back();
    json["of"] = kShareNames[static_cast<unsigned>(row.share)];
    json["cores"] = row.cores;
    json["machine"] = row.machine;
    json["machine_hash"] = machine.hash;
    if (row.without) {
      KILN_RETURN_IF_ERROR(
          addSecond(row, reached, table).withContext(row.name));
    } else if (!reached) {
      miss(row.name, result->percent, row.bar, table);
    }
    return result;
  }

  /// The same row with an effect of the machine switched off.
  Status addSecond(const CeilingRow &row, bool reached, Table &table) {
    KILN_ASSIGN_OR_RETURN(isa::ArchSpec machine, machineWithout(row));
    KILN_ASSIGN_OR_RETURN(RowResult result, runner_.run(row, machine));
    const bool second = result.percent >= row.bar;
    table.add("  without " + row.without->effect, 0, row.bar, result,
              second ? "reached" : "BELOW");
    nlohmann::json &json = table.rows.back();
    json["without"] = row.without->effect;
    json["of_row"] = row.name;
    json["keys"] = row.without->keys;
    json["machine_hash"] = machine.hash;
    if (!reached && !second) {
      miss(row.name, result.percent, row.bar, table);
    }
    return Status::ok();
  }

  void addGroup(const CeilingGroup &group, std::optional<double> percent,
                Table &table) {
    if (!percent) { // rows that were not chosen
      return;
    }
    const bool reached = *percent >= group.bar;
    table.add(group.name, group.ceiling, group.bar, {0, *percent},
              group.bar == 0 ? ""
              : reached      ? "reached"
                             : "BELOW");
    if (!reached) {
      miss(group.name, *percent, group.bar, table);
    }
  }

  static void miss(const std::string &name, double percent, double bar,
                   Table &table) {
    if (table.worst) {
      table.worst = Status(
          StatusCode::kMismatch,
          fmt::format("{}: {:.1f} %, the bar is {:.4g} %", name, percent, bar));
    }
  }

  const TableOptions &options_;
  const CompileOptions &compile_;
  RowRunner runner_;
};

} // namespace

Status benchTable(const Context &context, const TableOptions &options,
                  const CompileOptions &compile) {
  RowRunner::Folders folders;
  KILN_ASSIGN_OR_RETURN(folders.include, includeFolder());
  std::filesystem::path file = options.rows;
  if (file.empty()) {
    KILN_ASSIGN_OR_RETURN(std::filesystem::path examples, examplesFolder());
    file = examples / "ceilings.yaml";
  }
  folders.examples = file.parent_path();
  KILN_ASSIGN_OR_RETURN(CeilingTable ceilings, readCeilings(file));
  KILN_ASSIGN_OR_RETURN(isa::ArchSpec k1, isa::loadArchSpec("k1"));
  Table table;
  table.text = fmt::format("npu:cycle, k1 {}, share in percent\n"
                           "{:44} {:>7} {:>5} {:>8} {:>10}\n",
                           k1.hash.substr(0, 16), "row", "ceiling", "bar",
                           "reached", "cycles");
  KILN_RETURN_IF_ERROR(
      TableRun(options, compile, std::move(folders)).run(ceilings, table));
  if (table.rows.empty()) {
    return {StatusCode::kInvalidArgument,
            fmt::format("--filter {}: no row of set '{}' in {} has this in its "
                        "name",
                        options.filter, options.set, file.string())};
  }
  context.print(table.text,
                {{"rows", table.rows}, {"host_cpu_s", hostCpuSeconds()}});
  return table.worst;
}

} // namespace kiln::tools
