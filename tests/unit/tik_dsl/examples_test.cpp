// SPDX-License-Identifier: Apache-2.0
//
// The examples of tik_dsl/examples end to end: compiled with the system's C++
// compiler, built for every declared shape, run in all orders with all checks,
// compared with their references. testOperator() runs each kernel with flags
// and with a barrier after every command and wants equal bits.
#include "tests/unit/tik_dsl/example_files.h"
#include "tests/unit/tik_dsl/inline_operator.h"

#include <fstream>

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

//===----------------------------------------------------------------------===//
// Planted: fp16 where an attribute says fp32
//===----------------------------------------------------------------------===//

/// An example whose attribute chooses the type it computes in.
struct TypeChoice {
  const char *example, *attribute;
  double absolute; // of the tolerance of fp16
};

class Planted : public testing::TestWithParam<TypeChoice> {
protected:
  /// The example with fp16 whatever the attribute says; empty: no such example.
  static std::filesystem::path plant() {
    std::ifstream in(exampleFile(GetParam().example));
    std::string text((std::istreambuf_iterator<char>(in)), {});
    const std::string chosen = std::string("static_cast<Type>(k.attribute(\"") +
                               GetParam().attribute + "\"))";
    const size_t at = text.find(chosen);
    if (at == std::string::npos) {
      return {};
    }
    text.replace(at, chosen.size(), "f16");
    const auto file = std::filesystem::path(testing::TempDir()) /
                      (std::string("planted_") + GetParam().example + ".cpp");
    std::ofstream(file) << text;
    return file;
  }
};

/// What is computed in fp32 has a tolerance of its own, so what computes in
/// fp16 does not pass for it; with the tolerance of fp16 it would.
TEST_P(Planted, Fp16InPlaceOfFp32IsFound) {
  const auto file = plant();
  ASSERT_FALSE(file.empty());
  const OperatorReport report =
      testExample(file, {.randomOrders = 0, .cycle = false, .settings = 0});
  size_t found = 0;
  for (const ShapeReport &shape : report.shapes) {
    EXPECT_LT(shape.comparison.maxAbs, GetParam().absolute) << shape.shape;
    if (!shape.shape.ends_with(std::string(GetParam().attribute) + "=f32")) {
      EXPECT_TRUE(shape.problems.empty()) << shape.problems[0];
    } else if (shape.comparison.ofTolerance > 1.5) { // not just so
      EXPECT_EQ(shape.code, StatusCode::kMismatch) << shape.shape;
      ++found;
    }
  }
  // Attention: where keys are few or hidden. Many average the roundings away.
  EXPECT_EQ(found, 2u) << toText(report);
}

INSTANTIATE_TEST_SUITE_P(
    Files, Planted,
    testing::Values(TypeChoice{"06_layer_norm", "inside", 6e-3},
                    TypeChoice{"12_flash_attention", "softmax", 3e-3}),
    [](const auto &info) { return info.param.attribute; });

INSTANTIATE_TEST_SUITE_P(Files, Examples, testing::ValuesIn(allExamples()),
                         exampleName);

} // namespace
} // namespace kiln::tik
