// SPDX-License-Identifier: Apache-2.0
//
// Mistakes in bodies: each gives its number, at its line of the author's file,
// with its exact text; and text that nobody would write never crashes.
#include "tests/unit/tik_dsl/inline_operator.h"
#include "tik_dsl/builder/body.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::tik {
namespace {

using testing::HasSubstr;

struct Case {
  const char *name;
  Body body;
  uint32_t line; // of the mistake, counted from the line of the text
  uint32_t number;
  const char *text;
};

const Case kCases[] = {
    {"NoMlir",
     R"mlir(
  func.func @f(%x: tensor<?xf16>, %y: tensor<4xf32>) -> tensor<?xf16> {
    return %z : tensor<?xf16>
  })mlir",
     2, 701, "body: use of undeclared SSA value name"},
    {"UnknownOperation",
     R"mlir(
  func.func @f(%x: tensor<?xf16>, %y: tensor<4xf32>) -> tensor<?xf16> {
    %z = linalg.frobnicate %x : tensor<?xf16>
    return %z : tensor<?xf16>
  })mlir",
     2, 701, "body: custom op 'linalg.frobnicate' is unknown"},
    {"DoesNotVerify",
     R"mlir(
  func.func @f(%x: tensor<?xf16>, %y: tensor<4xf32>) -> tensor<?xf16> {
    return %y : tensor<4xf32>
  })mlir",
     2, 701,
     "body: type of return operand 0 ('tensor<4xf32>') doesn't match function "
     "result type ('tensor<?xf16>') in function @f"},
    {"Iterators",
     R"mlir(
  func.func @f(%x: tensor<?xf16>, %y: tensor<4xf32>) -> tensor<?xf16> {
    %z = linalg.generic {
        indexing_maps = [affine_map<(i) -> (i)>],
        iterator_types = [parallel]}
        outs(%x : tensor<?xf16>) {
    ^bb0(%a: f16):
      linalg.yield %a : f16
    } -> tensor<?xf16>
    return %z : tensor<?xf16>
  })mlir",
     4, 701, "body: iterator_types is a list of strings"},
    {"TooFewArguments",
     R"mlir(
  func.func @f(%x: tensor<?xf16>) -> tensor<?xf16> {
    return %x : tensor<?xf16>
  })mlir",
     1, 702, "body: has 1 argument; the operator has 2 inputs"},
    {"TooManyResults",
     R"mlir(
  func.func @f(%x: tensor<?xf16>, %y: tensor<4xf32>)
      -> (tensor<?xf16>, tensor<?xf16>) {
    return %x, %x : tensor<?xf16>, tensor<?xf16>
  })mlir",
     1, 702, "body: has 2 results; the operator has 1 output"},
    {"OtherType",
     R"mlir(
  func.func @f(%x: tensor<?xf16>,
               %y: tensor<4xf16>) -> tensor<?xf16> {
    return %x : tensor<?xf16>
  })mlir",
     2, 702,
     "body: input 'y' is tensor<4xf16>; the operator has tensor<4xf32>"},
    {"OtherRank",
     R"mlir(
  func.func @f(%x: tensor<?x?xf16>, %y: tensor<4xf32>) -> tensor<16xf16> {
    %z = tensor.empty() : tensor<16xf16>
    return %z : tensor<16xf16>
  })mlir",
     1, 702,
     "body: input 'x' is tensor<?x?xf16>; the operator has tensor<16xf16>"},
    {"OtherSize",
     R"mlir(
  func.func @f(%x: tensor<{N}xf16>, %y: tensor<4xf32>) -> tensor<8xf16> {
    %z = tensor.extract_slice %x[0] [8] [1]
        : tensor<{N}xf16> to tensor<8xf16>
    return %z : tensor<8xf16>
  })mlir",
     1, 702,
     "body: output 'z' is tensor<8xf16>; the operator has tensor<16xf16>"},
    {"Memref",
     R"mlir(
  func.func @f(%x: tensor<?xf16>, %y: tensor<4xf32>) -> tensor<?xf16> {
    %m = memref.alloc() : memref<4xf32>
    return %x : tensor<?xf16>
  })mlir",
     2, 704,
     "body: 'memref.alloc' works on memory; a body computes tensors from "
     "tensors"},
    {"Loop",
     R"mlir(
  func.func @f(%x: tensor<?xf16>, %y: tensor<4xf32>) -> tensor<?xf16> {
    %0 = arith.constant 0 : index
    %1 = arith.constant 1 : index

    scf.for %i = %0 to %1 step %1 {
    }
    return %x : tensor<?xf16>
  })mlir",
     5, 703, "body: 'scf.for' is not possible in a body"},
    {"Call",
     R"mlir(
  func.func @f(%x: tensor<?xf16>, %y: tensor<4xf32>) -> tensor<?xf16> {
    %z = func.call @f(%x, %y)
        : (tensor<?xf16>, tensor<4xf32>) -> tensor<?xf16>
    return %z : tensor<?xf16>
  })mlir",
     2, 703, "body: 'func.call' is not possible in a body"},
    {"Double",
     R"mlir(
  func.func @f(%x: tensor<?xf16>, %y: tensor<4xf32>) -> tensor<?xf16> {
    %z = arith.extf %y : tensor<4xf32> to tensor<4xf64>
    return %x : tensor<?xf16>
  })mlir",
     2, 703,
     "body: 'arith.extf' gives tensor<4xf64>, which is not possible in a "
     "body"},
    {"TwoResults",
     R"mlir(
  #id = affine_map<(i) -> (i)>
  func.func @f(%x: tensor<16xf16>, %y: tensor<4xf32>) -> tensor<16xf16> {
    %z:2 = linalg.generic {indexing_maps = [#id, #id, #id],
                           iterator_types = ["parallel"]}
        ins(%x : tensor<16xf16>)
        outs(%x, %x : tensor<16xf16>, tensor<16xf16>) {
    ^bb0(%a: f16, %b: f16, %c: f16):
      linalg.yield %a, %a : f16, f16
    } -> (tensor<16xf16>, tensor<16xf16>)
    return %z#0 : tensor<16xf16>
  })mlir",
     3, 703, "body: 'linalg.generic' gives 2 tensors; one is possible"},
    {"Power",
     R"mlir(
  func.func @f(%x: tensor<?xf16>, %y: tensor<4xf32>) -> tensor<?xf16> {
    %z = math.powf %x, %x : tensor<?xf16>
    return %z : tensor<?xf16>
  })mlir",
     2, 703, "body: 'math.powf' is not possible in a body"},
    {"TwoFunctions",
     R"mlir(
  func.func @f(%x: tensor<?xf16>, %y: tensor<4xf32>) -> tensor<?xf16> {
    return %x : tensor<?xf16>
  }
  func.func @g() { return })mlir",
     4, 702, "body: a body is one function; found a second one, 'func.func'"},
    {"Nothing", "", 0, 702, "body: a body is one function; found none"},
    {"UnknownSize",
     R"mlir(
  func.func @f(%x: tensor<?xf16>, %y: tensor<4xf32>) -> tensor<?xf16> {
    %f = linalg.dot ins(%y, %y : tensor<4xf32>, tensor<4xf32>)
                    outs(%y : tensor<4xf32>) -> tensor<4xf32>
    return %x : tensor<?xf16>
  })mlir",
     2, 701,
     "body: 'linalg.dot' op expected operand #2 rank (1) to match the result "
     "rank of indexing_map (0)"},
    {"OtherSizeInside",
     R"mlir(
  func.func @f(%x: tensor<?xf16>, %y: tensor<4xf32>) -> tensor<?xf16> {
    %c = arith.constant 7 : index
    %z = tensor.extract_slice %x[0] [%c] [1] : tensor<?xf16> to tensor<?xf16>
    return %z : tensor<?xf16>
  })mlir",
     4, 705, "body: output 'z' becomes tensor<7xf16>"},
    {"UnknownName",
     R"mlir(
  func.func @f(%x: tensor<?xf16>, %y: tensor<4xf32>) -> tensor<?xf16> {
    %c = arith.constant {Q} : index
    return %x : tensor<?xf16>
  })mlir",
     2, 706, "body: '{Q}' is neither a dimension nor an attribute of op"},
};

