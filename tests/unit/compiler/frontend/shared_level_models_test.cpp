// SPDX-License-Identifier: Apache-2.0
//
// Real models through importer and shared pipeline, run as plain loops in this
// process and compared with the published outputs: proves the front half of
// the compiler without any backend. Skipped, visibly, without the models.
#include "compiler/frontend/onnx/importer.h"
#include "compiler/pipeline/register.h"
#include "compiler/pipeline/shared_pipeline.h"
#include "tests/unit/compiler/support/onnx_test_data.h"
#include "tests/unit/compiler/support/plan_interpreter.h"

#include "mlir/IR/MLIRContext.h"
#include <gtest/gtest.h>

namespace kiln {
namespace {

const std::filesystem::path kModels = "../shared/models";

struct Case {
  const char *model;
  const char *data;
  // Of the model table: fp32 1e-3 / 1e-4, fp16 5e-3 absolute.
  double rtol = 1e-3, atol = 1e-4;
  Precision precision = Precision::kStrict;
};

void PrintTo(const Case &c, std::ostream *os) {
  *os << c.model << (c.precision == Precision::kFp16 ? " fp16" : "");
}

class SharedLevel : public testing::TestWithParam<Case> {};

TEST_P(SharedLevel, GivesThePublishedOutputs) {
  const Case &c = GetParam();
  if (!std::filesystem::exists(kModels / c.model)) {
    GTEST_SKIP() << "no " << (kModels / c.model);
  }
  mlir::DialectRegistry registry;
  registerKilnDialects(registry);
  mlir::MLIRContext context(registry);
  Result<ImportedModel> model = importOnnx(kModels / c.model, {}, context);
  if (!model && model.status().code() == StatusCode::kInvalidArgument) {
    ImportOptions options;
    options.dims["batch_size"] = 1;
    model = importOnnx(kModels / c.model, options, context);
  }
  ASSERT_TRUE(model.isOk()) << model.status().message();
  Status status =
      buildSharedLevel(*model->module, model->constants, {c.precision});
  ASSERT_TRUE(status.isOk()) << status.message();

  std::filesystem::path folder = kModels / c.data;
  Result<Constant> input = test::readTensorFile(folder / "input_0.pb");
  Result<Constant> expected = test::readTensorFile(folder / "output_0.pb");
  ASSERT_TRUE(input.isOk()) << input.status().message();
  ASSERT_TRUE(expected.isOk()) << expected.status().message();
  Result<std::vector<Constant>> outputs =
      test::runPlan(*model->module, model->constants, {*input});
  ASSERT_TRUE(outputs.isOk()) << outputs.status().message();
  ASSERT_EQ(outputs->size(), 1u);
  EXPECT_LE(test::worstError((*outputs)[0], *expected, c.rtol, c.atol), 1.0);
}

// Nets without published data: the form alone, in both precisions.
TEST(SharedLevelForm, HoldsForTheLightModels) {
  for (const char *name : {"light_resnet50", "light_squeezenet"}) {
    std::filesystem::path path =
        kModels / "onnx_light_models" / (std::string(name) + ".onnx");
    if (!std::filesystem::exists(path)) {
      GTEST_SKIP() << "no " << path;
    }
    for (Precision precision : {Precision::kStrict, Precision::kFp16}) {
      mlir::DialectRegistry registry;
      registerKilnDialects(registry);
      mlir::MLIRContext context(registry);
      Result<ImportedModel> model = importOnnx(path, {}, context);
      ASSERT_TRUE(model.isOk()) << model.status().message();
      Status status =
          buildSharedLevel(*model->module, model->constants, {precision});
      EXPECT_TRUE(status.isOk()) << name << ": " << status.message();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, SharedLevel,
    testing::Values(
        Case{"mnist_cnn/mnist-8.onnx",
             "mnist_cnn/mnist-8.test_data/test_data_set_0"},
        Case{"mnist_cnn/mnist-8.onnx",
             "mnist_cnn/mnist-8.test_data/test_data_set_1"},
        // The same weights in the form of opset 1.
        Case{"mnist_cnn/mnist_opset1.onnx",
             "mnist_cnn/mnist-8.test_data/test_data_set_0"},
        Case{"mlperf_tiny/ic_resnet8_fp32.onnx",
             "mlperf_tiny/ic_resnet8_fp32.test_data/test_data_set_0"},
        Case{"mlperf_tiny/kws_dscnn_fp32.onnx",
             "mlperf_tiny/kws_dscnn_fp32.test_data/test_data_set_0"},
        Case{"mlperf_tiny/vww_mbv1_96_fp32.onnx",
             "mlperf_tiny/vww_mbv1_96_fp32.test_data/test_data_set_0"},
        Case{"mlperf_tiny/ad_toycar_fp32.onnx",
             "mlperf_tiny/ad_toycar_fp32.test_data/test_data_set_0"},
        Case{"robot_policies/go1_policy.onnx",
             "robot_policies/go1_policy.test_data/test_data_set_0"},
        Case{"speech_commands_squeezenet/speech_recog.onnx",
             "speech_commands_squeezenet/speech_recog.test_data/"
             "test_data_set_0"},
        Case{"super_resolution/super_resolution.onnx",
             "super_resolution/super_resolution.test_data/test_data_set_0"},
        Case{"squeezenet1_0_fp16/SqueezeNet_fp16.onnx",
             "squeezenet1_0_fp16/SqueezeNet_fp16.test_data/test_data_set_0", 0,
             5e-3},
        Case{"mlperf_tiny/ic_resnet8_fp32.onnx",
             "mlperf_tiny/ic_resnet8_fp32.test_data/test_data_set_0", 0, 2e-2,
             Precision::kFp16}));

} // namespace
} // namespace kiln
