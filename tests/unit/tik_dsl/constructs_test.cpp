// SPDX-License-Identifier: Apache-2.0
//
// Manual synchronisation, workspace, assertions and the remarks on barriers,
// each in a whole kernel with all orders and checks.
#include "tests/unit/tik_dsl/inline_operator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tik {
namespace {

using testing::HasSubstr;

void declareDouble(Declaration &d) {
  d.name("doubled", "y = 2 * x").input("x", f16, {2048});
  d.output("y", f16, {2048}).shape({});
}
void doubleReference(const Reference &r) {
  for (int64_t i = 0; i < 2048; ++i) {
    r["y"][i] = 2 * r["x"][i];
  }
}

/// y = 2 * x for the first n elements; `beside` is called for each tile.
template <typename Beside>
void doubleTiles(const Kernel &k, int64_t n, const Beside &beside) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  for (Index i : k.range(0, n, 256).buffers(2)) {
    const Buffer t = k.ub(f16, {256}, "t");
    beside(i);
    k.load(t, x.at(i), 256);
    k.add(t, t, t, 256);
    k.store(y.at(i), t, 256);
  }
}

void expectDoubled(void (*kernel)(const Kernel &)) {
  const OperatorReport report =
      testInline({declareDouble, kernel, doubleReference});
  EXPECT_TRUE(!report.shapes.empty() && report.passed()) << toText(report);
}

//===----------------------------------------------------------------------===//
// Manual scopes
//===----------------------------------------------------------------------===//

/// Two places take turns; their flags are primed before and drained after.
void manualDouble(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  const Buffer t = k.ub(f16, {2, 256}, "t");
  k.manual([&] {
    for (int64_t slot : {0, 1}) {
      k.setFlag(Pipe::store, Pipe::load, slot);
    }
    for (Index i : k.range(0, 2048, 512)) {
      for (int64_t slot : {0, 1}) {
        const Index at = i + slot * 256;
        k.waitFlag(Pipe::store, Pipe::load, slot);
        k.load(t.at(slot, 0), x.at(at), 256);
        k.setFlag(Pipe::load, Pipe::vector, slot);
        k.waitFlag(Pipe::load, Pipe::vector, slot);
        k.adds(t.at(slot, 0), t.at(slot, 0), 0, 256);
        k.add(t.at(slot, 0), t.at(slot, 0), t.at(slot, 0), 256);
        k.setFlag(Pipe::vector, Pipe::store, slot);
        k.waitFlag(Pipe::vector, Pipe::store, slot);
        k.store(y.at(at), t.at(slot, 0), 256);
        k.setFlag(Pipe::store, Pipe::load, slot);
      }
    }
    for (int64_t slot : {0, 1}) {
      k.waitFlag(Pipe::store, Pipe::load, slot);
    }
  });
}

std::string buildError(void (*kernel)(const Kernel &)) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  Result<Operator> op = inlineOperator({declareDouble, kernel, nullptr});
  Result<BoundShape> shape = op->bind({});
  OperatorCompiler compiler;
  const auto built = compiler.compile(*op, *shape, {.arch = &*k1});
  return built ? "built" : built.status().message();
}

TEST(Manual, TheWholeBufferIsWhatIsOrdered) {
  // The verifier sees a buffer as one piece, so two places of one buffer do not
  // pass: the load of the second may not run beside the store of the first.
  EXPECT_THAT(buildError(manualDouble), HasSubstr("error TIK604: race in UB"));
}

/// The same with two buffers.
void manualBuffers(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  const Buffer t[2] = {k.ub(f16, {256}, "even"), k.ub(f16, {256}, "odd")};
  k.manual([&] {
    for (int64_t slot : {0, 1}) {
      k.setFlag(Pipe::store, Pipe::load, slot);
    }
    for (Index i : k.range(0, 2048, 512)) {
      for (int64_t slot : {0, 1}) {
        const Index at = i + slot * 256;
        k.waitFlag(Pipe::store, Pipe::load, slot);
        k.load(t[slot], x.at(at), 256);
        k.setFlag(Pipe::load, Pipe::vector, slot);
        k.waitFlag(Pipe::load, Pipe::vector, slot);
        k.add(t[slot], t[slot], t[slot], 256);
        k.setFlag(Pipe::vector, Pipe::store, slot);
        k.waitFlag(Pipe::vector, Pipe::store, slot);
        k.store(y.at(at), t[slot], 256);
        k.setFlag(Pipe::store, Pipe::load, slot);
      }
    }
    for (int64_t slot : {0, 1}) {
      k.waitFlag(Pipe::store, Pipe::load, slot);
    }
  });
}

