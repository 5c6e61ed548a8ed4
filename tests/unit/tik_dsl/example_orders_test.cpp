// SPDX-License-Identifier: Apache-2.0
//
// Every declared shape and edge of the examples, so every value of an attribute
// that is declared, in a hundred orders of the pipes on two cores: no finding
// of any check, and the same bits.
#include "tests/unit/tik_dsl/example_files.h"
#include "tests/unit/tik_dsl/inline_operator.h"

namespace kiln::tik {
namespace {

class ExampleOrders : public testing::TestWithParam<std::string> {};

TEST_P(ExampleOrders, AHundredGiveTheSameBits) {
  const OperatorReport report =
      testExample(exampleFile(GetParam()), {.cores = 2,
                                            .randomOrders = 100,
                                            .seed = 1000,
                                            .cycle = false,
                                            .settings = 0});
  EXPECT_TRUE(report.passed()) << toText(report);
  EXPECT_FALSE(report.shapes.empty());
  for (const ShapeReport &shape : report.shapes) {
    EXPECT_EQ(shape.runs, 103u) << shape.shape; // eager, lazy, barrier-all
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ExampleOrders, testing::ValuesIn(allExamples()),
                         exampleName);

} // namespace
} // namespace kiln::tik
