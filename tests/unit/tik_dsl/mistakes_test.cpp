// SPDX-License-Identifier: Apache-2.0
//
// Author mistakes: each gives its number, at its line, with its exact text,
// and nothing else. `bad` is set to the line before the mistaken one.
#include "tests/unit/tik_dsl/inline_operator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace kiln::tik {
namespace {

uint32_t bad = 0;
#define BAD_NEXT bad = __LINE__ + 1

void declare(Declaration &d) {
  d.name("mistaken", "for tests");
  d.input("x", f16, {4096}).output("y", f16, {4096}).output("z", f32, {64, 20});
  d.attribute("mode", {1, 2});
  d.shape({});
}

void bufferAfterScope(const Kernel &k) {
  const Tensor x = k.tensor("x");
  Buffer kept = k.ub(f16, {128}, "kept");
  for (Index i : k.range(0, 4096, 128)) {
    Buffer t = k.ub(f16, {128}, "t");
    k.load(t, x.at(i), 128);
    kept = t;
  }
  BAD_NEXT;
  k.store(k.tensor("y"), kept, 128);
}

void valueAfterScope(const Kernel &k) {
  Index last = k.constant(0);
  for (Index i : k.range(0, 4096, 128)) {
    last = i + 1;
  }
  BAD_NEXT;
  const Index next = last + 1;
}

void loopLeft(const Kernel &k) {
  BAD_NEXT;
  for (Index i : k.range(0, 4096, 128)) {
    k.ub(f16, {128}, "t");
    break;
  }
}

void blocksInRange(const Kernel &k) {
  for (Index i : k.range(0, 4)) {
    BAD_NEXT;
    for (Index b : k.blocks(2)) {
    }
  }
}

void badStep(const Kernel &k) {
  BAD_NEXT;
  for (Index i : k.range(0, 4096, 0)) {
  }
}

void divisionByZero(const Kernel &k) {
  for (Index i : k.range(0, 16)) {
    BAD_NEXT;
    const Index q = i / 0;
  }
}

void indexWithoutValue(const Kernel &k) {
  Index never;
  const Buffer t = k.ub(f16, {128}, "t");
  BAD_NEXT;
  k.fill(t, 0, never);
}

void tooLargeBuffer(const Kernel &k) {
  BAD_NEXT;
  k.ub(f32, {256, 1024}, "huge");
}

void buffersDoNotFit(const Kernel &k) {
  const Tensor x = k.tensor("x"), y = k.tensor("y");
  for (Index i : k.range(0, 4096, 128).buffers(3)) {
    BAD_NEXT;
    const Buffer large = k.ub(f16, {32768}, "large");
    const Buffer small = k.ub(f16, {16384}, "small", 1);
    const Buffer extra = k.ub(f16, {16384}, "extra", 2);
    k.load(large, x.at(i), 128);
    k.load(small, x.at(i), 128);
    k.add(extra, large, small, 128);
    k.store(y.at(i), extra, 128);
  }
}

void misaligned(const Kernel &k) {
  const Buffer t = k.ub(f16, {128}, "t");
  BAD_NEXT;
  k.fill(t.at(3), 0, 16);
}

void misalignedInLoop(const Kernel &k) {
  const Buffer t = k.ub(f16, {128}, "t");
  for (Index i : k.range(0, 64, 4)) {
    BAD_NEXT;
    k.fill(t.at(i), 0, 16);
  }
}

void wrongSpace(const Kernel &k) {
  const Buffer t = k.l1(f16, {128}, "t");
  BAD_NEXT;
  k.fill(t, 0, 128);
}

void tooLongForBuffer(const Kernel &k) {
  const Buffer t = k.ub(f16, {100}, "t");
  for (Index i : k.range(0, 4096, 128)) {
    BAD_NEXT;
    k.load(t, k.tensor("x").at(i), min(128, 4096 - i));
  }
}

void behindTensor(const Kernel &k) {
  const Buffer t = k.ub(f16, {128}, "t");
  for (Index i : k.range(0, 4097, 128)) {
    BAD_NEXT;
    k.load(t, k.tensor("x").at(i), 128);
  }
}

void overlap(const Kernel &k) {
  const Buffer t = k.ub(f16, {256}, "t");
  BAD_NEXT;
  k.exp(t.at(16), t, 128);
}

void oddRows(const Kernel &k) {
  BAD_NEXT;
  k.ub(f16, {6, 77}, "rows");
}

void emptyBuffer(const Kernel &k) {
  BAD_NEXT;
  k.ub(f16, {0}, "none");
}

void flatL0(const Kernel &k) {
  const int64_t dims[] = {4, 4, 16};
  BAD_NEXT;
  k.l0a(f16, 0, dims[0], "a");
}

void depthOutsideLoop(const Kernel &k) {
  BAD_NEXT;
  k.ub(f16, {128}, "t", 2);
}

void typeMix(const Kernel &k) {
  const Buffer a = k.ub(f16, {128}, "a"), b = k.ub(f32, {128}, "b");
  BAD_NEXT;
  k.add(b, a, b, 128);
}

void cubeTypes(const Kernel &k) {
  const Buffer a = k.l0a(f16, 16, 16, "a"), b = k.l0b(f16, 16, 16, "b");
  const Buffer c = k.l0c(i32, 16, 16, "c");
  BAD_NEXT;
  k.mmad(c, a, b, {16, 16, 16}, false);
}

void typeUnsupported(const Kernel &k) {
  const Buffer a = k.ub(i32, {128}, "a");
  BAD_NEXT;
  k.exp(a, a, 128);
}

void countTooLarge(const Kernel &k) {
  const Buffer a = k.ub(i8, {100000}, "a");
  BAD_NEXT;
  k.fill(a, 1, 100000);
}

void negativeCount(const Kernel &k) {
  const Buffer a = k.ub(f16, {128}, "a");
  for (Index i : k.range(0, 4096, 128)) {
    BAD_NEXT;
    k.fill(a, 1, 128 - i);
  }
}

void strideTooLarge(const Kernel &k) {
  const Buffer a = k.ub(f16, {128}, "a");
  BAD_NEXT;
  k.fill(a.at(0).rowPitch(16 << 16), 1, {2, 16});
}

void oddPitch(const Kernel &k) {
  const Buffer a = k.ub(f16, {128}, "a");
  BAD_NEXT;
  k.fill(a.at(0).rowPitch(20), 1, {2, 16});
}

void tooManySlots(const Kernel &k) {
  BAD_NEXT;
  for (Index i : k.range(0, 16).buffers(9)) {
  }
}

void notColumnBlocks(const Kernel &k) {
  const Buffer a = k.l1(f16, {64, 32}, "a");
  BAD_NEXT;
  k.loadNz(a, k.tensor("x"), {1, 16});
}

void unknownTensor(const Kernel &k) {
  BAD_NEXT;
  k.tensor("w");
}

void unknownAttribute(const Kernel &k) {
  BAD_NEXT;
  k.attribute("modus");
}

struct Case {
  const char *name;
  void (*kernel)(const Kernel &);
  uint32_t number;
  const char *text;
};

/// The expected text: "@-3" stands for the number of the line three above
/// the mistaken one.
std::string expanded(std::string text) {
  for (size_t at = 0; (at = text.find('@', at)) != std::string::npos;) {
    size_t length = 0;
    const int distance = std::stoi(text.substr(at + 1), &length);
    text.replace(at, length + 1,
                 std::to_string(static_cast<int>(bad) + distance));
  }
  return text;
}

class Mistakes : public testing::TestWithParam<Case> {};

TEST_P(Mistakes, GiveNumberLineAndText) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  ASSERT_TRUE(k1);
  Result<Operator> op = inlineOperator({declare, GetParam().kernel, nullptr});
  ASSERT_TRUE(op) << op.status().message();
  Result<BoundShape> shape = op->bind({});
  ASSERT_TRUE(shape) << shape.status().message();
  MessageList messages;
  OperatorCompiler compiler;
  Result<CompiledKernel> kernel =
      compiler.compile(*op, *shape, {.arch = &*k1}, &messages);
  ASSERT_FALSE(kernel);
  ASSERT_EQ(messages.messages().size(), 1u) << messages.text();
  const Message &message = messages.messages().front();
  EXPECT_EQ(message.number, GetParam().number);
  EXPECT_EQ(message.at.line, bad);
  EXPECT_THAT(message.at.file, testing::EndsWith("mistakes_test.cpp"));
  EXPECT_EQ(message.text, expanded(GetParam().text));
  EXPECT_EQ(kernel.status().message(), message.render());
  EXPECT_EQ(kernel.status().code(), message.number == 201
                                        ? StatusCode::kDoesNotFit
                                        : StatusCode::kInvalidArgument);
}

