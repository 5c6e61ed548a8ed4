// SPDX-License-Identifier: Apache-2.0
//
// Stored test data of models, in the layout of the ONNX backend tests:
// test_data_set_N/input_I.pb and output_I.pb, in graph order, beside the model
// or in MODEL.test_data/.
#pragma once

#include "tools/io/compare.h"
#include "tools/kiln/loaded_model.h"

#include <filesystem>
#include <optional>
#include <vector>

namespace kiln::tools {

struct TestCase {
  std::filesystem::path model;
  std::vector<std::filesystem::path> dataSets;
};

/// A model file, or every model with test data below a folder (sorted).
/// `data`: take the data sets from there. kInvalidArgument when there is none.
Result<std::vector<TestCase>>
findTestCases(const std::filesystem::path &modelOrFolder,
              const std::filesystem::path &data);

/// How outputs are judged: element by element, or by the relative L2 error of
/// each whole output.
struct Bound {
  std::optional<double> relative, absolute, relativeL2;

  /// Bounds not given: the suggested tolerance of whole models.
  ops::Tolerance tolerance(ops::DataType type) const;
  /// Decides a comparison anew by relativeL2, when that is the bound.
  bool passes(const Comparison &c) const;
};

struct OutputCheck {
  std::string name;
  ops::Shape shape;
  Comparison comparison;
  bool passed = false;
};

/// Compares outputs with output_I.pb of a data set.
Result<std::vector<OutputCheck>>
checkOutputs(const NamedTensors &outputs, const std::filesystem::path &dataSet,
             const Bound &bound);

/// input_I.pb of a data set, named as the model's inputs.
Result<NamedTensors> namedInputs(const std::filesystem::path &model,
                                 const std::filesystem::path &dataSet);

} // namespace kiln::tools
