// SPDX-License-Identifier: Apache-2.0
//
// Mistakes in declarations and shapes: each gives its number, at its line, with
// its exact text, and nothing else.
#include "tests/unit/tik_dsl/author_mistakes.h"

#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tik {
namespace {

void noKernel(const Kernel &) {}

struct Case {
  const char *name;
  void (*declare)(Declaration &);
  uint32_t number;
  const char *text;
};

const Case kCases[] = {
    {"Name",
     [](Declaration &d) {
       d.output("y", f16, {1}).shape({});
       BAD_NEXT;
       d.name("two words", "");
     },
     502, "the operator's name 'two words' is not an identifier"},
    {"NoOutput",
     [](Declaration &d) {
       d.input("x", f16, {1}).shape({});
       BAD_NEXT;
       d.name("op", "");
     },
     507, "no output is declared"},
    {"NoShape",
     [](Declaration &d) {
       d.output("y", f16, {1});
       BAD_NEXT;
       d.name("op", "");
     },
     508, "no shape() is declared: nothing would be tested"},
    {"TwoTensors",
     [](Declaration &d) {
       d.name("op", "").shape({}).output("y", f16, {1});
       BAD_NEXT;
       d.output("y", f16, {1});
     },
     509, "two tensors are called 'y'"},
    {"TwoAttributes",
     [](Declaration &d) {
       d.name("op", "").shape({}).output("y", f16, {1}).attribute("a", {1});
       BAD_NEXT;
       d.attribute("a", {1});
     },
     509, "two attributes are called 'a'"},
    {"NoLegalValue",
     [](Declaration &d) {
       d.name("op", "").shape({}).output("y", f16, {1});
       BAD_NEXT;
       d.attribute("a", {});
     },
     510, "attribute 'a' has no legal value"},
    {"TensorName",
     [](Declaration &d) {
       d.name("op", "").shape({});
       BAD_NEXT;
       d.output("2y", f16, {1});
     },
     511, "the tensor name '2y' is not an identifier"},
    {"TensorRank",
     [](Declaration &d) {
       d.name("op", "").shape({});
       BAD_NEXT;
       d.output("y", f16, {});
     },
     512, "tensor 'y' has 0 dimensions; 1 to 8 are possible"},
    {"Dimension",
     [](Declaration &d) {
       d.name("op", "").shape({});
       BAD_NEXT;
       d.output("y", f16, {"N-1"});
     },
     513, "dimension 'N-1' of 'y' is neither a symbol nor a number"},
    {"TypeAttribute",
     [](Declaration &d) {
       d.name("op", "").shape({});
       BAD_NEXT;
       d.output("y", "kind", {1});
     },
     514, "the type of 'y' is attribute 'kind', which is not declared"},
    {"NotAType",
     [](Declaration &d) {
       d.name("op", "").shape({}).output("y", "kind", {1});
       BAD_NEXT;
       d.attribute("kind", {f16, 9});
     },
     515, "attribute 'kind' is a type; 9 is none"},
    {"NotATypeOfNoTensor",
     [](Declaration &d) {
       d.name("op", "").shape({}).output("y", f16, {1});
       BAD_NEXT;
       d.attribute("inside", {f16, static_cast<Type>(8)});
     },
     515, "attribute 'inside' is a type; 8 is none"},
    {"Macs",
     [](Declaration &d) {
       d.name("op", "").shape({}).output("y", f16, {1});
       BAD_NEXT;
       d.macs({"M"});
     },
     516, "macs: 'M' is neither a dimension of a tensor nor an attribute"},
    {"NegativeTolerance",
     [](Declaration &d) {
       d.name("op", "").shape({}).output("y", f16, {1});
       BAD_NEXT;
       d.tolerance(f16, -1, 0, "a guess");
     },
     517, "the tolerance of f16 is not a pair of figures from 0 on"},
    {"ToleranceWithoutSource",
     [](Declaration &d) {
       d.name("op", "").shape({}).output("y", f16, {1});
       BAD_NEXT;
       d.tolerance(f16, 1e-3, 0, "");
     },
     517, "the tolerance of f16 does not say where its figures come from"},
    {"ToleranceAtADimension",
     [](Declaration &d) {
       d.name("op", "").shape({{"N", 1}}).output("y", f16, {"N"});
       BAD_NEXT;
       d.tolerance(f16, 1e-3, 0, "one rounding", {{"N", 1}});
     },
     542, "the tolerance of f16 names 'N', which is no attribute"},
    {"ToleranceWithoutItsAttribute",
     [](Declaration &d) {
       d.name("op", "").shape({}).output("y", f16, {1});
       BAD_NEXT;
       d.tolerance(f16, 1e-3, 0, "one rounding", {{"mode", 1}});
     },
     542, "the tolerance of f16 names 'mode', which is no attribute"},
    {"ToleranceAtAnIllegalValue",
     [](Declaration &d) {
       d.name("op", "").shape({}).output("y", "out", {1});
       d.attribute("out", {f16, f32});
       BAD_NEXT;
       d.tolerance(f16, 1e-3, 0, "one rounding", {{"out", bf16}});
     },
     542, "the tolerance of f16 names out=bf16; possible: f16, f32"},
    {"ToleranceAtAnIllegalType",
     [](Declaration &d) {
       d.name("op", "").shape({}).output("y", f16, {1});
       d.attribute("inside", {f16, f32});
       BAD_NEXT;
       d.tolerance(f16, 1e-3, 0, "one rounding", {{"inside", bf16}});
     },
     542, "the tolerance of f16 names inside=bf16; possible: f16, f32"},
    {"ToleranceAtTwoValues",
     [](Declaration &d) {
       d.name("op", "").shape({}).output("y", f16, {1});
       d.attribute("mode", {1, 2});
       BAD_NEXT;
       d.tolerance(f16, 1e-3, 0, "one rounding", {{"mode", 1}, {"mode", 2}});
     },
     542, "the tolerance of f16 names 'mode' twice"},
    {"SameTolerance",
     [](Declaration &d) {
       d.name("op", "").shape({}).output("y", f16, {1});
       d.attribute("mode", {1, 2}).tolerance(f16, 1e-3, 0, "one rounding");
       d.tolerance(f16, 1e-4, 0, "fp32 inside", {{"mode", 2}});
       BAD_NEXT;
       d.tolerance(f16, 2e-3, 0, "two roundings", {{"mode", 2}});
     },
     543, "there is a tolerance of f16 with mode=2 already"},
    {"TolerancesMeet",
     [](Declaration &d) {
       d.name("op", "").shape({}).output("y", f16, {1});
       d.attribute("mode", {1, 2}).attribute("fast", {0, 1});
       d.tolerance(f16, 1e-3, 0, "one rounding", {{"mode", 2}});
       BAD_NEXT;
       d.tolerance(f16, 2e-3, 0, "two roundings", {{"fast", 1}});
     },
     543,
     "with fast=1 mode=2 the tolerances of f16 with mode=2 and of f16 with "
     "fast=1 hold"},
    {"InputValues",
     [](Declaration &d) {
       d.name("op", "").shape({}).output("y", f16, {1});
       BAD_NEXT;
       d.input("x", f16, {1}, {3, -3});
     },
     522, "values of 'x' are drawn from 3 to -3"},
    {"BothNames",
     [](Declaration &d) {
       d.name("op", "").shape({{"N", 1}}).output("y", f16, {"N"});
       BAD_NEXT;
       d.attribute("N", {1});
     },
     523, "'N' is an attribute and a dimension"},
    {"UnusedDynamic",
     [](Declaration &d) {
       d.name("op", "").shape({}).output("y", f16, {1});
       BAD_NEXT;
       d.dynamic("M", 1, 2);
     },
     524, "dynamic: 'M' is no dimension of a tensor"},
    {"TwoNames",
     [](Declaration &d) {
       d.name("op", "").shape({}).output("y", f16, {1});
       BAD_NEXT;
       d.name("other", "");
     },
     537, "name: the operator is called 'op' already"},
    {"TwoRanges",
     [](Declaration &d) {
       d.name("op", "").shape({{"N", 1}}).output("y", f16, {"N"});
       d.dynamic("N", 1, 4);
       BAD_NEXT;
       d.dynamic("N", 1, 8);
     },
     537, "dynamic: 'N' has a range already"},
    {"ManyLegalValues",
     [](Declaration &d) {
       d.name("op", "").shape({}).output("y", f16, {1});
       BAD_NEXT;
       d.attribute("a", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                         0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                         0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                         0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
     },
     538, "a list of more than 64"},
    {"DynamicRange",
     [](Declaration &d) {
       d.name("op", "").shape({{"N", 1}}).output("y", f16, {"N"});
       BAD_NEXT;
       d.dynamic("N", 5, 4);
     },
     525, "dynamic: 'N' from 5 to 4; 1 to 2147483648 is possible"},
};

class Declarations : public testing::TestWithParam<Case> {};

TEST_P(Declarations, GiveNumberLineAndText) {
  Result<Operator> op = inlineOperator({GetParam().declare, noKernel, nullptr});
  ASSERT_FALSE(op);
  EXPECT_EQ(op.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(op.status().message(),
              testing::EndsWith("declarations_test.cpp:" + std::to_string(bad) +
                                ": error TIK" +
                                std::to_string(GetParam().number) + ": " +
                                GetParam().text));
  EXPECT_EQ(op.status().message().find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(All, Declarations, testing::ValuesIn(kCases),
                         [](const auto &info) { return info.param.name; });

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

struct ShapeMistake {
  const char *name;
  std::vector<std::pair<std::string, int64_t>> settings;
  uint32_t number;
  const char *text;
};

const ShapeMistake kShapes[] = {
    {"NoSize", {{"M", 1}}, 503, "dimension 'N' has no size"},
    {"IllegalValue",
     {{"M", 1}, {"N", 1}, {"out", 0}},
     518,
     "out=i8; possible: f32, f16"},
    {"IllegalType",
     {{"M", 1}, {"N", 1}, {"inside", 6}},
     518,
     "inside=bf16; possible: f16, f32"},
    {"NoTypeAtAll",
     {{"M", 1}, {"N", 1}, {"inside", 8}},
     518,
     "inside=8; possible: f16, f32"},
    {"UnknownName",
     {{"M", 1}, {"N", 1}, {"K", 1}},
     519,
     "'K' is neither a dimension nor an attribute of op"},
    {"SetTwice", {{"M", 1}, {"N", 1}, {"M", 2}}, 536, "'M' is set twice"},
    {"BadSize", {{"M", 0}, {"N", 1}}, 520, "M=0; a size is 1 to 2147483648"},
    {"DynamicSize", {{"M", 1}, {"N", 65}}, 520, "N=65; a size is 1 to 64"},
    {"TooLarge",
     {{"M", int64_t{1} << 31}, {"N", 1}},
     521,
     "tensor 'y' has more than 2^40 elements"},
};

class Shapes : public testing::TestWithParam<ShapeMistake> {};

TEST_P(Shapes, GiveNumberLineAndText) {
  Result<Operator> op = inlineOperator(
      {[](Declaration &d) {
         d.name("op", "").output("y", "out", {"M", "N", 1024});
         d.attribute("out", {f32, f16}).shape({{"M", 1}, {"N", 2}});
         d.attribute("inside", {f16, f32}).dynamic("N", 1, 64);
       },
       noKernel, nullptr});
  ASSERT_TRUE(op) << op.status().message();
  Result<BoundShape> shape =
      op->bind({false, GetParam().settings, {"op.cpp", 7, 1}});
  ASSERT_FALSE(shape);
  EXPECT_EQ(shape.status().message(), "op.cpp:7: error TIK" +
                                          std::to_string(GetParam().number) +
                                          ": " + GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(All, Shapes, testing::ValuesIn(kShapes),
                         [](const auto &info) { return info.param.name; });

std::string valuesError(Type type, Values values) {
  static Type inputType;
  static Values range;
  inputType = type;
  range = values;
  const Result<Operator> op =
      inlineOperator({[](Declaration &d) {
                        d.name("op", "").output("y", f16, {1});
                        BAD_NEXT;
                        d.input("x", inputType, {1}, range).shape({});
                      },
                      noKernel, nullptr});
  const Result<BoundShape> shape = op->bind({false, {}});
  return shape ? "bound" : shape.status().message();
}

TEST(Declared, ValuesAreThoseOfTheType) {
  const auto error = [](const std::string &text) {
    return testing::EndsWith("declarations_test.cpp:" + std::to_string(bad) +
                             ": error TIK522: values of 'x' are drawn from " +
                             text);
  };
  EXPECT_EQ(valuesError(f16, {-65504, 65504}), "bound");
  EXPECT_THAT(valuesError(f16, {-1e9, 1e9}),
              error("-1e+09 to 1e+09; f16 has -65504 to 65504"));
  EXPECT_EQ(valuesError(i8, {-128, 127}), "bound");
  EXPECT_THAT(valuesError(i8, {-129, 127}),
              error("-129 to 127; i8 has -128 to 127"));
  EXPECT_EQ(valuesError(u8, {}), "bound");
  EXPECT_THAT(valuesError(u8, {-2, 2}), error("-2 to 2; u8 has 0 to 255"));
}

TEST(Declared, ShapesSayWhatTheyAre) {
  Result<Operator> op = inlineOperator(
      {[](Declaration &d) {
         d.name("op", "").output("y", "out", {"M", "N"});
         d.attribute("out", {f32, f16}).shape({{"M", 1}, {"N", 2}});
         d.dynamic("N", 1, 64).macs({"M", "N", 3});
       },
       noKernel, nullptr});
  ASSERT_TRUE(op) << op.status().message();
  Result<BoundShape> shape = op->bind({false, {{"N", 3}, {"M", 2}}});
  ASSERT_TRUE(shape) << shape.status().message();
  EXPECT_EQ(shape->text, "M=2 N=3 out=f32");
  EXPECT_EQ(shape->kernelKey, "M=2 out=f32 ");
  EXPECT_EQ(shape->constants, std::vector<int64_t>({3}));
  EXPECT_EQ(shape->usefulMacs, 18u);
}

/// Of no tensor: named where every legal value is a type.
TEST(Declared, AttributesNameTypes) {
  Result<Operator> op = inlineOperator(
      {[](Declaration &d) {
         d.name("op", "").output("y", f16, {1}).shape({{"inside", f32}});
         d.attribute("inside", {f16, f32}).attribute("mode", {0, 7});
         d.attribute("either", {Value(0), Value(f32)});
       },
       noKernel, nullptr});
  ASSERT_TRUE(op) << op.status().message();
  const Result<BoundShape> first = op->bind(op->decl().cases[0]);
  const Result<BoundShape> other =
      op->bind({false, {{"mode", 7}, {"either", 7}}});
  ASSERT_TRUE(first && other);
  EXPECT_EQ(first->text, "inside=f32 mode=0 either=0");
  EXPECT_EQ(first->values.at("inside"), 7);
  EXPECT_EQ(other->text, "inside=f16 mode=7 either=7");
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

std::string buildError(void (*kernel)(const Kernel &)) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  Result<Operator> op =
      inlineOperator({[](Declaration &d) {
                        d.name("op", "").output("y", f16, {"N"});
                        d.dynamic("N", 1, 64).shape({{"N", 2}});
                      },
                      kernel, nullptr});
  if (!k1 || !op) {
    return op.status().message();
  }
  Result<BoundShape> shape = op->bind(op->decl().cases[0]);
  OperatorCompiler compiler;
  const auto built = compiler.compile(*op, *shape, {.arch = &*k1});
  return built ? "built" : built.status().message();
}

TEST(Phases, ExceptionsAreReported) {
  EXPECT_EQ(buildError([](const Kernel &) { throw 1; }),
            "inline.cpp: error TIK504: the operator's code threw an exception: "
            "no std::exception");
}

TEST(Phases, DeclarationsInAKernelAreReported) {
  EXPECT_EQ(
      buildError([](const Kernel &k) {
        const KilnTikTable *t = k.constant(0).table();
        t->declareMacs(t->self, 0, nullptr);
      }),
      "inline.cpp: error TIK505: a function of the declaration was called "
      "in another phase");
}

TEST(Phases, ARunTimeSizeIsNoCppNumber) {
  const std::string error = buildError([](const Kernel &k) {
    const Tensor y = k.tensor("y");
    BAD_NEXT;
    (void)y.dim(0);
  });
  EXPECT_THAT(error, testing::EndsWith(
                         "declarations_test.cpp:" + std::to_string(bad) +
                         ": error TIK526: dim: the launch gives this size; use "
                         "extent()"));
}

TEST(MistakeTable, EveryMistakeOfADeclarationIsMadeHere) {
  std::set<uint32_t> made = {504, 505, 526, 501, 506, 534, 535, 539, 540, 541};
  for (const Case &c : kCases) {
    made.insert(c.number);
  }
  for (const ShapeMistake &c : kShapes) {
    made.insert(c.number);
  }
  // 534, 535: references_test.cpp; 539 to 541: operator_guard_test.cpp.
  for (uint32_t number : knobMistakeNumbers()) {
    made.insert(number);
  }
  for (const MistakeInfo &info : allMistakes()) {
    const auto number = static_cast<uint32_t>(info.number);
    EXPECT_TRUE(number / 100 != 5 || made.contains(number)) << number;
  }
}

} // namespace
} // namespace kiln::tik
