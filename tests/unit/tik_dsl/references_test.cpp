// SPDX-License-Identifier: Apache-2.0
//
// What is right: mistakes in references and exceptions give their number at
// their line, and what is infinite or no number is compared as such.
#include "tests/unit/tik_dsl/author_mistakes.h"

#include <cmath>
#include <limits>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tik {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// y, 16 elements of f16, with so much tolerance.
void declare(Declaration &d) {
  d.name("op", "").input("x", f16, {"N"}).output("y", f16, {"N"});
  d.shape({{"N", 16}}).tolerance(f16, 0.5, 0.5, "a test of tolerances");
}
void declareExact(Declaration &d) {
  d.name("op", "").input("x", f16, {"N"}).output("y", f16, {"N"});
  d.shape({{"N", 16}}).tolerance(f16, 0, 0, "a test of equality");
}
/// y = x, and element 3 something else.
template <int Numerator, int Denominator> void kernel(const Kernel &k) {
  const Buffer t = k.ub(f16, {16}, "t"), last = k.ub(f16, {16}, "last");
  k.load(t, k.tensor("x"), 16);
  k.fill(last, static_cast<double>(Numerator) / Denominator, 16);
  k.store(k.tensor("y"), t, 16);
  k.store(k.tensor("y").at(3), last, 1);
}
/// The same with a value for element 3.
template <typename Value> void want(const Reference &r, const Value &value) {
  for (int64_t i = 0; i < r["y"].size(); ++i) {
    r["y"][i] = i == 3 ? value() : r["x"][i];
  }
}
void wantOne(const Reference &r) {
  want(r, [] { return 1.0; });
}
void wantInfinity(const Reference &r) {
  want(r, [] { return kInfinity; });
}
void wantNan(const Reference &r) {
  want(r, [] { return std::nan(""); });
}

std::string problemOf(const InlineFunctions &functions) {
  const OperatorReport report = testInline(functions);
  if (report.shapes.size() != 1) {
    return "no report";
  }
  const std::vector<std::string> &problems = report.shapes[0].problems;
  return problems.empty() ? "none" : problems[0];
}

TEST(Comparison, AnInfinityIsEqualToItselfOnly) {
  EXPECT_EQ(problemOf({declare, kernel<1, 0>, wantInfinity}), "none");
  EXPECT_EQ(problemOf({declareExact, kernel<1, 0>, wantInfinity}), "none");
  EXPECT_EQ(problemOf({declare, kernel<1, 1>, wantInfinity}),
            "reference: 1 of 16 elements are outside the tolerance; worst "
            "y[3]: got 1, expected inf");
  EXPECT_EQ(problemOf({declare, kernel<-1, 0>, wantInfinity}),
            "reference: 1 of 16 elements are outside the tolerance; worst "
            "y[3]: got -inf, expected inf");
  EXPECT_EQ(problemOf({declare, kernel<1, 0>, wantOne}),
            "reference: 1 of 16 elements are outside the tolerance; worst "
            "y[3]: got inf, expected 1");
}

TEST(Comparison, NoNumberIsEqualToNoNumberOnly) {
  EXPECT_EQ(problemOf({declare, kernel<0, 0>, wantNan}), "none");
  EXPECT_EQ(problemOf({declareExact, kernel<0, 0>, wantNan}), "none");
  EXPECT_EQ(problemOf({declare, kernel<1, 1>, wantNan}),
            "reference: 1 of 16 elements are outside the tolerance; worst "
            "y[3]: got 1, expected nan");
  EXPECT_EQ(problemOf({declare, kernel<0, 0>, wantOne}),
            "reference: 1 of 16 elements are outside the tolerance; worst "
            "y[3]: got nan, expected 1");
}

/// Element 15 is not written; or a store lies so far behind the output.
template <int Elements> void stray(const Kernel &k) {
  const Buffer t = k.ub(f16, {16}, "t"), at = k.ub(i32, {8}, "at");
  k.load(t, k.tensor("x"), 16);
  k.store(k.tensor("y"), t, Elements == 0 ? 15 : 16);
  if (Elements != 0) {
    k.fill(at, Elements, 8);
    k.store(k.tensor("y").at(k.read(at)), t, 16);
  }
}