Body currentBody = "";

/// x (f16, N), y (f32, 4) -> z (f16, N)
void declare(Declaration &d) {
  d.name("op", "").input("x", f16, {"N"}).input("y", f32, {4});
  d.output("z", f16, {"N"}).shape({{"N", 16}});
  d.body(currentBody);
}

TEST(BodyMistakes, HaveTheirNumberLineAndText) {
  for (const Case &c : kCases) {
    currentBody = c.body;
    const Result<Operator> op = inlineOperator({.declare = declare});
    ASSERT_FALSE(op) << c.name;
    const std::string where = std::string(__FILE__) + ":" +
                              std::to_string(c.body.line.line() + c.line) +
                              ": error TIK" + std::to_string(c.number) + ": ";
    const std::string message = op.status().message();
    EXPECT_THAT(message, testing::StartsWith(where + c.text)) << c.name;
    EXPECT_EQ(message.find("error", where.size()), std::string::npos)
        << c.name << ": " << message;
    EXPECT_EQ(op.status().code(), StatusCode::kInvalidArgument);
  }
}

TEST(BodyMistakes, AnOperatorNeedsAKernelOrABody) {
  const auto op = inlineOperator({.declare = [](Declaration &d) {
    d.name("op", "").output("z", f16, {1}).shape({});
  }});
  ASSERT_FALSE(op);
  EXPECT_THAT(op.status().message(),
              HasSubstr("error TIK709: 'op' has neither a kernel nor a body"));
}

