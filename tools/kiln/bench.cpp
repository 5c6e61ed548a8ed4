// SPDX-License-Identifier: Apache-2.0
//
// `kiln bench`: how long a model takes, and the table of kernel shares.
#include "tools/kiln/cycle_report.h"
#include "tools/kiln/model_options.h"
#include "tools/kiln/op_run.h"
#include "tools/kiln/test_data.h"
#include "tools/kiln/verbs.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

struct Options {
  std::string model;
  DeviceChoice device;
  CompileOptions compile;
  std::vector<std::string> inputs, dims;
  uint32_t repeat = 5;
  bool table = false;
  bool layers = false;
};

/// A row of the machine's table of ceilings. `bar`: the share that must be
/// reached today, in percent; 0 where no bar is set yet.
struct TableRow {
  const char *name;
  const char *op;
  const char *shapes[2];
  const char *attributes;
  double ceiling;
  double bar;
};

// Ceilings: an expert schedule on k1's figures, one core, fp16, kernel share.
constexpr TableRow kRows[] = {
    {"GEMM 1024^3, 1 core", "matmul", {"1024x1024", "1024x1024"}, "", 99.0, 75},
    {"3x3 stage 2, b1",
     "conv",
     {"1x64x56x56", "64x64x3x3"},
     "pads=1,1,1,1",
     95.6,
     65},
    {"3x3 stage 3, b1",
     "conv",
     {"1x128x28x28", "128x128x3x3"},
     "pads=1,1,1,1",
     95.5,
     0},
    {"3x3 stage 4, b1",
     "conv",
     {"1x256x14x14", "256x256x3x3"},
     "pads=1,1,1,1",
     90.1,
     0},
    {"3x3 stage 5, b1",
     "conv",
     {"1x512x7x7", "512x512x3x3"},
     "pads=1,1,1,1",
     72.7,
     0},
};

Status runRow(const TableRow &row, const Options &options, std::string &text,
              nlohmann::json &rows) {
  OperatorRequest request;
  request.name = row.op;
  request.shapes = {row.shapes[0], row.shapes[1]};
  if (*row.attributes != '\0') {
    request.attributes = {row.attributes};
  }
  DeviceChoice device = options.device;
  device.device = "npu:cycle";
  Result<OperatorRun> run = runOperator(request, device, options.compile);
  if (!run) {
    return run.status().withContext(row.name);
  }
  std::string measures;
  nlohmann::json check;
  Status equal = checkOperator(run->op, run->outputs, measures, check);
  const CycleSummary &summary = *run->layers->summary();
  double reached = 100 * summary.kernelShare();
  text += fmt::format("{:24} {:8.1f} {:>8} {:8.1f} {:12} {}\n", row.name,
                      row.ceiling,
                      row.bar > 0 ? fmt::format("{:.0f}", row.bar) : "-",
                      reached, summary.kernelCycles(),
                      !equal.isOk()        ? "WRONG RESULT"
                      : row.bar == 0       ? ""
                      : reached >= row.bar ? "reached"
                                           : "BELOW");
  nlohmann::json entry = {{"row", row.name},
                          {"ceiling", row.ceiling},
                          {"bar", nullptr},
                          {"reached", reached},
                          {"cycles", summary.kernelCycles()},
                          {"model_share", 100 * summary.modelShare()}};
  if (row.bar > 0) {
    entry["bar"] = row.bar;
  }
  entry["right"] = equal.isOk();
  rows.push_back(std::move(entry));
  if (!equal.isOk()) {
    return equal.withContext(row.name);
  }
  if (reached < row.bar) {
    return {StatusCode::kMismatch,
            fmt::format("{}: {:.1f} % of the cube, the bar is {:.0f} %",
                        row.name, reached, row.bar)};
  }
  return Status::ok();
}

Status benchTable(const Context &context, const Options &options) {
  KILN_ASSIGN_OR_RETURN(isa::ArchSpec machine,
                        isa::loadArchSpec(options.device.machine.empty()
                                              ? "k1"
                                              : options.device.machine));
  std::string text = fmt::format(
      "kernel share on npu:cycle, {} {}, 1 core, fp16, in percent\n{:24} {:>8} "
      "{:>8} {:>8} {:>12}\n",
      machine.name, machine.hash.substr(0, 16), "row", "ceiling", "bar",
      "reached", "cycles");
  nlohmann::json rows = nlohmann::json::array();
  Progress progress("bench", std::size(kRows));
  Status worst;
  uint64_t done = 0;
  for (const TableRow &row : kRows) {
    progress.update(done++, row.name);
    Status status = runRow(row, options, text, rows);
    if (!status.isOk() && status.code() != StatusCode::kMismatch) {
      return status;
    }
    worst = worst.isOk() ? status : worst;
  }
  context.print(text, {{"rows", rows},
                       {"machine", machine.name},
                       {"machine_hash", machine.hash},
                       {"precision", "fp16"},
                       {"host_cpu_s", hostCpuSeconds()}});
  return worst;
}