const Case kCases[] = {
    {"BufferAfterScope", bufferAfterScope, 101,
     "store: 't' was created in the range of line @-6 and is used after it; "
     "create it outside"},
    {"ValueAfterScope", valueAfterScope, 101,
     "arithmetic: a value computed in the range of line @-4 is used after it; "
     "a "
     "C++ variable does not carry a run-time value out of a loop or from one "
     "iteration to the next"},
    {"LoopLeft", loopLeft, 102,
     "the body of a loop was left by break, return or an exception; it is "
     "built once and must run to its end: use when() for what depends on "
     "run-time values"},
    {"BlocksInRange", blocksInRange, 103,
     "blocks: blocks() stands in the range of line @-2; it is the outermost "
     "construct of a kernel"},
    {"BadStep", badStep, 105, "range: the step is not known to be at least 1"},
    {"DivisionByZero", divisionByZero, 106,
     "arithmetic: division by the constant 0"},
    {"IndexWithoutValue", indexWithoutValue, 108,
     "an Index is used that was never given a value"},
    {"TooLargeBuffer", tooLargeBuffer, 201,
     "buffer: 'huge' (256x1024 f32) takes 1048576 bytes; UB has 262144; use a "
     "smaller tile"},
    {"BuffersDoNotFit", buffersDoNotFit, 201,
     "buffers of UB do not fit: 294912 bytes needed, 262144 available; 'large' "
     "is the largest: a smaller tile or fewer slots\n"
     "  buffer  bytes       slots  line  used in lines\n"
     "  large   196608      3      @+0    @+3-@+5\n"
     "  extra   65536       2      @+2    @+5-@+6\n"
     "  small   32768       1      @+1    @+4-@+5"},
    {"Misaligned", misaligned, 202,
     "fill: the destination 't' begins at byte 6; a multiple of 32 is needed"},
    {"MisalignedInLoop", misalignedInLoop, 202,
     "fill: the destination 't' begins at an offset that is only known to be a "
     "multiple of 8 bytes; a multiple of 32 is needed (see assumeMultiple)"},
    {"WrongSpace", wrongSpace, 203,
     "fill: the destination 't' lies in L1; this instruction wants it in UB"},
    {"TooLongForBuffer", tooLongForBuffer, 204,
     "load: the destination 't' is accessed up to byte 256; it has 224 bytes"},
    {"BehindTensor", behindTensor, 204,
     "load: the source 'x' is accessed up to byte 8448; it has 8192 bytes"},
    {"Overlap", overlap, 205,
     "exp: destination and source overlap in part in 't' (from bytes 32 and "
     "0); they must be the same place or apart"},
    {"OddRows", oddRows, 206,
     "buffer: rows of 'rows' (6x77 f16) are 154 bytes, not a multiple of 32; "
     "use 80 columns"},
    {"EmptyBuffer", emptyBuffer, 206,
     "buffer: 'none' is 0 f16; every size is at least 1"},
    {"FlatL0", flatL0, 206, "buffer: 'a' is 0x4 f16; every size is at least 1"},
    {"DepthOutsideLoop", depthOutsideLoop, 207,
     "buffer: 't' has 2 slots, which take turns in the iterations of a range; "
     "create it directly in the body of one"},
    {"TypeMix", typeMix, 301,
     "add: 'a' is f16 and 'b' is f32; the types must be equal (cast() "
     "converts)"},
    {"CubeTypes", cubeTypes, 301,
     "mmad: A is f16, B is f16, the accumulator is i32; possible are f16, bf16 "
     "or f32 twice with f32, and 8-bit integers with i32"},
    {"TypeUnsupported", typeUnsupported, 302,
     "exp: 'a' is i32; this instruction takes f16, bf16, f32"},
    {"CountTooLarge", countTooLarge, 401,
     "fill: the number of columns reaches 100000; the instruction takes at "
     "most 65535"},
    {"NegativeCount", negativeCount, 401,
     "fill: the number of columns is -3840; a count is not negative"},
    {"StrideTooLarge", strideTooLarge, 402,
     "fill: the row stride of the destination is 65536 blocks; 0 to 65535 is "
     "possible"},
    {"OddPitch", oddPitch, 202,
     "fill: rows of the destination are not a multiple of 32 bytes apart"},
    {"TooManySlots", tooManySlots, 403, "range: buffers(9); 1 to 8 slots"},
    {"NotColumnBlocks", notColumnBlocks, 206,
     "loadNz: the destination 'a' is not made of column blocks; create it with "
     "l1Nz()"},
    {"UnknownTensor", unknownTensor, 501,
     "tensor: 'w' is not declared; there are 'x', 'y', 'z'"},
    {"UnknownAttribute", unknownAttribute, 501,
     "'modus' is neither an attribute nor a dimension"},
};

