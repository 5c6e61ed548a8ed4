// SPDX-License-Identifier: Apache-2.0
//
// `kiln verify`: every stored test data set of a model on a device.
#include "tools/kiln/cycle_report.h"
#include "tools/kiln/layer_table.h"
#include "tools/kiln/model_options.h"
#include "tools/kiln/per_layer.h"
#include "tools/kiln/test_data.h"
#include "tools/kiln/verbs.h"

#include <fmt/format.h>

namespace kiln::tools {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string model, data, package;
  DeviceChoice device;
  CompileOptions compile;
  Bound bound;
  std::vector<std::string> dims;
  bool perLayer = false;
};

struct Tally {
  std::string text;
  nlohmann::json rows = nlohmann::json::array();
  uint64_t passed = 0, failed = 0;
  std::string firstFailure;
};

void addChecks(Tally &tally, const std::filesystem::path &dataSet,
               const std::vector<OutputCheck> &checks) {
  for (const OutputCheck &check : checks) {
    (check.passed ? tally.passed : tally.failed) += 1;
    const Comparison &c = check.comparison;
    std::string measures = c.describe(check.shape);
    std::string line =
        fmt::format("{} {} '{}': {}\n", check.passed ? "right" : "WRONG",
                    dataSet.parent_path().filename().string() + "/" +
                        dataSet.filename().string(),
                    check.name, measures);
    tally.text += line;
    if (!check.passed && tally.firstFailure.empty()) {
      tally.firstFailure = fmt::format("{} output '{}': {}", dataSet.string(),
                                       check.name, measures);
    }
    tally.rows.push_back({{"data_set", dataSet.string()},
                          {"output", check.name},
                          {"passed", check.passed},
                          {"max_abs", c.maxAbsolute},
                          {"max_rel", c.maxRelative},
                          {"max_ulp", c.maxUlp},
                          {"cosine", c.cosine},
                          {"relative_l2", c.relativeL2},
                          {"same_top1", c.sameTop1}});
  }
}

/// Runs the data sets of one model; a package serves sets of equal shapes.
class CaseRunner {
public:
  CaseRunner(const Options &options, const TestCase &test)
      : options_(options), test_(test) {}

  Status run(const std::filesystem::path &dataSet, Tally &tally) {
    KILN_ASSIGN_OR_RETURN(NamedTensors inputs,
                          namedInputs(test_.model, dataSet));
    if (!model_ || shapesOf(inputs) != shapes_) {
      model_.reset();
      KILN_ASSIGN_OR_RETURN(
          LoadedModel loaded,
          loadModel(options_.package.empty() ? test_.model
                                             : fs::path(options_.package),
                    inputs, options_.device, options_.compile));
      model_ = std::make_unique<LoadedModel>(std::move(loaded));
      layers_.emplace(*model_);
      shapes_ = shapesOf(inputs);
    }
    if (options_.perLayer) {
      Result<std::string> table =
          compareLayers(*model_, test_.model, inputs, options_.bound);
      if (!table) {
        return table.status();
      }
      tally.text += *table;
    }
    hal::RunOptions runOptions;
    runOptions.profile = [&](const auto &p) {
      findings_ += p.report.findings.size();
      layers_->add(p);
    };
    KILN_ASSIGN_OR_RETURN(NamedTensors outputs,
                          model_->run(inputs, runOptions));
    KILN_ASSIGN_OR_RETURN(std::vector<OutputCheck> checks,
                          checkOutputs(outputs, dataSet, options_.bound));
    addChecks(tally, dataSet, checks);
    if (findings_ > 0) {
      return {StatusCode::kDeviceFault,
              fmt::format("{}: {} findings of the checks", dataSet.string(),
                          findings_)};
    }
    return Status::ok();
  }

  const std::optional<LayerTable> &layers() const { return layers_; }

private:
  static std::vector<ops::Shape> shapesOf(const NamedTensors &tensors) {
    std::vector<ops::Shape> shapes;
    for (const HostTensor &t : tensors) {
      shapes.push_back(t.shape);
    }
    return shapes;
  }

  const Options &options_;
  const TestCase &test_;
  std::unique_ptr<LoadedModel> model_;
  std::optional<LayerTable> layers_;
  std::vector<ops::Shape> shapes_;
  uint64_t findings_ = 0;
};

Status verify(const Context &context, Options options) {
  KILN_ASSIGN_OR_RETURN(options.compile.dims, parseDims(options.dims));
  KILN_ASSIGN_OR_RETURN(std::vector<TestCase> cases,
                        findTestCases(options.model, options.data));
  Tally tally;
  nlohmann::json models = nlohmann::json::array();
  uint64_t total = 0, done = 0;
  for (const TestCase &test : cases) {
    total += test.dataSets.size();
  }
  Progress progress("verify", total);
  for (const TestCase &test : cases) {
    CaseRunner runner(options, test);
    for (const std::filesystem::path &dataSet : test.dataSets) {
      progress.update(done++, dataSet.string());
      if (Status s = runner.run(dataSet, tally); !s.isOk()) {
        bool named = s.message().starts_with(test.model.string());
        return named ? s : s.withContext(test.model.string());
      }
    }
    nlohmann::json entry = {{"model", test.model.string()}};
    if (runner.layers() && runner.layers()->summary()) {
      entry.update(runner.layers()->summary()->json());
    }
    models.push_back(std::move(entry));
  }
  tally.text += fmt::format("{} of {} outputs right on {}\n", tally.passed,
                            tally.passed + tally.failed, options.device.device);
  context.print(tally.text, {{"device", options.device.device},
                             {"right", tally.passed},
                             {"wrong", tally.failed},
                             {"models", models},
                             {"outputs", tally.rows},
                             {"host_cpu_s", hostCpuSeconds()}});
  if (tally.failed > 0) {
    return {StatusCode::kMismatch, tally.firstFailure};
  }
  return Status::ok();
}

} // namespace

void addVerify(CLI::App &app, Context &context) {
  CLI::App *verb = addVerb(
      app, context, "verify", "run the stored test data of a model and compare",
      "kiln verify model.onnx --device npu:functional --order lazy");
  auto options = std::make_shared<Options>();
  verb->add_option("model", options->model, "model, or folder of models")
      ->required();
  verb->add_option("--data", options->data,
                   "folder with test_data_set_N, if not beside the model");
  verb->add_option("--package", options->package,
                   "run this package of the model instead of compiling it");
  verb->add_option("--rtol", options->bound.relative,
                   "relative tolerance (default: fp32 1e-3, fp16 0)")
      ->check(notNegative());
  verb->add_option("--atol", options->bound.absolute,
                   "absolute tolerance (default: fp32 1e-4, fp16 5e-3)")
      ->check(notNegative());
  verb->add_option("--l2", options->bound.relativeL2,
                   "judge by the relative L2 error of each output")
      ->check(notNegative());
  verb->add_option("--dim", options->dims, "NAME=N: a symbolic dimension");
  verb->add_flag("--per-layer", options->perLayer,
                 "find the first layer that differs from the reference, each "
                 "given what the device computed before it");
  addDeviceOptions(*verb, options->device);
  addCompileOptions(*verb, options->compile);
  setAction(*verb, context, options, verify);
}

} // namespace kiln::tools
