// SPDX-License-Identifier: Apache-2.0
//
// nn-fold on real bytes: the folded model computes what the unfolded one does.
#include "compiler/constants/byte_ops.h"
#include "compiler/dialect/nn/nn_dialect.h"
#include "compiler/pipeline/diagnostics.h"
#include "compiler/pipeline/register.h"
#include "compiler/pipeline/shared_pipeline.h"
#include "compiler/transforms/nn_passes.h"
#include "mlir/IR/MLIRContext.h"
#include "tests/unit/compiler/frontend/model_builder.h"
#include "tests/unit/compiler/support/onnx_test_data.h"
#include "tests/unit/compiler/support/plan_interpreter.h"

#include <gtest/gtest.h>
#include <random>

namespace kiln {
namespace {

using test::ModelBuilder;

class NnFold : public testing::Test {
protected:
  NnFold() {
    mlir::DialectRegistry registry;
    registerKilnDialects(registry);
    context.appendDialectRegistry(registry);
  }

  std::vector<float> randoms(size_t count, float low, float high) {
    std::uniform_real_distribution<float> values(low, high);
    std::vector<float> result(count);
    for (float &value : result) {
      value = values(generator);
    }
    return result;
  }

  Constant randomInput(std::vector<int64_t> shape) {
    Constant x = makeConstant(ElementType::kF32, std::move(shape));
    std::vector<float> values = randoms(x.elementCount(), -1, 1);
    std::memcpy(x.bytes.data(), values.data(), x.bytes.size());
    return x;
  }

  ImportedModel import(const ModelBuilder &b) {
    Result<ImportedModel> model = b.import(context);
    EXPECT_TRUE(model.isOk()) << model.status().message();
    return std::move(*model);
  }

  Status fold(ImportedModel &model) {
    DiagnosticCollector errors(&context);
    auto add = [&](mlir::OpPassManager &pm) {
      pm.addPass(createNnFoldPass(model.constants));
    };
    return succeeded(runPasses(*model.module, add))
               ? Status::ok()
               : errors.status(StatusCode::kInternal, "folding");
  }

  template <typename OpT> int count(ImportedModel &model) {
    int found = 0;
    model.module->walk([&](OpT) { ++found; });
    return found;
  }

  Constant run(ImportedModel &model, const Constant &x) {
    // The shared pipeline without folding: nothing is left to fold.
    Status status = buildSharedLevel(*model.module, model.constants);
    EXPECT_TRUE(status.isOk()) << status.message();
    auto outputs = test::runPlan(*model.module, model.constants, {x});
    EXPECT_TRUE(outputs.isOk()) << outputs.status().message();
    return outputs ? std::move((*outputs)[0]) : Constant();
  }

