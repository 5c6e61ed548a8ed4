// SPDX-License-Identifier: Apache-2.0
//
// Small models compiled for the CPU, run on the cpu device and compared with
// the reference operators: layouts between dispatches, padding that is never
// written, offsets that are not aligned.
#include "compiler/pipeline/compile.h"
#include "hal/api/instance.h"
#include "hal/api/session.h"
#include "hal/drivers/all/all.h"
#include "tests/support/folders.h"
#include "tests/unit/compiler/frontend/model_builder.h"
#include "tools/io/onnx_node.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <random>

namespace kiln {
namespace {

using test::integer;
using test::ints;
using test::ModelBuilder;

/// Of accumulated rounding, for sums of a few hundred products near 1.
constexpr double kTolerance = 2e-5;

std::vector<float> randomValues(int64_t count, uint32_t seed, float scale = 1) {
  std::mt19937 rng(seed);
  std::vector<float> values(count);
  for (float &v : values) {
    v = (static_cast<float>(rng() >> 8) / (1 << 23) - 1.0f) * scale;
  }
  return values;
}

class CpuModel : public testing::Test {
protected:
  void weights(const std::string &name, const std::vector<int64_t> &shape) {
    int64_t count = ops::elementCount(shape), last = count / shape[0];
    b.weights(
        name, shape,
        randomValues(count, ++seed, 1 / std::sqrt(static_cast<float>(last))));
  }

  onnx::NodeProto &conv(const std::string &x, const std::string &y,
                        const std::vector<int64_t> &w,
                        const std::vector<int64_t> &pads, int64_t group = 1,
                        const std::vector<int64_t> &strides = {1, 1}) {
    weights("w_" + y, w);
    weights("b_" + y, {w[0]});
    onnx::NodeProto &node =
        b.node("Conv", {x, "w_" + y, "b_" + y}, {y}, "conv_" + y);
    ints(node, "pads", pads);
    ints(node, "strides", strides);
    integer(node, "group", group);
    return node;
  }

  /// Runs both and compares every output.
  void expectEqualsReference(const std::vector<int64_t> &inputShape) {
    const std::filesystem::path path = test::scratchFolder() / "model.onnx";
    std::vector<uint8_t> bytes = b.bytes();
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char *>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    auto reference = tools::ReferenceModel::load(path);
    ASSERT_TRUE(reference) << reference.status().message();
    ops::Tensor x(ops::DataType::F32, inputShape);
    std::vector<float> values = randomValues(x.count(), 99);
    x.values.assign(values.begin(), values.end());
    auto expected = reference->run({{"x", x}});
    ASSERT_TRUE(expected) << expected.status().message();

    std::vector<ops::Tensor> outputs;
    for (const std::string &name : reference->outputs()) {
      outputs.push_back(expected->at(name));
    }
    expectOutputs(inputShape, values, outputs);
  }

  /// Runs the model on the cpu device and compares every output.
  void expectOutputs(const std::vector<int64_t> &inputShape,
                     const std::vector<float> &values,
                     const std::vector<ops::Tensor> &expected) {
    hal::HostTensor in = hal::HostTensor::make(hal::DataType::kF32, inputShape);
    std::memcpy(in.bytes.data(), values.data(), in.bytes.size());
    // Vectors of this CPU, and half as many registers of half the width.
    for (const char *cpu : {"native", "x86-64-v3"}) {
      std::vector<hal::HostTensor> outputs;
      ASSERT_NO_FATAL_FAILURE(runOnCpu(in, cpu, outputs));
      ASSERT_NO_FATAL_FAILURE(compare(outputs, expected)) << cpu;
    }
  }

  /// The text of a stage.
  std::string stage(const std::string &name) {
    pipeline::CompileOptions options;
    options.target = "cpu";
    options.stopAfter = name;
    auto compiled = pipeline::compileModelBytes(b.bytes(), "test", options);
    EXPECT_TRUE(compiled) << compiled.status().message();
    return compiled ? compiled->text : "";
  }

  static int count(const std::string &text, const std::string &what) {
    int n = 0;
    for (size_t at = text.find(what); at != std::string::npos;
         at = text.find(what, at + 1)) {
      ++n;
    }
    return n;
  }

  ModelBuilder b{13};
  uint32_t seed = 0;

private:
  static void compare(const std::vector<hal::HostTensor> &outputs,
                      const std::vector<ops::Tensor> &expected) {
    ASSERT_EQ(outputs.size(), expected.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
      const ops::Tensor &want = expected[i];
      ASSERT_EQ(outputs[i].shape, want.shape);
      std::vector<float> got(want.values.size());
      ASSERT_EQ(outputs[i].bytes.size(), got.size() * sizeof(float));
      std::memcpy(got.data(), outputs[i].bytes.data(), outputs[i].bytes.size());
      for (size_t e = 0; e < got.size(); ++e) {
        ASSERT_NEAR(got[e], want.values[e], kTolerance)
            << "output " << i << ", element " << e;
      }
    }
  }

