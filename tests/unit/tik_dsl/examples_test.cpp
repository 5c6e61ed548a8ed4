// SPDX-License-Identifier: Apache-2.0
//
// The examples of tik_dsl/examples end to end: compiled with the system's C++
// compiler, built for every declared shape, run in all orders with all checks,
// compared with their references. testOperator() runs each kernel with flags
// and with a barrier after every command and wants equal bits.
#include "tik_dsl/testing/test_operator.h"
#include "tools/engine/engine_runner.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tik {
namespace {

/// The file on the machine k1 with these options.
Result<OperatorReport> testFile(const std::filesystem::path &file,
                                TestOptions options) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  if (!k1) {
    return k1.status();
  }
  tools::EngineRunner runner(*k1);
  options.load.includeDir = ".";
  options.arch = &*k1;
  options.runner = &runner;
  return testOperator(file, options);
}

class Examples : public testing::TestWithParam<std::string> {
protected:
  static Result<OperatorReport> test(TestOptions options = {}) {
    return testFile("tik_dsl/examples/" + GetParam(), options);
  }
};

std::vector<std::string> allExamples() {
  std::vector<std::string> names;
  for (const auto &entry :
       std::filesystem::directory_iterator("tik_dsl/examples")) {
    if (entry.path().extension() == ".cpp") {
      names.push_back(entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST_P(Examples, PassEveryDeclaredShape) {
  const auto report = test();
  ASSERT_TRUE(report) << report.status().message();
  std::printf("%s", toText(*report).c_str());
  EXPECT_TRUE(report->passed());
  for (const ShapeReport &shape : report->shapes) {
    // eager, lazy, two random orders, cycle, barrier-all
    EXPECT_EQ(shape.runs, 6u) << shape.shape;
    EXPECT_TRUE(shape.remarks.empty()) << shape.shape;
    EXPECT_GT(shape.comparison.elements, 0u) << shape.shape;
    EXPECT_GT(shape.cycle.cycles, 0u) << shape.shape;
    // Ordered by flags alone: "no race" does not mean "barriers everywhere".
    EXPECT_EQ(shape.note.barrierCount, 0u) << shape.shape;
    EXPECT_FALSE(shape.note.flagSets.empty()) << shape.shape;
  }
}

TEST_P(Examples, UseSeveralCores) {
  const auto report = test({.cores = 3, .randomOrders = 1, .settings = 1});
  ASSERT_TRUE(report) << report.status().message();
  EXPECT_TRUE(report->passed()) << toText(*report);
}

/// The first shape that is timed, in a hundred orders of the pipes, on two
/// cores; with every check, equal bits.
TEST_P(Examples, HundredRandomOrders) {
  const auto report = test({.cores = 2,
                            .randomOrders = 100,
                            .seed = 1000,
                            .cycle = false,
                            .mostShapes = 1,
                            .settings = 0});
  ASSERT_TRUE(report) << report.status().message();
  EXPECT_TRUE(report->passed()) << toText(*report);
  ASSERT_EQ(report->shapes.size(), 1u);
  EXPECT_GE(report->shapes[0].runs, 102u);
}

/// The fp32 softmax of example 12 has a tolerance of its own, so one that
/// computes in fp16 does not pass for it. With the tolerance of the fp16 one,
/// 3e-3 and more, it would.
TEST(FlashAttention, AnFp32SoftmaxThatIsComputedInFp16IsFound) {
  std::ifstream in("tik_dsl/examples/12_flash_attention.cpp");
  std::string text((std::istreambuf_iterator<char>(in)), {});
  const std::string chosen = "static_cast<Type>(k.attribute(\"softmax\"))";
  ASSERT_NE(text.find(chosen), std::string::npos);
  text.replace(text.find(chosen), chosen.size(), "f16");
  const auto file =
      std::filesystem::path(testing::TempDir()) / "flash_attention_in_fp16.cpp";
  std::ofstream(file) << text;
  const auto report =
      testFile(file, {.randomOrders = 0, .cycle = false, .settings = 0});
  ASSERT_TRUE(report) << report.status().message();
  size_t found = 0;
  for (const ShapeReport &shape : report->shapes) {
    EXPECT_LT(shape.comparison.maxAbs, 1e-3) << shape.shape;
    const bool isFp32 = shape.shape.ends_with("softmax=7");
    if (!isFp32) {
      EXPECT_TRUE(shape.problems.empty()) << shape.problems[0];
    } else if (shape.comparison.ofTolerance > 1.5) {
      EXPECT_EQ(shape.code, StatusCode::kMismatch) << shape.shape;
      ++found;
    }
  }
  // Few keys, and hidden ones; many keys average the roundings away.
  EXPECT_EQ(found, 2u) << toText(*report);
}

INSTANTIATE_TEST_SUITE_P(Files, Examples, testing::ValuesIn(allExamples()),
                         [](const auto &info) {
                           return "E" +
                                  info.param.substr(0, info.param.find('.'));
                         });

} // namespace
} // namespace kiln::tik
