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

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tik {
namespace {

class Examples : public testing::TestWithParam<std::string> {
protected:
  /// The example on the machine k1 with these options.
  static Result<OperatorReport> test(TestOptions options = {}) {
    Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
    if (!k1) {
      return k1.status();
    }
    tools::EngineRunner runner(*k1);
    options.load.includeDir = ".";
    options.arch = &*k1;
    options.runner = &runner;
    return testOperator("tik_dsl/examples/" + GetParam(), options);
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

INSTANTIATE_TEST_SUITE_P(Files, Examples, testing::ValuesIn(allExamples()),
                         [](const auto &info) {
                           return "E" +
                                  info.param.substr(0, info.param.find('.'));
                         });

} // namespace
} // namespace kiln::tik
