// SPDX-License-Identifier: Apache-2.0
//
// Tolerances that depend on attributes: which one counts, that an error between
// two of them fails with one and passes with the other, and that the report
// says with what it compared.
#include "tests/unit/tik_dsl/inline_operator.h"
#include "tik_dsl/builder/tolerances.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tik {
namespace {

//===----------------------------------------------------------------------===//
// Which one counts
//===----------------------------------------------------------------------===//

/// The tolerance of f16 with these values of the attributes, by its source.
std::string chosen(void (*tolerances)(Declaration &), int64_t mode,
                   int64_t fast) {
  static void (*declareThem)(Declaration &) = nullptr;
  declareThem = tolerances;
  Result<Operator> op = inlineOperator(
      {[](Declaration &d) {
         d.name("op", "").shape({}).output("y", f16, {1});
         d.attribute("mode", {0, 1, 2}).attribute("fast", {0, 1});
         declareThem(d);
       },
       [](const Kernel &) {}, nullptr});
  if (!op) {
    return op.status().message();
  }
  Result<BoundShape> shape =
      op->bind({false, {{"mode", mode}, {"fast", fast}}});
  const ToleranceDecl *tolerance =
      shape ? toleranceOf(op->decl(), isa::ElementType::F16, *shape) : nullptr;
  return tolerance ? tolerance->source : "none";
}

void onlyForModeTwo(Declaration &d) {
  d.tolerance(f16, 1e-3, 0, "mode 2", {{"mode", 2}});
}

TEST(Tolerances, HoldForTheValuesTheyName) {
  EXPECT_EQ(chosen(onlyForModeTwo, 2, 0), "mode 2");
  EXPECT_EQ(chosen(onlyForModeTwo, 2, 1), "mode 2");
  EXPECT_EQ(chosen(onlyForModeTwo, 0, 0), "none");
}

/// The order in which they are declared says nothing.
void everyKind(Declaration &d) {
  d.tolerance(f16, 1e-3, 0, "both", {{"fast", 1}, {"mode", 2}});
  d.tolerance(f16, 2e-3, 0, "mode 2", {{"mode", 2}});
  d.tolerance(f16, 3e-3, 0, "others");
  d.tolerance(f16, 4e-3, 0, "fast", {{"fast", 1}});
  d.tolerance(f32, 5e-3, 0, "another type", {{"mode", 1}});
}

TEST(Tolerances, TheOneWithTheMostAttributesCounts) {
  EXPECT_EQ(chosen(everyKind, 0, 0), "others");
  EXPECT_EQ(chosen(everyKind, 1, 0), "others");
  EXPECT_EQ(chosen(everyKind, 2, 0), "mode 2");
  EXPECT_EQ(chosen(everyKind, 1, 1), "fast");
  EXPECT_EQ(chosen(everyKind, 2, 1), "both");
}

TEST(Tolerances, ADefaultValueIsAValueToo) {
  EXPECT_EQ(chosen(
                [](Declaration &d) {
                  d.tolerance(f16, 1e-3, 0, "mode 0", {{"mode", 0}});
                },
                0, 1),
            "mode 0");
}

//===----------------------------------------------------------------------===//
// An error between two of them
//===----------------------------------------------------------------------===//

/// A copy that is to be exact to 2^-4 of x, with fine=1 to 2^-6.
void declareCopy(Declaration &d) {
  d.name("copy", "y = x").input("x", f32, {"N"}, {1, 2});
  d.output("y", f32, {"N"}).attribute("fine", {0, 1});
  d.shape({{"N", 64}}).shape({{"N", 64}, {"fine", 1}});
  d.tolerance(f32, 1.0 / 16, 0, "coarse");
  d.tolerance(f32, 1.0 / 64, 0, "fine", {{"fine", 1}});
}
void copy(const Kernel &k) {
  const Buffer t = k.ub(f32, {64}, "t");
  k.load(t, k.tensor("x"), 64);
  k.store(k.tensor("y"), t, 64);
}
/// Wants x, in one element a 32nd more.
void offReference(const Reference &r) {
  for (int64_t i = 0; i < 64; ++i) {
    r["y"][i] = r["x"][i] * (i == 40 ? 33.0 / 32 : 1);
  }
}

TEST(Tolerances, AnErrorBetweenTwoFailsWithTheTighterOne) {
  const OperatorReport report = testInline({declareCopy, copy, offReference});
  ASSERT_EQ(report.shapes.size(), 2u);
  const ShapeReport &coarse = report.shapes[0], &fine = report.shapes[1];
  EXPECT_THAT(coarse.problems, testing::IsEmpty());
  // x is off by (33 - 32) / 33 of what is wanted.
  EXPECT_NEAR(coarse.comparison.ofTolerance, 16.0 / 33, 1e-12);
  ASSERT_EQ(fine.problems.size(), 1u);
  EXPECT_THAT(fine.problems[0],
              testing::StartsWith("reference: 1 of 64 elements are outside the "
                                  "tolerance; worst y[40]: got "));
  EXPECT_NEAR(fine.comparison.ofTolerance, 64.0 / 33, 1e-12);
}

TEST(Tolerances, TheReportSaysWithWhatItCompared) {
  const OperatorReport report = testInline({declareCopy, copy, offReference});
  ASSERT_EQ(report.shapes.size(), 2u);
  EXPECT_THAT(report.shapes[0].tolerances,
              testing::ElementsAre("f32: 0.0625 relative, 0 absolute: coarse"));
  EXPECT_THAT(report.shapes[1].tolerances,
              testing::ElementsAre("f32 with fine=1: 0.015625 relative, 0 "
                                   "absolute: fine"));
  const std::string text = toText(report);
  EXPECT_THAT(
      text, testing::HasSubstr(
                "\ntolerance of f32: 0.0625 relative, 0 absolute: coarse\n"
                "tolerance of f32 with fine=1: 0.015625 relative, 0 absolute: "
                "fine\n"));
  EXPECT_THAT(text, testing::ContainsRegex("fine=0 +ok .* 48%"));
  EXPECT_THAT(text, testing::ContainsRegex("fine=1 +FAIL .* 194%"));
}

/// Types that are no tensor's stand there by name, too.
void declareInside(Declaration &d) {
  d.name("copy", "y = x").input("x", f32, {"N"}, {1, 2});
  d.output("y", f32, {"N"}).attribute("inside", {f16, f32});
  d.shape({{"N", 64}}).shape({{"N", 64}, {"inside", f32}});
  d.tolerance(f32, 1.0 / 16, 0, "coarse");
  d.tolerance(f32, 1.0 / 64, 0, "fine", {{"inside", f32}});
}

TEST(Tolerances, TheReportNamesTypes) {
  const std::string text =
      toText(testInline({declareInside, copy, offReference}));
  EXPECT_THAT(text, testing::HasSubstr(
                        "\ntolerance of f32: 0.0625 relative, 0 absolute: "
                        "coarse\ntolerance of f32 with inside=f32: 0.015625 "
                        "relative, 0 absolute: fine\n"));
  EXPECT_THAT(text, testing::ContainsRegex("inside=f16 +ok .* 48%"));
  EXPECT_THAT(text, testing::ContainsRegex("inside=f32 +FAIL .* 194%"));
}

} // namespace
} // namespace kiln::tik
