// SPDX-License-Identifier: Apache-2.0
//
// Author mistakes: each gives its number, at its line, with its exact text,
// and nothing else. `bad` is set to the line before the mistaken one.
#include "tests/unit/tik_dsl/author_mistakes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace kiln::tik {
namespace {

uint32_t zLine = 0;

void declare(Declaration &d) {
  d.name("mistaken", "for tests");
  d.input("x", f16, {4096}).output("y", f16, {4096});
  zLine = __LINE__ + 1;
  d.output("z", f32, {64, 20});
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

//===----------------------------------------------------------------------===//
// Mistakes that a whole kernel shows
//===----------------------------------------------------------------------===//

/// So that nothing but the mistake is wrong.
void writeOutputs(const Kernel &k) {
  const Buffer y = k.ub(f16, {4096}, "yValues");
  const Buffer z = k.ub(f32, {64, 24}, "zValues");
  k.fill(y, 0, 4096);
  k.fill(z, 0, {64, 20});
  k.store(k.tensor("y"), y, 4096);
  k.store(k.tensor("z"), z, {64, 20});
}

void outputNeverWritten(const Kernel &k) {
  const Buffer t = k.ub(f16, {4096}, "t");
  k.fill(t, 0, 4096);
  bad = zLine;
  k.store(k.tensor("y"), t, 4096);
}

void bufferNeverWritten(const Kernel &k) {
  const Buffer t = k.ub(f16, {128}, "t"), u = k.ub(f16, {128}, "u");
  BAD_NEXT;
  k.exp(u, t, 128);
  writeOutputs(k);
}

void workspaceNeverWritten(const Kernel &k) {
  const Tensor scratch = k.workspace(f16, {128}, "scratch");
  const Buffer t = k.ub(f16, {128}, "t");
  BAD_NEXT;
  k.load(t, scratch, 128);
  writeOutputs(k);
}

void requireNeverHolds(const Kernel &k) {
  BAD_NEXT;
  k.require(k.constant(1) == 2, "one is two");
}

//===----------------------------------------------------------------------===//
// Blocks and loops
//===----------------------------------------------------------------------===//

void secondBlocks(const Kernel &k) {
  for (Index b : k.blocks(2)) {
  }
  BAD_NEXT;
  for (Index b : k.blocks(2)) {
  }
}

void noBlocks(const Kernel &k) {
  BAD_NEXT;
  for (Index b : k.blocks(0)) {
  }
}

void sharedBetweenBlocks(const Kernel &k) {
  for (Index b : k.blocks(2)) {
    const Buffer t = k.ub(f16, {128}, "t");
    k.fill(t, 0, 128);
    BAD_NEXT;
    k.store(k.tensor("y"), t, 128);
  }
}

/// Calls of the table that the C++ face cannot make.
const KilnTikTable *tableOf(const Kernel &k) { return k.constant(0).table(); }
KilnTikLine here(uint32_t line = __builtin_LINE()) {
  bad = line;
  return {"mistakes_test.cpp", line, 1};
}

void unknownValue(const Kernel &k) {
  const KilnTikTable *t = tableOf(k);
  const KilnTikLine line = here();
  t->arith(t->self, KILN_TIK_ADD, 9999, t->constant(t->self, 1), &line);
}

void unknownMemory(const Kernel &k) {
  const KilnTikTable *t = tableOf(k);
  const KilnTikLine line = here();
  const KilnTikView view = {{9999, 0}, 0, 1};
  const KilnTikValue one = t->constant(t->self, 1);
  const KilnTikTile tile = {one, one};
  t->vdup(t->self, &view, one, &tile, &line);
}

void numberAsCondition(const Kernel &k) {
  for (Index i : k.range(0, 16)) {
    const KilnTikTable *t = tableOf(k);
    const KilnTikLine line = here();
    t->beginWhen(t->self, i.handle(), &line);
    t->endWhen(t->self, &line);
  }
}

void conditionAsNumber(const Kernel &k) {
  for (Index i : k.range(0, 16)) {
    const Condition first = i == 0;
    const KilnTikTable *t = tableOf(k);
    const KilnTikLine line = here();
    t->arith(t->self, KILN_TIK_ADD, first.handle(), i.handle(), &line);
  }
}

void otherwiseAlone(const Kernel &k) {
  const KilnTikTable *t = tableOf(k);
  const KilnTikLine line = here();
  t->beginOtherwise(t->self, &line);
}

void otherwiseLate(const Kernel &k) {
  for (Index i : k.range(0, 16)) {
    auto first = k.when(i == 0, [] {});
    k.barrier();
    BAD_NEXT;
    std::move(first).otherwise([] {});
  }
}

void bufferOfNoSpace(const Kernel &k) {
  const KilnTikTable *t = tableOf(k);
  const KilnTikLine line = here();
  const int64_t dims[] = {16};
  t->alloc(t->self, 9, KILN_TIK_F16, 1, dims, 0, "t", &line);
}

void cubeBufferOfThreeDimensions(const Kernel &k) {
  const KilnTikTable *t = tableOf(k);
  const KilnTikLine line = here();
  const int64_t dims[] = {4, 4, 16};
  t->alloc(t->self, KILN_TIK_L0A, KILN_TIK_F16, 3, dims, 0, "a", &line);
}

void unknownOperation(const Kernel &k) {
  const KilnTikTable *t = tableOf(k);
  const KilnTikLine line = here();
  const KilnTikView view = {{1, 0}, 0, 1};
  const KilnTikTile tile = {0, 0};
  t->vunary(t->self, 3, &view, &view, &tile, &line);
}

//===----------------------------------------------------------------------===//
// Manual synchronisation
//===----------------------------------------------------------------------===//

void flagOutside(const Kernel &k) {
  BAD_NEXT;
  k.setFlag(Pipe::load, Pipe::vector, 0);
}

void flagOfNoId(const Kernel &k) {
  k.manual([&] {
    BAD_NEXT;
    k.setFlag(Pipe::load, Pipe::vector, 8);
  });
}

void flagToItself(const Kernel &k) {
  k.manual([&] {
    BAD_NEXT;
    k.setFlag(Pipe::vector, Pipe::vector, 0);
  });
}

void manualNested(const Kernel &k) {
  k.manual([&] {
    BAD_NEXT;
    k.manual([&] {});
  });
}

/// A manual scope in a kernel in which nothing else is wrong; its flags go from
/// loads to the vector unit.
template <typename Body> void manualScope(const Kernel &k, const Body &body) {
  k.manual(body);
  writeOutputs(k);
}
void set(const Kernel &k, const Operand &id, Line line = Line::current()) {
  k.setFlag(Pipe::load, Pipe::vector, id, line);
}
void wait(const Kernel &k, const Operand &id, Line line = Line::current()) {
  k.waitFlag(Pipe::load, Pipe::vector, id, line);
}
/// A number that only the running kernel knows.
Index unknown(const Kernel &k) {
  const Buffer t = k.ub(u8, {32}, "t");
  k.fill(t, 1, 32);
  return k.read(t);
}

void race(const Kernel &k) {
  const Buffer t = k.ub(f16, {128}, "t");
  manualScope(k, [&] {
    k.load(t, k.tensor("x"), 128);
    BAD_NEXT;
    k.exp(t, t, 128);
  });
}

void waitBeforeSet(const Kernel &k) {
  manualScope(k, [&] {
    BAD_NEXT;
    wait(k, 0);
    set(k, 0);
  });
}

void setTwice(const Kernel &k) {
  manualScope(k, [&] {
    set(k, 0);
    BAD_NEXT;
    set(k, 0);
    wait(k, 0);
  });
}

void setAgainTooEarly(const Kernel &k) {
  manualScope(k, [&] {
    set(k, 0);
    wait(k, 0);
    BAD_NEXT;
    set(k, 0);
    wait(k, 0);
  });
}

void flagLeft(const Kernel &k) {
  manualScope(k, [&] {
    BAD_NEXT;
    set(k, 3);
  });
}

void flagInABranch(const Kernel &k) {
  const Condition one = unknown(k) == 1;
  manualScope(k, [&] {
    BAD_NEXT;
    k.when(one, [&] { set(k, 0); });
  });
}

void flagOfUnknownId(const Kernel &k) {
  const Index id = unknown(k) % 8;
  manualScope(k, [&] {
    BAD_NEXT;
    set(k, id);
    wait(k, id);
  });
}

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

class Mistakes : public testing::TestWithParam<MistakeCase> {};

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
  EXPECT_THAT(message.at.file, testing::HasSubstr("mistakes"));
  EXPECT_EQ(message.text, expanded(GetParam().text));
  EXPECT_EQ(kernel.status().message(), message.render());
  EXPECT_EQ(kernel.status().code(), message.number == 201
                                        ? StatusCode::kDoesNotFit
                                        : StatusCode::kInvalidArgument);
}

const MistakeCase kCases[] = {
    {"BufferAfterScope", bufferAfterScope, 101,
     "store: 't' was created in the range of line @-6 and is used after it; "
     "create it outside"},
    {"ValueAfterScope", valueAfterScope, 101,
     "arithmetic: a value computed in the range of line @-4 is used after it; "
     "a "
     "C++ variable does not carry a run-time value out of a loop or from one "
     "iteration to the next"},
    {"LoopLeft", loopLeft, 102,
     "the body of a loop was left by break or return; it is built once and "
     "must run to its end: use when() for what depends on "
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
    {"OddRows", oddRows, 211,
     "buffer: rows of 'rows' (6x77 f16) are 154 bytes, not a multiple of 32; "
     "use 80 columns"},
    {"EmptyBuffer", emptyBuffer, 212,
     "buffer: 'none' is 0 f16; every size is at least 1"},
    {"FlatL0", flatL0, 212, "buffer: 'a' is 0x4 f16; every size is at least 1"},
    {"DepthOutsideLoop", depthOutsideLoop, 207,
     "buffer: 't' has 2 slots, which take turns in the iterations of a range; "
     "create it directly in the body of one"},
    {"TypeMix", typeMix, 301,
     "add: 'a' is f16 and 'b' is f32; the types must be equal (cast() "
     "converts)"},
    {"CubeTypes", cubeTypes, 303,
     "mmad: A is f16, B is f16, the accumulator is i32; possible are f16, bf16 "
     "or f32 twice with f32, and 8-bit integers with i32"},
    {"TypeUnsupported", typeUnsupported, 302,
     "exp: 'a' is i32; this instruction takes f16, bf16, f32"},
    {"CountTooLarge", countTooLarge, 401,
     "fill: the number of columns reaches 100000; the instruction takes at "
     "most 65535"},
    {"NegativeCount", negativeCount, 404,
     "fill: the number of columns is -3840; a count is not negative"},
    {"StrideTooLarge", strideTooLarge, 402,
     "fill: the row stride of the destination is 65536 blocks; 0 to 65535 is "
     "possible"},
    {"OddPitch", oddPitch, 210,
     "fill: rows of the destination are not a multiple of 32 bytes apart"},
    {"TooManySlots", tooManySlots, 113, "range: buffers(9); 1 to 8 slots"},
    {"NotColumnBlocks", notColumnBlocks, 214,
     "loadNz: the destination 'a' is not made of column blocks; create it with "
     "l1Nz()"},
    {"UnknownTensor", unknownTensor, 501,
     "tensor: 'w' is not declared; there are 'x', 'y', 'z'"},
    {"UnknownAttribute", unknownAttribute, 506,
     "'modus' is neither an attribute nor a dimension"},
    {"OutputNeverWritten", outputNeverWritten, 116,
     "output 'z' is never written by the kernel"},
    {"BufferNeverWritten", bufferNeverWritten, 217,
     "exp: 't' is read, and no command of the kernel writes it"},
    {"WorkspaceNeverWritten", workspaceNeverWritten, 217,
     "load: 'scratch' is read, and no command of the kernel writes it"},
    {"RequireNeverHolds", requireNeverHolds, 117,
     "require: 'one is two' never holds"},
    {"SecondBlocks", secondBlocks, 109, "blocks: a kernel has one blocks()"},
    {"NoBlocks", noBlocks, 112,
     "blocks: the number of blocks is 0; 1 to 2147483648 is possible"},
    {"SharedBetweenBlocks", sharedBetweenBlocks, 218,
     "store: all 2 blocks write the same bytes of 'y'; the place depends on "
     "nothing that differs between blocks"},
    {"UnknownValue", unknownValue, 104,
     "arithmetic: this is no value of the kernel"},
    {"UnknownMemory", unknownMemory, 104,
     "fill: this is no tensor or buffer of the kernel"},
    {"NumberAsCondition", numberAsCondition, 107,
     "when: a number where a condition is needed; compare it with something"},
    {"ConditionAsNumber", conditionAsNumber, 115,
     "arithmetic: arithmetic on a condition; use select()"},
    {"OtherwiseAlone", otherwiseAlone, 114,
     "otherwise: otherwise() without its when()"},
    {"OtherwiseLate", otherwiseLate, 114,
     "otherwise: otherwise() does not follow its when()"},
    {"BufferOfNoSpace", bufferOfNoSpace, 219,
     "buffer: the space of 't' is 9; 1 to 6 is possible"},
    {"CubeBufferOfThreeDimensions", cubeBufferOfThreeDimensions, 206,
     "buffer: 'a' is 4x4x16 f16; a buffer of L0A has two dimensions"},
    {"UnknownOperation", unknownOperation, 403,
     "vector operation: there is no operation 3"},
    {"FlagOutside", flagOutside, 601,
     "setFlag: flags are set and waited for in a manual() scope only; outside "
     "of it the compiler does both"},
    {"FlagOfNoId", flagOfNoId, 602, "setFlag: flag 8; ids are 0 to 7"},
    {"FlagToItself", flagToItself, 603,
     "setFlag: the flag goes from V to itself"},
    {"ManualNested", manualNested, 610,
     "manual: manual() stands in a manual scope"},
    {"Race", race, 604,
     "race in UB: pipe V writes bytes that no flag orders after a command of "
     "pipe MTE2 that writes them"},
    {"WaitBeforeSet", waitBeforeSet, 605,
     "waits for flag MTE2>V.0 before it is set in program order"},
    {"SetTwice", setTwice, 606, "flag MTE2>V.0 is set already"},
    {"SetAgainTooEarly", setAgainTooEarly, 606,
     "flag MTE2>V.0 may be set again before the wait that clears it"},
    {"FlagLeft", flagLeft, 607,
     "flag MTE2>V.3 is left set at the end of the kernel"},
    {"FlagInABranch", flagInABranch, 608,
     "flag MTE2>V.0 is left set here, but only when this code runs"},
    {"FlagOfUnknownId", flagOfUnknownId, 609,
     "flag id is not known; cannot prove the kernel's synchronisation"},
};

INSTANTIATE_TEST_SUITE_P(Kernels, Mistakes, testing::ValuesIn(kCases),
                         [](const auto &info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(Meeting, Mistakes,
                         testing::ValuesIn(meetingMistakes()),
                         [](const auto &info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(Commands, Mistakes,
                         testing::ValuesIn(commandMistakes()),
                         [](const auto &info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(Memory, Mistakes, testing::ValuesIn(memoryMistakes()),
                         [](const auto &info) { return info.param.name; });

//===----------------------------------------------------------------------===//
// The table of mistakes
//===----------------------------------------------------------------------===//

TEST(MistakeTable, NumbersAreUniqueAndEveryOneHasAPage) {
  std::set<Mistake> numbers;
  for (const MistakeInfo &info : allMistakes()) {
    EXPECT_TRUE(numbers.insert(info.number).second);
    const std::string page = manualPage(info);
    EXPECT_THAT(page, testing::StartsWith("# " + mistakeName(info.number) +
                                          ": " + std::string(info.title)));
    EXPECT_THAT(page, testing::HasSubstr(std::string(info.cause)));
    EXPECT_THAT(page, testing::HasSubstr(std::string(info.remedy)));
    EXPECT_FALSE(info.cause.empty());
    EXPECT_FALSE(info.remedy.empty());
  }
}

TEST(MistakeTable, EveryMistakeOfAKernelIsMadeHere) {
  std::set<uint32_t> made;
  for (const MistakeCase &c : kCases) {
    made.insert(c.number);
  }
  for (const MistakeCase &c : commandMistakes()) {
    made.insert(c.number);
  }
  for (const MistakeCase &c : meetingMistakes()) {
    made.insert(c.number);
  }
  for (const MistakeCase &c : memoryMistakes()) {
    made.insert(c.number);
  }
  // The C++ compiler finds these (loader_test.cpp), a declaration shows those
  // (declarations_test.cpp), and no way to 901 is known.
  const std::set<uint32_t> elsewhere = {110, 111, 526, 901};
  for (const MistakeInfo &info : allMistakes()) {
    const auto number = static_cast<uint32_t>(info.number);
    const bool declaration =
        number / 100 == 5 && number != 501 && number != 506;
    const bool body = number / 100 == 7; // body_mistakes_test.cpp
    EXPECT_TRUE(declaration || body || elsewhere.contains(number) ||
                made.contains(number))
        << number;
  }
  EXPECT_GE(std::size(kCases) + commandMistakes().size(), 60u);
}

} // namespace
} // namespace kiln::tik
