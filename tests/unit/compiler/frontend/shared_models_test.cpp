// SPDX-License-Identifier: Apache-2.0
//
// The importer on the real models beside the repository. Skipped, visibly,
// where they are not present.
#include "compiler/frontend/onnx/importer.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"

#include <filesystem>
#include <gtest/gtest.h>

namespace kiln {
namespace {

const std::filesystem::path kModels = "../shared/models";

struct Case {
  const char *path;
  size_t inputs, outputs, nodes;
};

void PrintTo(const Case &c, std::ostream *os) { *os << c.path; }

class SharedModel : public testing::TestWithParam<Case> {};

TEST_P(SharedModel, ImportsAndVerifies) {
  const Case &c = GetParam();
  if (!std::filesystem::exists(kModels / c.path)) {
    GTEST_SKIP() << "no " << (kModels / c.path);
  }
  mlir::MLIRContext context;
  Result<ImportedModel> model =
      importOnnx(kModels / c.path, ImportOptions(), context);
  if (!model && model.status().code() == StatusCode::kInvalidArgument) {
    ImportOptions one;
    one.dims["batch_size"] = 1;
    model = importOnnx(kModels / c.path, one, context);
  }
  ASSERT_TRUE(model.isOk()) << model.status().message();
  EXPECT_TRUE(mlir::succeeded(mlir::verify(model->module->getOperation())));
  EXPECT_EQ(model->inputs.size(), c.inputs);
  EXPECT_EQ(model->outputs.size(), c.outputs);
  EXPECT_EQ(model->nodes.size(), c.nodes);
}

INSTANTIATE_TEST_SUITE_P(
    All, SharedModel,
    testing::Values(
        Case{"mnist_cnn/mnist-8.onnx", 1, 1, 12},
        Case{"mnist_cnn/mnist_opset1.onnx", 1, 1, 18},
        Case{"mlperf_tiny/ic_resnet8_fp32.onnx", 1, 1, 24},
        Case{"mlperf_tiny/kws_dscnn_fp32.onnx", 1, 1, 23},
        Case{"mlperf_tiny/vww_mbv1_96_fp32.onnx", 1, 1, 59},
        Case{"mlperf_tiny/ad_toycar_fp32.onnx", 1, 1, 19},
        Case{"speech_commands_squeezenet/speech_recog.onnx", 1, 1, 65},
        Case{"squeezenet1_0_fp16/SqueezeNet_fp16.onnx", 1, 1, 66},
        Case{"super_resolution/super_resolution.onnx", 1, 1, 12},
        Case{"robot_policies/go1_policy.onnx", 1, 1, 14},
        Case{"onnx_light_models/light_resnet50.onnx", 1, 1, 415},
        Case{"onnx_light_models/light_squeezenet.onnx", 1, 1, 105}));

} // namespace
} // namespace kiln
