// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/test_data.h"

#include "tools/kiln/model_options.h"

#include <algorithm>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> dataSetsIn(const fs::path &folder) {
  std::vector<fs::path> sets;
  std::error_code error;
  for (const auto &entry : fs::directory_iterator(folder, error)) {
    if (entry.is_directory() &&
        entry.path().filename().string().starts_with("test_data_set_")) {
      sets.push_back(entry.path());
    }
  }
  std::sort(sets.begin(), sets.end());
  return sets;
}

std::vector<fs::path> dataSetsOf(const fs::path &model) {
  fs::path beside = model;
  std::vector<fs::path> sets =
      dataSetsIn(beside.replace_extension(".test_data"));
  return sets.empty() ? dataSetsIn(model.parent_path()) : sets;
}

} // namespace

Result<std::vector<TestCase>> findTestCases(const fs::path &modelOrFolder,
                                            const fs::path &data) {
  std::error_code error;
  if (!fs::exists(modelOrFolder, error)) {
    return Status(StatusCode::kCorrupt, "cannot read " +
                                            modelOrFolder.string() +
                                            ": no such file or folder");
  }
  std::vector<TestCase> cases;
  if (!fs::is_directory(modelOrFolder)) {
    auto sets = data.empty() ? dataSetsOf(modelOrFolder) : dataSetsIn(data);
    cases.push_back({modelOrFolder, std::move(sets)});
  } else {
    for (const auto &entry : fs::recursive_directory_iterator(modelOrFolder)) {
      if (entry.path().extension() == ".onnx") {
        cases.push_back({entry.path(), dataSetsOf(entry.path())});
      }
    }
    std::erase_if(cases, [](const TestCase &c) { return c.dataSets.empty(); });
    std::sort(cases.begin(), cases.end(),
              [](const auto &a, const auto &b) { return a.model < b.model; });
  }
  if (cases.empty() || cases[0].dataSets.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("no test data for {}: expected test_data_set_N "
                              "beside it or in MODEL.test_data, or --data DIR",
                              modelOrFolder.string()));
  }
  return cases;
}

ops::Tolerance Bound::tolerance(ops::DataType type) const {
  ops::Tolerance t = ops::modelTolerance(type);
  t.relative = relative.value_or(absolute ? 0 : t.relative);
  t.absolute = absolute.value_or(relative ? 0 : t.absolute);
  return t;
}

bool Bound::passes(const Comparison &c) const {
  return relativeL2 ? c.relativeL2 <= *relativeL2 : c.passed;
}

Result<NamedTensors> namedInputs(const fs::path &model,
                                 const fs::path &dataSet) {
  KILN_ASSIGN_OR_RETURN(std::vector<GraphInput> graph, graphInputs(model));
  KILN_ASSIGN_OR_RETURN(NamedTensors inputs, loadNumbered(dataSet, "input"));
  if (inputs.size() != graph.size()) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("{} has {} inputs, {} takes {}", dataSet.string(),
                              inputs.size(), model.string(), graph.size()));
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    inputs[i].name = graph[i].name;
    // ONNX's test data stores bf16 as its bits in u16.
    if (inputs[i].type == ops::DataType::U16 &&
        graph[i].onnxType == ops::toOnnx(ops::DataType::BF16)) {
      inputs[i].type = ops::DataType::BF16;
    }
  }
  return inputs;
}

Result<std::vector<OutputCheck>> checkOutputs(const NamedTensors &outputs,
                                              const fs::path &dataSet,
                                              const Bound &bound) {
  KILN_ASSIGN_OR_RETURN(NamedTensors expected, loadNumbered(dataSet, "output"));
  if (expected.size() != outputs.size() || expected.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("{} has {} outputs, the model {}",
                              dataSet.string(), expected.size(),
                              outputs.size()));
  }
  std::vector<OutputCheck> checks;
  for (size_t i = 0; i < outputs.size(); ++i) {
    Result<Comparison> c =
        compare(outputs[i], expected[i], bound.tolerance(expected[i].type));
    if (!c) {
      return c.status().withContext("output '" + outputs[i].name + "'");
    }
    bool passed = bound.passes(*c);
    checks.push_back({outputs[i].name, expected[i].shape, *c, passed});
  }
  return checks;
}

} // namespace kiln::tools