TEST(Manual, FlagsOfTheAuthorAreProvenAndRun) {
  const OperatorReport report =
      testInline({declareDouble, manualBuffers, doubleReference});
  ASSERT_EQ(report.shapes.size(), 1u);
  EXPECT_TRUE(report.passed()) << toText(report);
  EXPECT_EQ(report.shapes[0].note.barrierCount, 2u); // both ends of the scope
}

/// Automatic before and after, and its flags of the same pipes.
TEST(Manual, StandsBetweenAutomaticCode) {
  expectDoubled([](const Kernel &k) {
    doubleTiles(k, 1024, [](const Index &) {});
    const Buffer u = k.ub(f16, {1024}, "u");
    k.load(u, k.tensor("x").at(1024), 1024);
    k.manual([&] {
      k.add(u, u, u, 1024);
      k.setFlag(Pipe::vector, Pipe::store, 0);
      k.waitFlag(Pipe::vector, Pipe::store, 0);
      k.store(k.tensor("y").at(1024), u, 1024);
    });
  });
}

//===----------------------------------------------------------------------===//
// Workspace
//===----------------------------------------------------------------------===//

TEST(Workspace, CarriesDataThroughGlobalMemory) {
  expectDoubled([](const Kernel &k) {
    const Tensor scratch = k.workspace(f16, {2048}, "scratch");
    const Buffer t = k.ub(f16, {2048}, "t"), u = k.ub(f16, {2048}, "u");
    k.load(t, k.tensor("x"), 2048);
    k.add(t, t, t, 2048);
    k.store(scratch, t, 2048);
    k.load(u, scratch, 2048);
    k.store(k.tensor("y"), u, 2048);
  });
}

//===----------------------------------------------------------------------===//
// Assertions
//===----------------------------------------------------------------------===//

TEST(Assertions, ThatHoldChangeNothing) {
  expectDoubled([](const Kernel &k) {
    doubleTiles(k, 2048,
                [&](const Index &i) { k.require(i < 2048, "i is inside"); });
  });
}

TEST(Assertions, ThatFailStopTheKernelWithTextAndLine) {
  static uint32_t line = 0;
  const OperatorReport report =
      testInline({declareDouble,
                  [](const Kernel &k) {
                    doubleTiles(k, 2048, [&](const Index &i) {
                      k.require(i >= 0, "not this one");
                      line = __LINE__ + 1;
                      k.require(i < 1024, "i is below 1024");
                    });
                  },
                  doubleReference});
  ASSERT_EQ(report.shapes.size(), 1u);
  EXPECT_EQ(report.shapes[0].code, StatusCode::kDeviceFault);
  EXPECT_THAT(report.shapes[0].problems[0],
              HasSubstr("constructs_test.cpp:" + std::to_string(line) +
                        ": 'i is below 1024' does not hold"));
}

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

/// More buffers than a pair of pipes has flags.
void tenBuffers(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  for (Index i : k.range(0, 2048, 1024)) {
    Buffer t[10] = {k.ub(f16, {1024}, "0"), k.ub(f16, {1024}, "1"),
                    k.ub(f16, {1024}, "2"), k.ub(f16, {1024}, "3"),
                    k.ub(f16, {1024}, "4"), k.ub(f16, {1024}, "5"),
                    k.ub(f16, {1024}, "6"), k.ub(f16, {1024}, "7"),
                    k.ub(f16, {1024}, "8"), k.ub(f16, {1024}, "9")};
    for (const Buffer &b : t) { // each load waits for the sum before it
      k.load(b, x.at(i), 1024);
      k.add(t[0], b, b, 1024);
    }
    k.store(y.at(i), t[0], 1024);
  }
}

TEST(Barriers, HaveARemarkEachWithLineAndReason) {
  const OperatorReport report =
      testInline({declareDouble, tenBuffers, doubleReference});
  ASSERT_EQ(report.shapes.size(), 1u);
  EXPECT_TRUE(report.passed()) << toText(report);
  const ShapeReport &shape = report.shapes[0];
  EXPECT_GT(shape.note.barrierCount, 0u);
  EXPECT_EQ(shape.remarks.size(), shape.note.barrierCount);
  for (const std::string &remark : shape.remarks) {
    EXPECT_THAT(remark, HasSubstr("constructs_test.cpp:"));
    EXPECT_THAT(remark, HasSubstr("more than 8 flags needed from "));
    EXPECT_THAT(remark, HasSubstr("; a barrier replaces some"));
  }
  EXPECT_THAT(toText(report), HasSubstr("remark: "));
}

} // namespace
} // namespace kiln::tik
