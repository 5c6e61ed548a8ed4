// SPDX-License-Identifier: Apache-2.0
//
// The C table under the C++ face: versions, and calls without any sense.
#include "tests/unit/tik_dsl/inline_operator.h"

#include <gtest/gtest.h>

namespace kiln::tik {
namespace {

void declare(Declaration &d) {
  d.name("random", "for tests");
  d.input("x", f16, {4096}).output("y", f16, {4096}).shape({});
}

TEST(Table, OldTablesAreRefused) {
  MessageList messages;
  KilnTikTable table{};
  table.size = sizeof(KilnTikTable) - 8;
  const KilnTikRequest request{sizeof(KilnTikRequest), KILN_TIK_BUILD, &table};
  EXPECT_EQ(inlineEntry(&request), KILN_TIK_TABLE_TOO_SHORT);
}

//===----------------------------------------------------------------------===//
// Calls without any sense
//===----------------------------------------------------------------------===//

/// Random calls of the table, with handles that exist and handles that do not.
class RandomCalls {
public:
  RandomCalls(const KilnTikTable *table, uint64_t seed)
      : t_(table), state_(seed) {}

  void run() {
    values_ = {0, 77777, t_->constant(t_->self, number())};
    memories_ = {0, 88888, t_->tensor(t_->self, "x", &line_)};
    for (int i = 0; i < 40; ++i) {
      control();
      command();
    }
  }

private:
  uint64_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return state_ >> 33;
  }
  int64_t number() {
    constexpr int64_t kNumbers[] = {
        0, 1, 2, 16, 32, -1, 4096, 1ll << 40, INT64_MAX, INT64_MIN, 100, 512};
    return kNumbers[next() % std::size(kNumbers)];
  }
  uint32_t small() { return static_cast<uint32_t>(next() % 10); }
  KilnTikValue value() { return values_[next() % values_.size()]; }
  KilnTikMemory memory() { return memories_[next() % memories_.size()]; }
  KilnTikPlace place() { return {memory(), value()}; }
  KilnTikView view() { return {place(), number(), next() % 2 ? 1 : number()}; }

  void control() {
    const int64_t dims[] = {number(), number(), number(), 16, 1, 1, 1, 1};
    switch (next() % 12) {
    case 0:
      return values_.push_back(t_->constant(t_->self, number()));
    case 1:
    case 2:
      return values_.push_back(
          t_->arith(t_->self, small(), value(), value(), &line_));
    case 3:
      return values_.push_back(
          t_->compare(t_->self, small(), value(), value(), &line_));
    case 4:
      return values_.push_back(
          t_->select(t_->self, value(), value(), value(), &line_));
    case 5:
      return values_.push_back(
          t_->assumeMultiple(t_->self, value(), number(), &line_));
    case 6:
      return values_.push_back(
          t_->beginRange(t_->self, value(), value(), value(), small(), &line_));
    case 7:
      return t_->endRange(t_->self, &line_);
    case 8:
      return t_->beginWhen(t_->self, value(), &line_);
    case 9:
      switch (next() % 3) {
      case 0:
        return t_->beginOtherwise(t_->self, &line_);
      case 1:
        return t_->continueOtherwise(t_->self, &line_);
      default:
        return t_->endWhen(t_->self, &line_);
      }
    case 10:
      return values_.push_back(t_->beginBlocks(t_->self, number(), &line_));
    default:
      return memories_.push_back(t_->alloc(
          t_->self, small(), small(), small() % 9, dims, small(), "r", &line_));
    }
  }

  void command() {
    const KilnTikView a = view(), b = view(), c = view();
    const KilnTikTile tile = {value(), value()};
    const KilnTikRows rows = {value(), value(), value()};
    const KilnTikFractals fractals = {value(), value(), number(), number(),
                                      small()};
    const KilnTikMmad mmad = {place(), place(), place(), place(),
                              value(), value(), value(), value()};
    const KilnTikFix fix = {place(), place(), value(), value(), value(),
                            value(), value(), 1,       1,       2.0f};
    const KilnTikIm2colBatch patches = {{value(),
                                         value(),
                                         value(),
                                         value(),
                                         value(),
                                         value(),
                                         number(),
                                         number(),
                                         small(),
                                         {small(), small()},
                                         {small(), small()},
                                         {small(), small()},
                                         number(),
                                         number(),
                                         small(),
                                         small()},
                                        number(),
                                        number(),
                                        number(),
                                        small() % 2u};
    switch (next() % 15) {
    case 13:
      return t_->loadIm2colBatch(t_->self, &a.place, &b.place, &patches,
                                 &line_);
    case 0:
      return t_->load(t_->self, &a, &b.place, &rows, 0, &line_);
    case 1:
      return t_->loadNz(t_->self, &a.place, number(), &b.place, &rows, 0,
                        &line_);
    case 2:
      return t_->store(t_->self, &a.place, &b, &rows, &line_);
    case 3:
      return t_->moveL1(t_->self, &a, &b, &tile, &line_);
    case 4:
      return t_->loadL0(t_->self, &a.place, &b.place, &fractals, &line_);
    case 5:
      return t_->mmad(t_->self, &mmad, &line_);
    case 6:
      return t_->fix(t_->self, &fix, &line_);
    case 7:
      return t_->vbinary(t_->self, small(), &a, &b, &c, &tile, &line_);
    case 8:
      return t_->vscalar(t_->self, small(), &a, &b, value(), &tile, &line_);
    case 9:
      return t_->vunary(t_->self, small(), &a, &b, &tile, &line_);
    case 10:
      return t_->vcast(t_->self, &a, &b, small(), &tile, &line_);
    case 11:
      return t_->vreduce(t_->self, small(), &a, &b, &tile, &line_);
    case 12:
      return values_.push_back(
          t_->scalarLoad(t_->self, &a.place, small(), &line_));
    default:
      return t_->vdup(t_->self, &a, value(), &tile, &line_);
    }
  }

  const KilnTikTable *t_;
  uint64_t state_;
  KilnTikLine line_ = {"random.c", 1, 1};
  std::vector<KilnTikValue> values_;
  std::vector<KilnTikMemory> memories_;
};

uint64_t randomSeed = 0;

int32_t randomEntry(const KilnTikRequest *request) {
  if (request->verb == KILN_TIK_DECLARE) {
    Declaration d(request->table);
    declare(d);
  } else if (request->verb == KILN_TIK_BUILD) {
    RandomCalls(request->table, randomSeed).run();
  }
  return KILN_TIK_DONE;
}

TEST(Table, RandomCallsNeverCrash) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  ASSERT_TRUE(k1);
  Result<Operator> op = Operator::declare(randomEntry, "random.c");
  ASSERT_TRUE(op) << op.status().message();
  Result<BoundShape> shape = op->bind({});
  OperatorCompiler compiler;
  int refused = 0;
  for (randomSeed = 1; randomSeed <= 1000; ++randomSeed) {
    Result<CompiledKernel> kernel =
        compiler.compile(*op, *shape, {.arch = &*k1});
    refused += !kernel;
    EXPECT_TRUE(kernel || kernel.status().code() != StatusCode::kInternal);
  }
  EXPECT_GT(refused, 900);
}

} // namespace
} // namespace kiln::tik