INSTANTIATE_TEST_SUITE_P(All, Mistakes, testing::ValuesIn(kCases),
                         [](const auto &info) { return info.param.name; });

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

std::string declarationError(void (*declaration)(Declaration &)) {
  Result<Operator> op = inlineOperator({declaration, nullptr, nullptr});
  return op ? "accepted" : op.status().message();
}

TEST(Declarations, AreChecked) {
  EXPECT_EQ(declarationError([](Declaration &d) {
              d.name("two words", "").input("x", f16, {"N"});
            }),
            "inline.cpp: operator: error TIK502: the operator's name 'two "
            "words' is not an identifier\n"
            "operator: error TIK502: no output is declared\n"
            "operator: error TIK502: no shape() is declared: nothing would be "
            "tested");
  EXPECT_EQ(
      declarationError([](Declaration &d) {
        d.name("op", "").output("y", "kind", {"N-1"}).output("y", f16, {1});
        d.shape({});
      }),
      "inline.cpp: operator: error TIK502: dimension 'N-1' of 'y' is "
      "neither a symbol nor a number\n"
      "operator: error TIK502: the type of 'y' is attribute 'kind', which "
      "is not declared\n"
      "operator: error TIK502: two tensors are called 'y'");
}

TEST(Declarations, ShapesAreChecked) {
  Result<Operator> op = inlineOperator(
      {[](Declaration &d) {
         d.name("op", "").output("y", "out", {"M", "N"});
         d.attribute("out", {f32, f16}).shape({{"M", 1}, {"N", 2}});
       },
       nullptr, nullptr});
  ASSERT_TRUE(op) << op.status().message();
  auto error = [&](std::vector<std::pair<std::string, int64_t>> settings) {
    Result<BoundShape> shape = op->bind({false, std::move(settings)});
    return shape ? shape->text : shape.status().message();
  };
  EXPECT_EQ(error({{"N", 3}, {"M", 2}}), "M=2 N=3 out=f32");
  EXPECT_EQ(error({{"M", 1}, {"out", 0}}),
            "inline.cpp: operator: error TIK503: out=i8; possible: f32, f16\n"
            "operator: error TIK503: dimension 'N' has no size");
  EXPECT_EQ(error({{"M", 0}, {"N", 1}, {"K", 1}}),
            "inline.cpp: operator: error TIK503: M=0; a size is 1 to "
            "2147483648\n"
            "operator: error TIK503: 'K' is neither a dimension nor an "
            "attribute of op");
}

TEST(Declarations, ExceptionsAreReported) {
  EXPECT_THAT(declarationError([](Declaration &d) {
                d.name("op", "").output("y", f16, {1}).shape({});
                throw 1;
              }),
              testing::HasSubstr("error TIK504: the operator's code threw an "
                                 "exception"));
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
      return next() % 2 ? t_->beginOtherwise(t_->self, &line_)
                        : t_->endWhen(t_->self, &line_);
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
    switch (next() % 14) {
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
  } else {
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

TEST(MistakeTable, NumbersAreUniqueAndEveryOneHasARemedy) {
  std::set<Mistake> numbers;
  for (const MistakeInfo &info : allMistakes()) {
    EXPECT_TRUE(numbers.insert(info.number).second);
    EXPECT_FALSE(info.title.empty());
    EXPECT_FALSE(info.remedy.empty());
  }
}

} // namespace
} // namespace kiln::tik