TEST(Stores, ThatMissAnElementOrTheTensorAreFound) {
  const auto copy = [](const Reference &r) {
    want(r, [&] { return r["x"][3]; });
  };
  EXPECT_THAT(problemOf({declareExact, stray<0>, copy}),
              testing::EndsWith("; this is what was there before the kernel"));
  // x lies before y, in one piece of global memory of the cycle engine.
  for (const auto kernel : {stray<-256>, stray<256>, stray<-(1 << 20)>}) {
    EXPECT_THAT(problemOf({declareExact, kernel, copy}),
                testing::StartsWith("eager, lazy, random:1, random:2"));
  }
}

//===----------------------------------------------------------------------===//
// Mistakes
//===----------------------------------------------------------------------===//

struct ReferenceMistake {
  const char *name;
  void (*reference)(const Reference &);
  uint32_t number;
  const char *text;
};

const ReferenceMistake kMistakes[] = {
    {"ElementBehindTheEnd",
     [](const Reference &r) {
       const HostArray y = r["y"];
       for (int64_t i = 0; i <= y.size(); ++i) {
         BAD_NEXT;
         y[i] = 0;
       }
     },
     534, "reference: 'y' has no element 16; it has 16, from 0 on"},
    {"ElementBelowZero",
     [](const Reference &r) {
       BAD_NEXT;
       r["y"][0] = r["x"][-1];
     },
     534, "reference: 'x' has no element -1; it has 16, from 0 on"},
    {"UnknownTensor",
     [](const Reference &r) {
       BAD_NEXT;
       r["z"][0] = 1;
     },
     501, "reference: 'z' is not declared; there are 'x', 'y'"},
    {"NoName",
     [](const Reference &r) {
       BAD_NEXT;
       (void)r[static_cast<const char *>(nullptr)];
     },
     501, "reference: '' is not declared; there are 'x', 'y'"},
    {"UnknownAttribute",
     [](const Reference &r) {
       BAD_NEXT;
       (void)r.attribute("mode");
     },
     506, "'mode' is neither an attribute nor a dimension"},
    {"Exception",
     [](const Reference &r) {
       BAD_NEXT;
       (void)r["y"];
       throw std::runtime_error("mode 3 is not written");
     },
     504, "the operator's code threw an exception: mode 3 is not written"},
};

class References : public testing::TestWithParam<ReferenceMistake> {};

TEST_P(References, GiveNumberLineAndText) {
  const std::string problem =
      problemOf({declare, kernel<1, 1>, GetParam().reference});
  EXPECT_THAT(problem, testing::StartsWith("reference: "));
  EXPECT_THAT(problem,
              testing::EndsWith(
                  "references_test.cpp:" + std::to_string(bad) + ": error TIK" +
                  std::to_string(GetParam().number) + ": " + GetParam().text));
  EXPECT_EQ(problem.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(All, References, testing::ValuesIn(kMistakes),
                         [](const auto &info) { return info.param.name; });

TEST(Functions, ThatAreMissingAreNamed) {
  EXPECT_EQ(problemOf({declare, kernel<1, 1>, nullptr}),
            "reference: inline.cpp: error TIK535: there is no function "
            "reference()");
  const Result<Operator> op = inlineOperator({});
  ASSERT_FALSE(op);
  EXPECT_EQ(op.status().message(),
            "inline.cpp: error TIK535: there is no function declare()");
}

TEST(Exceptions, OfAKernelHaveTheLineOfItsLastCall) {
  const std::string problem = problemOf({declare,
                                         [](const Kernel &k) {
                                           for (Index i : k.range(0, 4)) {
                                             BAD_NEXT;
                                             k.print("{d}", i);
                                             throw 42;
                                           }
                                         },
                                         wantOne});
  EXPECT_THAT(problem,
              testing::EndsWith("references_test.cpp:" + std::to_string(bad) +
                                ": error TIK504: the operator's code threw an "
                                "exception: no std::exception"));
  EXPECT_EQ(problem.find('\n'), std::string::npos);
}

TEST(Sequences, ThatDoNotGrowEnd) {
  EXPECT_EQ(multiples(0).upTo(10).count(), 1u);
  EXPECT_EQ(doubling(0).upTo(10).count(), 1u);
  EXPECT_EQ(doubling(-1).upTo(10).count(), 1u);
  EXPECT_EQ(multiples(1).upTo(1'000'000).count(), Choices::kMost);
  EXPECT_EQ(multiples(3).upTo(7).count(), 2u);
}

} // namespace
} // namespace kiln::tik
