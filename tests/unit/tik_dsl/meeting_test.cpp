// SPDX-License-Identifier: Apache-2.0
//
// Blocks that meet, with all orders and checks: the examples on many cores, and
// what is found when a post, a pend or a meeting is missing. The texts that
// kernels print.
#include "tests/unit/tik_dsl/inline_operator.h"
#include "tik_dsl/loader/operator_file.h"
#include "tools/engine/engine_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tik {
namespace {

using testing::HasSubstr;

//===----------------------------------------------------------------------===//
// The examples on many cores
//===----------------------------------------------------------------------===//

class ManyCores : public testing::TestWithParam<const char *> {};

TEST_P(ManyCores, EveryOrderGivesTheSameBits) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  ASSERT_TRUE(k1);
  tools::EngineRunner runner(*k1);
  for (uint32_t cores : {2u, 7u, 32u}) {
    TestOptions options{.load = {.includeDir = "."},
                        .arch = &*k1,
                        .runner = &runner,
                        .cores = cores,
                        .randomOrders = 4};
    const auto report =
        testOperator(std::string("tik_dsl/examples/") + GetParam(), options);
    ASSERT_TRUE(report) << report.status().message();
    EXPECT_TRUE(report->passed()) << cores << " cores\n" << toText(*report);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ManyCores,
                         testing::Values("18_histogram.cpp",
                                         "19_block_sum.cpp"),
                         [](const auto &info) {
                           return "E" + std::string(info.param).substr(0, 2);
                         });

//===----------------------------------------------------------------------===//
// What is missing is found
//===----------------------------------------------------------------------===//

void declareExchange(Declaration &d) {
  d.name("exchange", "each half of x moves to the other half of y");
  d.input("x", f16, {256}).output("y", f16, {256}).shape({});
}
void exchangeReference(const Reference &r) {
  for (int64_t i = 0; i < 256; ++i) {
    r["y"][i] = r["x"][(i + 128) % 256];
  }
}

enum class Meeting : uint8_t { kMeet, kSemaphores, kNone, kNoPend };

/// Two blocks exchange through a workspace.
template <Meeting kHow> void exchange(const Kernel &k) {
  const Tensor shared = k.workspace(f16, {2, 128}, "shared");
  for (Index b : k.blocks(2)) {
    const Buffer mine = k.ub(f16, {128}, "mine"), its = k.ub(f16, {128}, "its");
    const Index other = 1 - b;
    k.load(mine, k.tensor("x").at(b * 128), 128);
    k.store(shared.at(b, 0), mine, 128);
    if constexpr (kHow == Meeting::kMeet) {
      k.meet();
    } else if constexpr (kHow != Meeting::kNone) {
      k.post(shared, other, 5);
      if constexpr (kHow == Meeting::kSemaphores) {
        k.pend(shared, 5);
      }
    }
    k.load(its, shared.at(other, 0), 128);
    k.store(k.tensor("y").at(b * 128), its, 128);
  }
}

OperatorReport exchanged(void (*kernel)(const Kernel &)) {
  return testInline({declareExchange, kernel, exchangeReference}, 2);
}

TEST(Meeting, ByTheDeviceBarrier) {
  const OperatorReport report = exchanged(exchange<Meeting::kMeet>);
  EXPECT_TRUE(report.passed()) << toText(report);
  EXPECT_TRUE(report.shapes.at(0).note.deviceBarrier);
}

TEST(Meeting, BySemaphores) {
  const OperatorReport report = exchanged(exchange<Meeting::kSemaphores>);
  EXPECT_TRUE(report.passed()) << toText(report);
  EXPECT_FALSE(report.shapes.at(0).note.deviceBarrier);
  EXPECT_EQ(report.shapes.at(0).note.barrierCount, 0u);
}

TEST(Meeting, NoneIsARace) {
  const OperatorReport report = exchanged(exchange<Meeting::kNone>);
  EXPECT_FALSE(report.passed());
  EXPECT_THAT(toText(report), HasSubstr("nothing orders"));
  EXPECT_THAT(toText(report), HasSubstr("meeting_test.cpp:"));
}

TEST(Meeting, APostWithoutItsPendIsFound) {
  const OperatorReport report = exchanged(exchange<Meeting::kNoPend>);
  EXPECT_FALSE(report.passed());
  EXPECT_THAT(toText(report), HasSubstr("semaphore"));
}

/// What another block has handed over may be overwritten only after the pend:
/// the order of commands of other pipes follows from it.
TEST(Meeting, StoresFollowThePendOfTheirTensor) {
  const OperatorReport report =
      testInline({[](Declaration &d) {
                    d.name("relay", "y counts the blocks").input("x", i32, {8});
                    d.output("y", i32, {8}).shape({});
                  },
                  [](const Kernel &k) {
                    const Tensor y = k.tensor("y");
                    const int64_t blocks = k.cores();
                    for (Index b : k.blocks(blocks)) {
                      const Buffer t = k.ub(i32, {8}, "t");
                      k.when(b == 0, [&] { k.fill(t, 1, 8); }).otherwise([&] {
                        k.pend(y, 2);
                        k.load(t, y, 8);
                        k.adds(t, t, 1, 8);
                      });
                      k.when(b >= 0, [&] { k.store(y, t, 8); });
                      k.when(b + 1 < blocks, [&] { k.post(y, b + 1, 2); });
                    }
                  },
                  [](const Reference &r) {
                    for (int64_t i = 0; i < 8; ++i) {
                      r["y"][i] = 3;
                    }
                  }},
                 3);
  EXPECT_TRUE(report.passed()) << toText(report);
}

//===----------------------------------------------------------------------===//
// Accumulation
//===----------------------------------------------------------------------===//

template <Accumulation kHow> void accumulated(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  for (Index b : k.blocks(4)) {
    const Buffer t = k.ub(i32, {64}, "t"), first = k.ub(i32, {64}, "first");
    k.fill(first, 7, 64);
    k.when(b == 0, [&] { k.store(y, first, 64); });
    k.meet();
    k.load(t, x.at(b, 0), 64);
    k.accumulate(kHow, [&] { k.store(y, t, 64); });
  }
}

template <typename F>
void expectAccumulated(void (*kernel)(const Kernel &), F) {
  const OperatorReport report =
      testInline({[](Declaration &d) {
                    d.name("accumulated", "7 and the rows of x");
                    d.input("x", i32, {4, 64}, {-99, 99});
                    d.output("y", i32, {64}).shape({});
                  },
                  kernel,
                  [](const Reference &r) {
                    for (int64_t i = 0; i < 64; ++i) {
                      r["y"][i] = 7;
                      for (int64_t row = 0; row < 4; ++row) {
                        r["y"][i] = F()(r["y"][i], r["x"][row * 64 + i]);
                      }
                    }
                  }},
                 4);
  EXPECT_TRUE(report.passed()) << toText(report);
}

TEST(Accumulate, SumsMaximaAndMinima) {
  expectAccumulated(accumulated<Accumulation::sum>,
                    [](double a, double b) { return a + b; });
  expectAccumulated(accumulated<Accumulation::maximum>,
                    [](double a, double b) { return std::max(a, b); });
  expectAccumulated(accumulated<Accumulation::minimum>,
                    [](double a, double b) { return std::min(a, b); });
}

TEST(Accumulate, FloatsOfSeveralBlocksDependOnTheOrder) {
  const auto sum = [](const Kernel &k) {
    const Tensor y = k.tensor("y");
    for (Index b : k.blocks(k.cores())) {
      const Buffer t = k.ub(f32, {64}, "t");
      k.fill(t, 0, 64);
      k.when(b == 0, [&] { k.store(y, t, 64); });
      k.meet();
      k.load(t, k.tensor("x").at(b, 0), 64);
      k.accumulate(Accumulation::sum, [&] { k.store(y, t, 64); });
    }
  };
  const InlineFunctions functions = {
      [](Declaration &d) {
        d.name("floats", "the sum of the first rows of x");
        d.input("x", f32, {8, 64}).output("y", f32, {64}).shape({});
        d.tolerance(f32, 1e-5, 1e-5, "8 additions of |x| <= 1");
      },
      sum,
      [](const Reference &r) {
        for (int64_t i = 0; i < 64; ++i) {
          r["y"][i] = 0;
          for (int64_t row = 0; row < 8; ++row) {
            r["y"][i] += r["x"][row * 64 + i];
          }
        }
      }};
  const OperatorReport report = testInline(functions, 8);
  EXPECT_TRUE(report.passed()) << toText(report);
  EXPECT_TRUE(report.shapes.at(0).orderDependent);
  EXPECT_THAT(toText(report), HasSubstr("order-dependent"));
  // With one block the order is that of its commands, and 7 rows are missing.
  EXPECT_FALSE(testInline(functions, 1).shapes.at(0).orderDependent);
}

TEST(Accumulate, WithoutMeetingTheFirstStoreIsARace) {
  const OperatorReport report =
      testInline({[](Declaration &d) {
                    d.name("hasty", "for tests").input("x", i32, {4, 64});
                    d.output("y", i32, {64}).shape({});
                  },
                  [](const Kernel &k) {
                    for (Index b : k.blocks(4)) {
                      const Buffer t = k.ub(i32, {64}, "t");
                      k.fill(t, 1, 64);
                      k.when(b == 0, [&] { k.store(k.tensor("y"), t, 64); });
                      k.accumulate(Accumulation::sum,
                                   [&] { k.store(k.tensor("y"), t, 64); });
                    }
                  },
                  [](const Reference &) {}},
                 4);
  EXPECT_THAT(toText(report), HasSubstr("nothing orders"));
}

//===----------------------------------------------------------------------===//
// Texts
//===----------------------------------------------------------------------===//

void declareNumbers(Declaration &d) {
  d.name("numbers", "y = x").input("x", f16, {64}).output("y", f16, {64});
  d.shape({});
}

TEST(Texts, ArePrintedWithTheirValues) {
  const OperatorReport report =
      testInline({declareNumbers,
                  [](const Kernel &k) {
                    const Buffer t = k.ub(f16, {64}, "t");
                    k.print("\"100 %\" \\ $5 {}|\n");
                    for (Index i : k.range(0, 64, 32)) {
                      k.print("i = {d}, twice {x}", i, i * 2);
                      k.print("below 32: {u}", i < 32);
                    }
                    k.fill(t, 1.5, 64);
                    k.print("{f16}", k.readFloat<Half>(t));
                    k.load(t, k.tensor("x"), 64);
                    k.store(k.tensor("y"), t, 64);
                  },
                  [](const Reference &r) {
                    for (int64_t i = 0; i < 64; ++i) {
                      r["y"][i] = r["x"][i];
                    }
                  }});
  EXPECT_TRUE(report.passed()) << toText(report);
  EXPECT_THAT(report.shapes.at(0).printed,
              testing::ElementsAre(
                  "block 0: \"100 %\" \\ $5 {}|\n", "block 0: i = 0, twice 0x0",
                  "block 0: below 32: 1", "block 0: i = 32, twice 0x40",
                  "block 0: below 32: 0", "block 0: 1.5"));
  EXPECT_THAT(toText(report), HasSubstr("printed: block 0: i = 32"));
}

TEST(Texts, OfARequirementShowItsValue) {
  static uint32_t line = 0;
  const OperatorReport report =
      testInline({declareNumbers,
                  [](const Kernel &k) {
                    const Buffer t = k.ub(f16, {64}, "t");
                    for (Index i : k.range(0, 64, 16)) {
                      line = __LINE__ + 1;
                      k.require(i < 48, "{d} is too much", i);
                      k.load(t, k.tensor("x").at(i), 16);
                      k.store(k.tensor("y").at(i), t, 16);
                    }
                  },
                  [](const Reference &) {}});
  ASSERT_EQ(report.shapes.size(), 1u);
  EXPECT_EQ(report.shapes[0].code, StatusCode::kDeviceFault);
  EXPECT_THAT(toText(report), HasSubstr("assertion failed: 48 is too much"));
  EXPECT_THAT(toText(report),
              HasSubstr("meeting_test.cpp:" + std::to_string(line)));
}

} // namespace
} // namespace kiln::tik
