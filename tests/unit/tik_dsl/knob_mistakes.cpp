// SPDX-License-Identifier: Apache-2.0
//
// Mistakes with knobs: in their declaration, in settings, in the kernel. Each
// gives its number, at its line, with its exact text, and nothing else.
#include "tests/unit/tik_dsl/author_mistakes.h"

#include "tik_dsl/builder/knobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tik {
namespace {

void declare(Declaration &d) {
  d.name("op", "").output("y", f16, {"N"}).attribute("mode", {3, 4});
  d.shape({{"N", 4096}}).input("x", f16, {"M"}).dynamic("M", 1, 64);
}

void knobs(const Knobs &k) {
  k.knob("tile", 512, doubling(1024).upTo(k.attribute("N")));
  k.knob("slots", {2, 1});
}

void kernel(const Kernel &k) {
  const Tensor y = k.tensor("y");
  const int64_t tile = k.knob("tile");
  for (Index i : k.range(0, y.dim(0), tile).buffers(k.knob("slots"))) {
    const Buffer t = k.ub(f16, {tile}, "t");
    k.fill(t, 1.0f, tile);
    k.store(y.at(i), t, tile);
  }
}

struct Case {
  const char *name;
  InlineFunctions functions;
  KnobValues setting;
  uint32_t number;
  const char *text;
  bool hasLine = true;
};

const Case kCases[] = {
    {"UnknownKnob",
     {declare,
      [](const Kernel &k) {
        BAD_NEXT;
        k.knob("tileN");
        kernel(k);
      },
      nullptr, knobs},
     {},
     527,
     "knob: 'tileN' is not declared; there are 'tile', 'slots'"},
    {"NoKnobs",
     {declare,
      [](const Kernel &k) {
        BAD_NEXT;
        const int64_t tile = k.knob("tile");
        const Buffer t = k.ub(f16, {16 * tile}, "t");
        k.fill(t, 1.0f, 16);
        k.store(k.tensor("y"), t, 16);
      },
      nullptr},
     {},
     527,
     "knob: 'tile' is not declared; there is none"},
    {"UnknownSetting",
     {declare, kernel, nullptr, knobs},
     {{"tileN", 16}},
     528,
     "tileN=16: 'tileN' is no knob of op; there are 'tile', 'slots'",
     false},
    {"IllegalValue",
     {declare, kernel, nullptr, knobs},
     {{"tile", 500}},
     529,
     "tile=500; possible: 512, 1024, 2048, 4096",
     false},
    {"SetTwice",
     {declare, kernel, nullptr, knobs},
     {{"slots", 1}, {"slots", 2}},
     530,
     "slots=2: the knob has a value",
     false},
    {"NoName",
     {declare, kernel, nullptr,
      [](const Knobs &k) {
        knobs(k);
        BAD_NEXT;
        k.knob("tile m", {1});
      }},
     {},
     531,
     "knob 'tile m' is not an identifier"},
    {"DeclaredTwice",
     {declare, kernel, nullptr,
      [](const Knobs &k) {
        knobs(k);
        BAD_NEXT;
        k.knob("slots", {1});
      }},
     {},
     531,
     "knob 'slots' is declared twice"},
    {"NoValue",
     {declare, kernel, nullptr,
      [](const Knobs &k) {
        knobs(k);
        BAD_NEXT;
        k.knob("order", {});
      }},
     {},
     531,
     "knob 'order' has no value"},
    {"Rule",
     {declare,
      [](const Kernel &k) {
        BAD_NEXT;
        k.legal(k.knob("tile") < 512, "tile is below 512");
        kernel(k);
      },
      nullptr, knobs},
     {},
     532,
     "tile is below 512"},
    {"Unread",
     {declare, kernel, nullptr,
      [](const Knobs &k) {
        knobs(k);
        BAD_NEXT;
        k.knob("order", {0, 1});
      }},
     {},
     533,
     "knob 'order' is not read by the kernel"},
    {"UnknownAttribute",
     {declare, kernel, nullptr,
      [](const Knobs &k) {
        knobs(k);
        BAD_NEXT;
        k.attribute("modus");
      }},
     {},
     506,
     "'modus' is neither an attribute nor a dimension"},
    {"SizeOfTheLaunch",
     {declare, kernel, nullptr,
      [](const Knobs &k) {
        knobs(k);
        BAD_NEXT;
        k.attribute("M");
      }},
     {},
     526,
     "attribute: the launch gives 'M'; one kernel serves all its sizes"},
};

class KnobMistakes : public testing::TestWithParam<Case> {};

TEST_P(KnobMistakes, GiveNumberLineAndText) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  ASSERT_TRUE(k1);
  Result<Operator> op = inlineOperator(GetParam().functions);
  ASSERT_TRUE(op) << op.status().message();
  Result<BoundShape> shape =
      op->bind({false, {{"N", 4096}, {"M", 3}}, {}, GetParam().setting});
  ASSERT_TRUE(shape) << shape.status().message();
  MessageList messages;
  OperatorCompiler compiler;
  Result<CompiledKernel> built =
      compiler.compile(*op, *shape, {.arch = &*k1}, &messages);
  ASSERT_FALSE(built);
  ASSERT_EQ(messages.messages().size(), 1u) << messages.text();
  const Message &message = messages.messages().front();
  EXPECT_EQ(message.number, GetParam().number);
  EXPECT_EQ(message.at.line, GetParam().hasLine ? bad : 0);
  EXPECT_EQ(message.text, GetParam().text);
  EXPECT_EQ(built.status().message(), message.render());
  EXPECT_EQ(built.status().code(), StatusCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(All, KnobMistakes, testing::ValuesIn(kCases),
                         [](const auto &info) { return info.param.name; });

TEST(Phases, KnobsHaveTheirOwn) {
  const auto errorOf = [](const InlineFunctions &functions) {
    Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
    Result<Operator> op = inlineOperator(functions);
    if (!op) {
      return op.status().message();
    }
    Result<BoundShape> shape = op->bind({false, {{"N", 4096}, {"M", 3}}});
    OperatorCompiler compiler;
    return compiler.compile(*op, *shape, {.arch = &*k1}).status().message();
  };
  EXPECT_EQ(errorOf({declare,
                     [](const Kernel &k) {
                       Knobs(k.constant(0).table()).knob("late", {1});
                     },
                     nullptr}),
            "inline.cpp: error TIK505: the declaration of a knob was called in "
            "another phase");
}

} // namespace

std::vector<uint32_t> knobMistakeNumbers() {
  std::vector<uint32_t> numbers;
  for (const Case &c : kCases) {
    numbers.push_back(c.number);
  }
  return numbers;
}

} // namespace kiln::tik