TEST(BodyMistakes, ABodyIsGivenOnce) {
  uint32_t line = 0;
  static uint32_t second;
  const auto op = inlineOperator({.declare = [](Declaration &d) {
    d.name("op", "").input("x", f16, {1}).output("z", f16, {1}).shape({});
    d.body("");
    second = __LINE__ + 1;
    d.body("");
  }});
  line = second;
  ASSERT_FALSE(op);
  EXPECT_THAT(op.status().message(),
              HasSubstr(":" + std::to_string(line) +
                        ": error TIK708: body: the operator has one already"));
}

TEST(BodyMistakes, UnsignedTensorsHaveNoBody) {
  const auto op = inlineOperator({.declare = [](Declaration &d) {
    d.name("op", "").input("x", u8, {1}).output("z", f16, {1}).shape({});
    d.body("");
  }});
  ASSERT_FALSE(op);
  EXPECT_THAT(op.status().message(),
              HasSubstr("error TIK707: body: 'x' is u8"));
}

TEST(BodyMistakes, DeepAndLongTextIsRefused) {
  currentBody.text = nullptr;
  const std::string deep = "\n" + std::string(100000, '(');
  currentBody = Body(deep.c_str());
  EXPECT_THAT(inlineOperator({.declare = declare}).status().message(),
              HasSubstr("TIK701: body: brackets nest deeper than 200"));
  const std::string length((1 << 20) + 1, ' ');
  currentBody = Body(length.c_str());
  EXPECT_THAT(inlineOperator({.declare = declare}).status().message(),
              HasSubstr("TIK701: body: the text has more than 2^20"));
}

//===----------------------------------------------------------------------===//
// Text that nobody would write
//===----------------------------------------------------------------------===//

