// SPDX-License-Identifier: Apache-2.0
//
// The examples of tik_dsl/examples end to end: compiled with the system's C++
// compiler, built for every declared shape, run in all orders with all checks,
// compared with their references. testOperator() runs each kernel with flags
// and with a barrier after every command and wants equal bits.
#include "tests/unit/tik_dsl/example_files.h"
#include "tests/unit/tik_dsl/inline_operator.h"

namespace kiln::tik {
namespace {

class Examples : public testing::TestWithParam<std::string> {};

TEST_P(Examples, PassEveryDeclaredShape) {
  const OperatorReport report = testExample(exampleFile(GetParam()));
  std::printf("%s", toText(report).c_str());
  EXPECT_TRUE(report.passed());
  for (const ShapeReport &shape : report.shapes) {
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
  const OperatorReport report = testExample(
      exampleFile(GetParam()), {.cores = 3, .randomOrders = 1, .settings = 1});
  EXPECT_TRUE(report.passed()) << toText(report);
}

INSTANTIATE_TEST_SUITE_P(Files, Examples, testing::ValuesIn(allExamples()),
                         exampleName);

} // namespace
} // namespace kiln::tik