  mlir::MLIRContext context;
  std::mt19937 generator{7};
};

// conv + batch normalisation with the parameters of the test as inputs or as
// constants: the first cannot be folded and is the reference.
ModelBuilder convAndNorm(bool constants, const std::vector<float> &weights,
                         const std::vector<std::vector<float>> &parameters) {
  ModelBuilder b(13);
  b.input("x", {1, 2, 5, 5});
  b.weights("w", {3, 2, 3, 3}, weights);
  b.node("Conv", {"x", "w"}, {"c"}, "conv");
  std::vector<std::string> inputs = {"c"};
  for (size_t i = 0; i < 4; ++i) {
    inputs.push_back("p" + std::to_string(i));
    if (constants) {
      b.weights(inputs.back(), {3}, parameters[i]);
    } else {
      b.input(inputs.back(), {3});
    }
  }
  auto &norm = b.node("BatchNormalization", inputs, {"y"}, "norm");
  test::number(norm, "epsilon", 1e-3f);
  b.output("y");
  return b;
}

TEST_F(NnFold, MovesBatchNormalisationIntoTheConvolution) {
  std::vector<float> weights = randoms(54, -1, 1);
  std::vector<std::vector<float>> parameters = {
      randoms(3, 0.5f, 2), randoms(3, -1, 1), randoms(3, -1, 1),
      randoms(3, 0.5f, 2)};
  Constant x = randomInput({1, 2, 5, 5});

  ImportedModel folded = import(convAndNorm(true, weights, parameters));
  ASSERT_TRUE(fold(folded).isOk());
  EXPECT_EQ(count<nn::BatchNormOp>(folded), 0);
  EXPECT_EQ(count<nn::ConvOp>(folded), 1);
  EXPECT_EQ(count<nn::AddOp>(folded), 0);
  Constant actual = run(folded, x);

  ImportedModel plain = import(convAndNorm(false, weights, parameters));
  Status status = buildSharedLevel(*plain.module, plain.constants);
  ASSERT_TRUE(status.isOk()) << status.message();
  std::vector<Constant> inputs = {x};
  for (const std::vector<float> &p : parameters) {
    Constant c = makeConstant(ElementType::kF32, {3});
    std::memcpy(c.bytes.data(), p.data(), c.bytes.size());
    inputs.push_back(c);
  }
  auto expected = test::runPlan(*plain.module, plain.constants, inputs);
  ASSERT_TRUE(expected.isOk()) << expected.status().message();
  // Two orders of about 20 f32 roundings of values around 1.
  EXPECT_LE(test::worstError(actual, (*expected)[0], 1e-5, 1e-5), 1.0);
}

TEST_F(NnFold, MovesGemmFactorsIntoItsConstants) {
  ModelBuilder b(13);
  b.input("x", {2, 3});
  b.weights("w", {2, 3}, {1, 2, 3, 4, 5, 6});
  b.weights("c", {2}, {10, 20});
  auto &gemm = b.node("Gemm", {"x", "w", "c"}, {"y"}, "gemm");
  test::number(gemm, "alpha", 2);
  test::number(gemm, "beta", 0.5f);
  test::integer(gemm, "transB", 1);
  b.output("y");
  ImportedModel model = import(b);
  ASSERT_TRUE(fold(model).isOk());
  nn::GemmOp op;
  model.module->walk([&](nn::GemmOp g) { op = g; });
  EXPECT_FALSE(op.getTransB());
  EXPECT_EQ(op.getAlpha().convertToFloat(), 1);
  Constant x = makeConstant(ElementType::kF32, {2, 3});
  for (int i = 0; i < 6; ++i) {
    storeElement(x, i, i + 1);
  }
  Constant y = run(model, x);
  // 2 * [1 2 3; 4 5 6] * w^T + 0.5 * [10 20], by hand.
  const double expected[] = {33, 74, 69, 164};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(loadElement(y, i), expected[i]) << i;
  }
}

TEST_F(NnFold, AddsPerChannelConstantsToTheBiasOnly) {
  for (bool perChannel : {true, false}) {
    ModelBuilder b(13);
    b.input("x", {1, 2, 3, 3});
    b.weights("w", {3, 2, 1, 1}, {1, 2, 3, 4, 5, 6});
    b.weights("a",
              perChannel ? std::vector<int64_t>{3, 1, 1}
                         : std::vector<int64_t>{1, 1, 3},
              {1, 2, 3});
    b.node("Conv", {"x", "w"}, {"c"});
    b.node("Add", {"c", "a"}, {"y"});
    b.output("y");
    ImportedModel model = import(b);
    ASSERT_TRUE(fold(model).isOk());
    EXPECT_EQ(count<nn::AddOp>(model), perChannel ? 0 : 1);
    Constant y = run(model, splatConstant(ElementType::kF32, {1, 2, 3, 3}, 1));
    // Channel f sums its two weights; the addend follows channel or column.
    for (int f = 0; f < 3; ++f) {
      for (int i = 0; i < 9; ++i) {
        double sum = (2 * f + 1) + (2 * f + 2) + 1 + (perChannel ? f : i % 3);
        EXPECT_EQ(loadElement(y, f * 9 + i), sum);
      }
    }
  }
}

} // namespace
} // namespace kiln
