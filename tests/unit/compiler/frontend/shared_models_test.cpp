// SPDX-License-Identifier: Apache-2.0
//
// The importer on the real models beside the repository. Skipped, visibly,
// where they are not present.
#include "compiler/frontend/onnx/importer.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>

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

// A damaged file is refused or still a valid model; never anything else.
TEST(DamagedModel, IsRefusedOrValid) {
  std::filesystem::path path = kModels / "mnist_cnn/mnist-8.onnx";
  if (!std::filesystem::exists(path)) {
    GTEST_SKIP() << "no " << path;
  }
  std::ifstream file(path, std::ios::binary);
  std::vector<uint8_t> whole((std::istreambuf_iterator<char>(file)), {});
  std::mt19937 random(1);
  mlir::MLIRContext context;
  for (int i = 0; i < 1000; ++i) {
    std::vector<uint8_t> bytes = whole;
    if (i % 2 == 0) {
      bytes.resize(random() % whole.size());
    } else {
      bytes[random() % whole.size()] ^= uint8_t(1) << (random() % 8);
    }
    Result<ImportedModel> model =
        importOnnxBytes(bytes, "damaged.onnx", {}, context);
    if (model) {
      EXPECT_TRUE(mlir::succeeded(mlir::verify(model->module->getOperation())));
    } else {
      EXPECT_NE(model.status().code(), StatusCode::kInternal) << i;
      EXPECT_FALSE(model.status().message().empty()) << i;
    }
  }
}

TEST(MustBeRefused, ByName) {
  std::filesystem::path folder = kModels / "must_be_refused";
  if (!std::filesystem::exists(folder)) {
    GTEST_SKIP() << "no " << folder;
  }
  for (const auto &entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".onnx") {
      continue;
    }
    mlir::MLIRContext context;
    Result<ImportedModel> model = importOnnx(entry.path(), {}, context);
    EXPECT_EQ(model.status().code(), StatusCode::kUnsupported)
        << entry.path() << ": " << model.status().message();
    EXPECT_NE(model.status().message().find("node '"), std::string::npos);
  }
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