/// Inputs of the command line, else of the first data set beside the model.
Result<NamedTensors> benchInputs(const Options &options) {
  if (!options.inputs.empty()) {
    return loadInputs(options.inputs);
  }
  KILN_ASSIGN_OR_RETURN(std::vector<TestCase> cases,
                        findTestCases(options.model, {}));
  return namedInputs(options.model, cases[0].dataSets[0]);
}

Status benchModel(const Context &context, Options options) {
  KILN_ASSIGN_OR_RETURN(options.compile.dims, parseDims(options.dims));
  KILN_ASSIGN_OR_RETURN(NamedTensors inputs, benchInputs(options));
  KILN_ASSIGN_OR_RETURN(
      LoadedModel model,
      loadModel(options.model, inputs, options.device, options.compile));
  std::vector<double> seconds;
  LayerTable layers(model);
  Progress progress("bench", options.repeat + 1);
  for (uint32_t i = 0; i <= options.repeat; ++i) { // the first warms up
    progress.update(i, options.model);
    hal::RunOptions run;
    if (i == 0) {
      run.profile = [&](const auto &p) { layers.add(p); };
    } else if (options.layers) {
      run.profile = [&](const auto &p) { layers.keepFaster(p); };
    }
    auto start = std::chrono::steady_clock::now();
    Result<NamedTensors> outputs = model.run(inputs, run);
    if (!outputs) {
      return outputs.status();
    }
    std::chrono::duration<double> took =
        std::chrono::steady_clock::now() - start;
    if (i > 0) {
      seconds.push_back(took.count());
    }
  }
  std::sort(seconds.begin(), seconds.end());
  nlohmann::json json = {{"device", options.device.device}};
  std::string text;
  if (layers.summary()) {
    json = layers.summary()->json();
    text = layers.summary()->text();
  }
  if (options.layers) {
    json["layers"] = layers.json();
    text += layers.text();
  }
  json["host_latency_s"] = {{"best", seconds.front()},
                            {"median", seconds[seconds.size() / 2]}};
  json["runs"] = seconds.size();
  json["precision"] = model.package().precision;
  json["host_cpu_s"] = hostCpuSeconds();
  text += fmt::format("{} runs on {}: best {:.3f} ms, median {:.3f} ms on the "
                      "host\n",
                      seconds.size(), options.device.device,
                      1e3 * seconds.front(), 1e3 * seconds[seconds.size() / 2]);
  context.print(text, json);
  return Status::ok();
}

Status bench(const Context &context, const Options &options) {
  if (options.table) {
    return benchTable(context, options);
  }
  if (options.model.empty()) {
    return {StatusCode::kInvalidArgument, "bench needs a model or --table"};
  }
  return benchModel(context, options);
}

} // namespace

void addBench(CLI::App &app, Context &context) {
  CLI::App *verb = addVerb(app, context, "bench",
                           "latency of a model, or the table of kernel shares",
                           "kiln bench model.onnx --device cpu --repeat 10\n"
                           "  kiln bench --table --json");
  auto options = std::make_shared<Options>();
  verb->add_option("model", options->model, "model.onnx or model.kiln");
  verb->add_flag("--table", options->table,
                 "rows of the table of ceilings, on npu:cycle");
  verb->add_flag("--layers", options->layers,
                 "also the least host time of every dispatch");
  verb->add_option("--repeat", options->repeat, "timed runs after a warm one")
      ->check(CLI::PositiveNumber);
  verb->add_option("--input", options->inputs,
                   "NAME=FILE; default: the test data beside the model");
  verb->add_option("--dim", options->dims, "NAME=N: a symbolic dimension");
  addDeviceOptions(*verb, options->device);
  addCompileOptions(*verb, options->compile);
  setAction(*verb, context, options, bench);
}

} // namespace kiln::tools
