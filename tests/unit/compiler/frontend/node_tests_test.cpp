// SPDX-License-Identifier: Apache-2.0
//
// The shared ONNX node tests through importer, shared pipeline and plain
// loops: every model is either refused with a reason or right. Skipped,
// visibly, without the archive.
#include "compiler/frontend/onnx/importer.h"
#include "compiler/pipeline/register.h"
#include "compiler/pipeline/shared_pipeline.h"
#include "tests/support/folders.h"
#include "tests/unit/compiler/support/onnx_test_data.h"
#include "tests/unit/compiler/support/plan_interpreter.h"

#include "mlir/IR/MLIRContext.h"
#include <cstdlib>
#include <gtest/gtest.h>
#include <map>

namespace kiln {
namespace {

namespace fs = std::filesystem;

struct Outcome {
  std::string kind; // "right", "refused", "corrupt", "wrong", "no data"
  std::string text;
};

Outcome runOne(const fs::path &folder, mlir::MLIRContext &context) {
  Result<ImportedModel> model = importOnnx(folder / "model.onnx", {}, context);
  if (!model) {
    bool refused = model.status().code() == StatusCode::kUnsupported ||
                   model.status().code() == StatusCode::kInvalidArgument;
    return {refused ? "refused" : "corrupt", model.status().message()};
  }
  Status status = buildSharedLevel(*model->module, model->constants);
  if (!status.isOk()) {
    return {"wrong", status.message()};
  }
  fs::path data = folder / "test_data_set_0";
  std::vector<Constant> inputs;
  for (size_t i = 0; i < model->inputs.size(); ++i) {
    Result<Constant> input =
        test::readTensorFile(data / ("input_" + std::to_string(i) + ".pb"));
    if (!input) {
      return {"no data", input.status().message()};
    }
    inputs.push_back(std::move(*input));
  }
  Result<std::vector<Constant>> outputs =
      test::runPlan(*model->module, model->constants, inputs);
  if (!outputs) {
    return {"wrong", outputs.status().message()};
  }
  for (size_t i = 0; i < outputs->size(); ++i) {
    Result<Constant> expected =
        test::readTensorFile(data / ("output_" + std::to_string(i) + ".pb"));
    if (!expected) {
      return {"no data", expected.status().message()};
    }
    // The tolerance of the published runner; f16 tests have it too.
    double error = test::worstError((*outputs)[i], *expected, 1e-3, 1e-7);
    if (error > 1) {
      return {"wrong", "error " + std::to_string(error) + " of the tolerance"};
    }
  }
  return {"right", ""};
}

TEST(NodeTests, AreRefusedWithAReasonOrRight) {
  const std::string archive = "../shared/onnx_node_tests.tar.zst";
  if (!fs::exists(archive)) {
    GTEST_SKIP() << "no " << archive;
  }
  const fs::path &scratch = test::scratchFolder();
  const std::string unpack =
      "tar --zstd -xf '" + archive + "' -C '" + scratch.string() + "'";
  ASSERT_EQ(std::system(unpack.c_str()), 0) << unpack;
  mlir::DialectRegistry registry;
  registerKilnDialects(registry);
  std::map<std::string, int> counts;
  for (const fs::path &folder : test::modelFolders(scratch)) {
    mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
    Outcome outcome = runOne(folder, context);
    ++counts[outcome.kind];
    if (outcome.kind == "right") {
      std::cout << "right: " << folder.filename().string() << "\n";
    } else if (outcome.kind != "refused") {
      std::cout << outcome.kind << ": " << folder.filename().string() << ": "
                << outcome.text << "\n";
    }
    EXPECT_NE(outcome.kind, "wrong") << folder.filename();
  }
  for (const auto &[kind, count] : counts) {
    std::cout << kind << ": " << count << "\n";
    testing::Test::RecordProperty(kind, count);
  }
  // May grow, never shrink.
  EXPECT_GE(counts["right"], 129);
  EXPECT_EQ(counts["corrupt"], 0);
}

} // namespace
} // namespace kiln