  void runOnCpu(const hal::HostTensor &in, const char *cpu,
                std::vector<hal::HostTensor> &outputs) {
    pipeline::CompileOptions options;
    options.target = "cpu";
    options.cpu = cpu;
    auto compiled = pipeline::compileModelBytes(b.bytes(), "test", options);
    ASSERT_TRUE(compiled) << compiled.status().message();
    hal::Instance instance;
    ASSERT_TRUE(hal::registerAllDrivers(instance));
    auto device = instance.createDevice("cpu", {});
    ASSERT_TRUE(device) << device.status().message();
    auto session =
        hal::Session::load(**device, hal::Blob(std::move(compiled->package)));
    ASSERT_TRUE(session) << session.status().message();
    for (int run = 0; run < 2; ++run) { // the second finds a used arena
      auto result = (*session)->run({in});
      ASSERT_TRUE(result) << result.status().message();
      outputs = std::move(*result);
    }
  }
};

/// Whole vectors from offsets that are multiples of the element only.
TEST_F(CpuModel, PartsThatStartAtAnyElementAreBound) {
  b.input("x", {1, 40});
  b.integers("sizes", {5, 35});
  b.node("Tanh", {"x"}, {"t"});
  integer(b.node("Split", {"x", "sizes"}, {"a", "input"}), "axis", 1);
  integer(b.node("Split", {"t", "sizes"}, {"c", "inner"}), "axis", 1);
  b.node("Tanh", {"input"}, {"y"});
  b.node("Tanh", {"inner"}, {"z"});
  b.output("y");
  b.output("z");
  std::vector<float> x = randomValues(40, 99);
  std::vector<ops::Tensor> expected(2,
                                    ops::Tensor(ops::DataType::F32, {1, 35}));
  for (int i = 0; i < 35; ++i) {
    expected[0].values[i] = std::tanh(x[i + 5]);
    expected[1].values[i] = std::tanh(std::tanh(x[i + 5]));
  }
  expectOutputs({1, 40}, x, expected);
}

TEST_F(CpuModel, ImagesChangeTheirOrderOnceWhereTheyMust) {
  b.input("x", {1, 3, 13, 9});
  conv("x", "c1", {16, 3, 3, 3}, {1, 1, 1, 1});
  b.node("Relu", {"c1"}, {"r1"});
  conv("r1", "dw", {16, 1, 3, 3}, {1, 1, 1, 1}, 16);
  conv("dw", "pw", {16, 16, 1, 1}, {0, 0, 0, 0});
  b.node("Add", {"pw", "r1"}, {"sum"}); // a residual
  conv("sum", "left", {8, 16, 1, 1}, {0, 0, 0, 0});
  conv("sum", "right", {20, 16, 3, 3}, {1, 1, 1, 1});
  integer(b.node("Concat", {"left", "right"}, {"cat"}), "axis", 1);
  auto &pool = b.node("MaxPool", {"cat"}, {"pool"});
  ints(pool, "kernel_shape", {3, 3});
  ints(pool, "strides", {2, 2});
  ints(pool, "pads", {1, 1, 1, 1});
  b.node("GlobalAveragePool", {"pool"}, {"mean"});
  b.node("Mul", {"pool", "mean"}, {"scaled"}); // one value per channel
  integer(b.node("Flatten", {"scaled"}, {"flat"}), "axis", 1);
  weights("w", {28 * 7 * 5, 10});
  b.node("MatMul", {"flat", "w"}, {"y"});
  b.output("y");
  b.output("scaled"); // a model's output is in the model's order
  expectEqualsReference({1, 3, 13, 9});
  // Both the product and the output want `scaled` in the model's order.
  EXPECT_EQ(count(stage("layouts"), "linalg.transpose"), 1);
}

TEST_F(CpuModel, NeitherPaddingNorSumsGoThroughMemory) {
  b.input("x", {1, 16, 9, 11});
  conv("x", "c1", {24, 16, 3, 3}, {1, 1, 1, 1});
  b.node("Relu", {"c1"}, {"y"});
  b.output("y");
  std::string text = stage("vectorized");
  EXPECT_EQ(count(text, "func.func"), 3); // and two changes of order
  EXPECT_EQ(count(text, "memref<0xi8>"), 3) << "a dispatch has a workspace";
  EXPECT_EQ(count(text, "memref.alloca"), 0);
}

TEST_F(CpuModel, EqualDispatchesShareTheirCode) {
  b.input("x", {1, 16, 9, 11});
  conv("x", "c1", {16, 16, 3, 3}, {1, 1, 1, 1});
  conv("c1", "c2", {16, 16, 3, 3}, {1, 1, 1, 1});
  conv("c2", "c3", {16, 16, 3, 3}, {1, 1, 1, 1});
  b.output("c3");
  EXPECT_EQ(count(stage("layouts"), "plan.dispatch @"), 5);
  EXPECT_EQ(count(stage("vectorized"), "func.func"), 3);
  expectEqualsReference({1, 16, 9, 11});
}

TEST_F(CpuModel, BatchesKeepTheirImagesApart) {
  b.input("x", {3, 9, 5, 6});
  conv("x", "c1", {17, 9, 3, 3}, {1, 1, 1, 1});
  b.node("Relu", {"c1"}, {"r1"});
  auto &pool = b.node("AveragePool", {"r1"}, {"y"});
  ints(pool, "kernel_shape", {2, 2});
  ints(pool, "pads", {1, 0, 0, 1});
  b.output("y");
  expectEqualsReference({3, 9, 5, 6});
}

struct WindowCase {
  const char *name;
  int64_t c, h, w, f, group;
  std::vector<int64_t> kernel, pads, strides, dilations;
};

void PrintTo(const WindowCase &c, std::ostream *os) { *os << c.name; }

class CpuWindow : public CpuModel,
                  public testing::WithParamInterface<WindowCase> {};

/// Borders of every kind: taps are left out instead of padding being written.
TEST_P(CpuWindow, EqualsTheReference) {
  const WindowCase &s = GetParam();
  b.input("x", {1, s.c, s.h, s.w});
  onnx::NodeProto &node =
      conv("x", "y", {s.f, s.c / s.group, s.kernel[0], s.kernel[1]}, s.pads,
           s.group, s.strides);
  ints(node, "dilations", s.dilations);
  b.output("y");
  expectEqualsReference({1, s.c, s.h, s.w});
}

INSTANTIATE_TEST_SUITE_P(
    Borders, CpuWindow,
    testing::Values(
        WindowCase{
            "narrow", 16, 25, 5, 32, 1, {3, 3}, {1, 1, 1, 1}, {1, 1}, {1, 1}},
        WindowCase{
            "one row", 16, 1, 30, 16, 1, {1, 5}, {0, 2, 0, 2}, {1, 1}, {1, 1}},
        WindowCase{
            "wide", 8, 4, 61, 48, 1, {3, 3}, {1, 1, 1, 1}, {1, 1}, {1, 1}},
        WindowCase{"uneven padding",
                   9,
                   11,
                   12,
                   24,
                   1,
                   {4, 3},
                   {2, 0, 1, 2},
                   {1, 1},
                   {1, 1}},
        WindowCase{"stride and dilation",
                   10,
                   17,
                   19,
                   18,
                   1,
                   {3, 3},
                   {2, 2, 2, 2},
                   {2, 2},
                   {2, 2}},
        WindowCase{"all padding in one tile",
                   8,
                   2,
                   3,
                   16,
                   1,
                   {5, 5},
                   {2, 2, 2, 2},
                   {1, 1},
                   {1, 1}},
        WindowCase{"a window with no pixel",
                   8,
                   3,
                   3,
                   16,
                   1,
                   {2, 2},
                   {2, 2, 2, 2},
                   {1, 1},
                   {1, 1}},
        WindowCase{"depthwise",
                   40,
                   9,
                   14,
                   40,
                   40,
                   {3, 3},
                   {1, 1, 1, 1},
                   {1, 1},
                   {1, 1}},
        WindowCase{"depthwise, stride 2",
                   24,
                   14,
                   15,
                   24,
                   24,
                   {3, 3},
                   {0, 0, 1, 1},
                   {2, 2},
                   {1, 1}},
        WindowCase{"depthwise 5x5, narrow",
                   16,
                   7,
                   6,
                   16,
                   16,
                   {5, 5},
                   {2, 2, 2, 2},
                   {1, 1},
                   {1, 1}},
        WindowCase{"two filters per channel",
                   12,
                   8,
                   9,
                   24,
                   12,
                   {3, 3},
                   {1, 1, 1, 1},
                   {1, 1},
                   {1, 1}},
        WindowCase{"blocks of columns",
                   12,
                   6,
                   7,
                   96,
                   1,
                   {1, 1},
                   {0, 0, 0, 0},
                   {1, 1},
                   {1, 1}},
        WindowCase{"a padded block of columns",
                   12,
                   6,
                   7,
                   120,
                   1,
                   {3, 3},
                   {1, 1, 1, 1},
                   {1, 1},
                   {1, 1}},
        WindowCase{"few channels",
                   3,
                   20,
                   21,
                   33,
                   1,
                   {7, 7},
                   {3, 3, 3, 3},
                   {2, 2},
                   {1, 1}}));

} // namespace
} // namespace kiln