const char *const kGood[] = {
    R"mlir(
  func.func @f(%x: tensor<?xf16>, %y: tensor<4xf32>) -> tensor<?xf16> {
    %0 = arith.constant 0 : index
    %n = tensor.dim %x, %0 : tensor<?xf16>
    %e = tensor.empty(%n) : tensor<?xf16>
    %s = linalg.add ins(%x, %x : tensor<?xf16>, tensor<?xf16>)
                    outs(%e : tensor<?xf16>) -> tensor<?xf16>
    %z = math.tanh %s : tensor<?xf16>
    return %z : tensor<?xf16>
  })mlir",
    R"mlir(
  func.func @f(%x: tensor<{N}xf16>, %y: tensor<4xf32>) -> tensor<{N}xf16> {
    %c = arith.constant 0.5 : f32
    %m = tensor.expand_shape %x [[0, 1]] output_shape [4, 4]
        : tensor<16xf16> into tensor<4x4xf16>
    %e = tensor.empty() : tensor<4x4xf16>
    %z = linalg.generic {
        indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>,
                         affine_map<(i, j) -> (j, i)>],
        iterator_types = ["parallel", "parallel"]}
        ins(%m, %y : tensor<4x4xf16>, tensor<4xf32>)
        outs(%e : tensor<4x4xf16>) {
    ^bb0(%a: f16, %b: f32, %o: f16):
      %w = arith.extf %a : f16 to f32
      %p = arith.mulf %w, %b : f32
      %q = arith.addf %p, %c : f32
      %r = arith.truncf %q : f32 to f16
      linalg.yield %r : f16
    } -> tensor<4x4xf16>
    %v = tensor.collapse_shape %z [[0, 1]]
        : tensor<4x4xf16> into tensor<16xf16>
    return %v : tensor<16xf16>
  })mlir"};

/// A few changes of `text`: bytes, pieces left out, doubled, or of the other.
std::string changed(std::string text, const std::string &other,
                    uint64_t &state) {
  auto next = [&](size_t below) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<size_t>(state >> 33) % below;
  };
  const char bytes[] = "%()<>[]{}:,x?0149-#^@\"\n ifnt";
  for (size_t i = 0, count = 1 + next(4); i < count && !text.empty(); ++i) {
    const size_t at = next(text.size()), length = 1 + next(30);
    switch (next(5)) {
    case 0:
      text[at] = bytes[next(sizeof bytes - 1)];
      break;
    case 1:
      text.erase(at, length);
      break;
    case 2:
      text.insert(at, text.substr(next(text.size()), length));
      break;
    case 3:
      text.insert(at, other.substr(next(other.size()), length));
      break;
    default:
      text[at] = static_cast<char>('0' + next(10));
    }
  }
  return text;
}

TEST(BodyMistakes, RandomTextNeverCrashes) {
  currentBody = kGood[0];
  const Result<Operator> op = inlineOperator({.declare = declare});
  ASSERT_TRUE(op) << op.status().message();
  const Result<BoundShape> shape = op->bind({false, {{"N", 16}}, {}});
  ASSERT_TRUE(shape);
  OperatorDecl decl = op->decl();
  BodyCompiler bodies;
  uint64_t state = 7;
  int taken = 0;
  for (int i = 0; i < 4000; ++i) {
    MessageList messages;
    decl.body->text = changed(kGood[i % 2], kGood[1 - i % 2], state);
    const auto body = bodies.compile(decl, *shape, messages);
    EXPECT_NE(body.has_value(), !messages.empty()) << decl.body->text;
    taken += body.has_value();
  }
  EXPECT_GT(taken, 10); // changes of names and blanks
  EXPECT_LT(taken, 2000);
}

TEST(BodyMistakes, EveryMistakeOfABodyIsMadeHere) {
  std::set<uint32_t> made = {707, 708, 709};
  for (const Case &c : kCases) {
    made.insert(c.number);
  }
  for (const MistakeInfo &info : allMistakes()) {
    const auto number = static_cast<uint32_t>(info.number);
    EXPECT_TRUE(number / 100 != 7 || made.contains(number)) << number;
  }
}

TEST(BodyMistakes, WhatIsRightIsTaken) {
  for (const char *text : kGood) {
    currentBody = text;
    const Result<Operator> op = inlineOperator({.declare = declare});
    EXPECT_TRUE(op) << op.status().message();
  }
}

} // namespace
} // namespace kiln::tik
