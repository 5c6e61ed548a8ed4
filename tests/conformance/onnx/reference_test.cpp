// SPDX-License-Identifier: Apache-2.0
//
// The reference operators against the shared ONNX node tests: the stored
// outputs and, where ONNX Runtime runs the test, its outputs. Both are
// independent of the project. prepare_node_tests.py unpacks them.
#include "ops/library.h"
#include "ops/onnx_call.h"
#include "tests/support/folders.h"
#include "tools/io/compare.h"
#include "tools/io/onnx_node.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

namespace kiln::tools {
namespace {

namespace fs = std::filesystem;

// The shared classification names this stored expectation as wrong, and
// ONNX Runtime 1.20 repeats it: the average counts elements beyond the end
// padding.
const std::string kWrongAverage =
    "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_"
    "True";
const std::set<std::string> kWrongStored = {kWrongAverage};
// ONNX Runtime 1.20 keeps a pooling window that starts in the end padding;
// the operator page and the stored data (opset 22) leave it out.
const std::set<std::string> kWrongOrt = {
    kWrongAverage, "test_maxpool_2d_ceil_output_size_reduce_by_one"};
// Stored as literals of four digits.
const std::set<std::string> kRoundedStored = {
    "test_averagepool_2d_ceil_last_window_starts_on_pad"};

/// Least number of tests each operator set must run; may only grow.
constexpr int kLeastTests = 250;

/// The operator types of a model; empty when an input is not a plain tensor
/// (sequences and optionals are stored as other messages).
std::set<std::string> operatorsOf(const fs::path &model) {
  std::ifstream in(model, std::ios::binary);
  onnx::ModelProto proto;
  std::set<std::string> ops;
  if (proto.ParseFromIstream(&in)) {
    for (const auto &node : proto.graph().node()) {
      ops.insert(node.op_type());
    }
    for (const auto &input : proto.graph().input()) {
      if (!input.type().has_tensor_type()) {
        return {};
      }
    }
  }
  return ops;
}

/// The widest tolerance of the operators in a graph: expanded tests have
/// several.
ops::Tolerance toleranceOf(const std::set<std::string> &names,
                           ops::DataType type) {
  ops::Tolerance widest;
  for (const std::string &name : names) {
    ops::Tolerance t = ops::findOperator(name)->tolerance(type);
    widest.relative = std::max(widest.relative, t.relative);
    widest.absolute = std::max(widest.absolute, t.absolute);
  }
  return widest;
}

struct Totals {
  int ran = 0;
  int stored = 0;
  int ort = 0;
  std::map<std::string, double> maxUlp;
  std::map<std::string, int> refused;
};

class ReferenceOperators : public testing::Test {
protected:
  void compareOutput(const fs::path &file, const ops::Tensor &got,
                     double leastRelative = 0) {
    Result<HostTensor> want = loadTensor(file);
    ASSERT_TRUE(want) << want.status().message();
    HostTensor result = fromReference(got, "");
    ops::Tolerance tolerance = toleranceOf(operators_, want->type);
    tolerance.relative = std::max(tolerance.relative, leastRelative);
    Result<Comparison> c = compare(result, *want, tolerance);
    ASSERT_TRUE(c) << file << ": " << c.status().message();
    EXPECT_TRUE(c->passed) << file << ": " << c->describe(want->shape);
    double &worst = totals_.maxUlp[*operators_.begin()];
    worst = std::max(worst, c->maxUlp);
  }

  void runDataSet(const ReferenceModel &model, const fs::path &data) {
    std::string test = data.parent_path().filename().string();
    ValueMap values;
    for (size_t i = 0; i < model.inputs().size(); ++i) {
      Result<HostTensor> tensor =
          loadTensor(data / fmt::format("input_{}.pb", i));
      ASSERT_TRUE(tensor) << tensor.status().message();
      Result<ops::Tensor> value = toReference(*tensor);
      if (!value) {
        ++totals_.refused[value.status().message()];
        return;
      }
      values[model.inputs()[i]] = *value;
    }
    Result<ValueMap> result = model.run(values);
    if (!result && result.status().code() == StatusCode::kUnsupported) {
      ++totals_.refused[result.status().message()];
      return;
    }
    ASSERT_TRUE(result) << data << ": " << result.status().message();
    ++totals_.ran;
    for (size_t i = 0; i < model.outputs().size(); ++i) {
      const ops::Tensor &got = result->at(model.outputs()[i]);
      if (!kWrongStored.contains(test)) {
        compareOutput(data / fmt::format("output_{}.pb", i), got,
                      kRoundedStored.contains(test) ? 1e-3 : 0);
        ++totals_.stored;
      }
      fs::path ort = data / fmt::format("ort_output_{}.pb", i);
      if (fs::exists(ort) && !kWrongOrt.contains(test)) {
        compareOutput(ort, got);
        ++totals_.ort;
      }
    }
  }

  std::set<std::string> operators_;
  Totals totals_;
};

TEST_F(ReferenceOperators, AgreeWithOnnxDataAndOnnxRuntime) {
  fs::path root = KILN_NODE_TESTS_DIR;
  if (!fs::exists(root / "ort_outputs")) {
    GTEST_SKIP() << "no node tests at " << root
                 << " (../shared is absent or ctest ran only this test)";
  }
  std::vector<std::string> known = ops::referenceOperators();
  for (const fs::path &folder : test::modelFolders(root)) {
    operators_ = operatorsOf(folder / "model.onnx");
    if (operators_.empty() ||
        !std::includes(known.begin(), known.end(), operators_.begin(),
                       operators_.end())) {
      continue;
    }
    Result<ReferenceModel> model = ReferenceModel::load(folder / "model.onnx");
    if (!model) {
      ++totals_.refused[model.status().message()];
      continue;
    }
    for (const auto &data : fs::directory_iterator(folder)) {
      if (data.is_directory()) {
        runDataSet(*model, data.path());
      }
    }
  }
  for (const auto &[op, ulp] : totals_.maxUlp) {
    fmt::print("{:24} max ULP {:.1f}\n", op, ulp);
  }
  for (const auto &[reason, count] : totals_.refused) {
    fmt::print("refused {:4}: {}\n", count, reason);
  }
  fmt::print("{} data sets ran: {} outputs equal ONNX's stored data, {} equal "
             "ONNX Runtime\n",
             totals_.ran, totals_.stored, totals_.ort);
  EXPECT_GE(totals_.ran, kLeastTests);
}

} // namespace
} // namespace kiln::tools
