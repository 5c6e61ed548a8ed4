// SPDX-License-Identifier: Apache-2.0
//
// `kiln bench`: how long a model takes; --table: bench_table.h.
#include "tools/kiln/bench_table.h"
#include "tools/kiln/cycle_report.h"
#include "tools/kiln/layer_table.h"
#include "tools/kiln/model_options.h"
#include "tools/kiln/test_data.h"
#include "tools/kiln/verbs.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

struct Options {
  std::string model;
  DeviceChoice device;
  CompileOptions compile;
  std::vector<std::string> inputs, dims;
  uint32_t repeat = 5;
  TableOptions rows;
  bool table = false;
  bool layers = false;
};

/// Inputs of the command line, else of the first data set beside the model.
Result<NamedTensors> benchInputs(const Options &options) {
  if (!options.inputs.empty()) {
    return loadInputs(options.inputs, options.model, options.compile.dims);
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
  const double total = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  const double perSecond = static_cast<double>(seconds.size()) / total;
  json["runs_per_second"] = perSecond;
  json["runs"] = seconds.size();
  json["precision"] = model.package().precision;
  json["host_cpu_s"] = hostCpuSeconds();
  text +=
      fmt::format("{} runs on {}: best {:.3f} ms, median {:.3f} ms, {:.1f} "
                  "runs per second on the host\n",
                  seconds.size(), options.device.device, 1e3 * seconds.front(),
                  1e3 * seconds[seconds.size() / 2], perSecond);
  context.print(text, json);
  return Status::ok();
}

Status bench(const Context &context, const Options &options) {
  if (options.table && !options.model.empty()) {
    return {StatusCode::kInvalidArgument,
            "bench takes a model or --table, not both: " + options.model};
  }
  if (options.table) {
    return benchTable(context, options.rows, options.compile);
  }
  if (options.model.empty()) {
    return {StatusCode::kInvalidArgument, "bench needs a model or --table"};
  }
  return benchModel(context, options);
}

} // namespace

void addBench(CLI::App &app, Context &context) {
  CLI::App *verb = addVerb(app, context, "bench",
                           "latency of a model, or the table of ceilings",
                           "kiln bench model.onnx --device cpu --repeat 10\n"
                           "  kiln bench --table --filter GEMM");
  auto options = std::make_shared<Options>();
  verb->add_option("model", options->model, "model.onnx or model.kiln");
  verb->add_flag("--table", options->table,
                 "rows of the table of ceilings, on npu:cycle");
  verb->add_option("--filter", options->rows.filter,
                   "only rows with this in their name");
  verb->add_option("--set", options->rows.set,
                   "rows to run; long: those over 5 million cycles")
      ->check(CLI::IsMember({"full", "long", "all"}));
  verb->add_option("--rows", options->rows.rows,
                   "a table of rows instead of that of the examples");
  verb->add_flag("--layers", options->layers,
                 "also the least host time of every dispatch");
  verb->add_option("--repeat", options->repeat, "timed runs after a warm one")
      ->check(atLeastOne());
  verb->add_option("--input", options->inputs,
                   "NAME=FILE; default: the test data beside the model");
  verb->add_option("--dim", options->dims, "NAME=N: a symbolic dimension");
  addDeviceOptions(*verb, options->device);
  addCompileOptions(*verb, options->compile);
  setAction(*verb, context, options, bench);
}

} // namespace kiln::tools
