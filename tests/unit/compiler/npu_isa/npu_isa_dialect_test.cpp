// SPDX-License-Identifier: Apache-2.0
//
// The generated dialect against the codec: every encoding has an op, its text
// form parses and prints, its fields are the encoding's; what decode() refuses
// the verifier refuses.
#include "compiler/dialect/npu_isa/NpuIsaOps.h"
#include "isa/codec/instruction.h"
#include "isa/gen/tables.h"

#include "mlir/Parser/Parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kiln::npu_isa {
namespace {

using ::testing::HasSubstr;

/// The attributes of an op in its text form, in order: sub, then f3.
std::string attributesOf(const isa::Instruction &i) {
  const std::string sub = std::to_string(i.sub), f3 = std::to_string(i.f3);
  switch (i.op) {
  case isa::Opcode::kKcfg:
    return "pipe(" + sub + ") index(" + f3 + ") ";
  case isa::Opcode::kKset:
  case isa::Opcode::kKwait:
    return "src(" + sub + ") dst(" + f3 + ") ";
  case isa::Opcode::kKpost:
  case isa::Opcode::kKpend:
    return "pipe(" + f3 + ") ";
  case isa::Opcode::kCpL0a:
  case isa::Opcode::kCpL0b:
    return "transpose(" + f3 + ") ";
  case isa::Opcode::kFixGm:
  case isa::Opcode::kFixUb:
  case isa::Opcode::kFixL1:
    return "accumulator(" + f3 + ") ";
  default:
    return isa::info(i.op).hasF3 ? "elementType(" + f3 + ") " : "";
  }
}

std::string textOf(const isa::Instruction &i) {
  std::string text =
      "npu_isa." + std::string(isa::mnemonic(i.op)) + " " + attributesOf(i);
  for (unsigned n = 0; n < isa::info(i.op).numOperands; ++n) {
    text += n == 0 ? "%a" : ", %a";
  }
  return text;
}

class NpuIsaDialectTest : public ::testing::Test {
protected:
  NpuIsaDialectTest() {
    context.loadDialect<NpuIsaDialect, mlir::arith::ArithDialect>();
    context.getDiagEngine().registerHandler([this](mlir::Diagnostic &d) {
      messages += d.str() + "\n";
      return mlir::success();
    });
  }

  mlir::OwningOpRef<mlir::ModuleOp> parse(const std::string &body) {
    messages.clear();
    return mlir::parseSourceString<mlir::ModuleOp>(
        "%a = arith.constant 1 : i64\n" + body, &context);
  }

  mlir::MLIRContext context;
  std::string messages;
};

TEST_F(NpuIsaDialectTest, EveryEncodingHasAnOpWithItsFields) {
  for (const isa::tables::Spelling &s : isa::tables::kSpellings) {
    const isa::Instruction i{s.op, s.sub, s.f3};
    auto module = parse(textOf(i));
    ASSERT_TRUE(module) << textOf(i) << "\n" << messages;
    mlir::Operation *op = &module->getBody()->back();
    const std::optional<Encoding> e = encodingOf(op);
    ASSERT_TRUE(e) << textOf(i);
    const isa::OpcodeInfo &table = isa::info(i.op);
    EXPECT_EQ(e->opcode, table.opcode) << s.text;
    EXPECT_EQ(e->f2, table.f2) << s.text;
    EXPECT_EQ(e->sub, s.sub) << s.text;
    EXPECT_EQ(e->f3, s.f3) << s.text;
    EXPECT_EQ(e->operands, table.numOperands) << s.text;
    EXPECT_EQ(op->getNumOperands(), table.numOperands) << s.text;
    std::string printed;
    llvm::raw_string_ostream(printed) << *module;
    EXPECT_THAT(printed, HasSubstr(attributesOf(i)));
  }
}

TEST_F(NpuIsaDialectTest, WhatTheCodecRefusesTheVerifierRefuses) {
  unsigned refused = 0;
  for (unsigned op = 0; op < isa::kNumOpcodes; ++op) {
    const isa::OpcodeInfo &table = isa::info(static_cast<isa::Opcode>(op));
    const bool fixedSub = (table.subMask & (table.subMask - 1)) == 0;
    for (unsigned sub = 0; sub < (fixedSub ? 1u : 9u); ++sub) {
      for (unsigned f3 = 0; f3 < (table.hasF3 ? 10u : 1u); ++f3) {
        isa::Instruction i{static_cast<isa::Opcode>(op),
                           static_cast<uint8_t>(sub), static_cast<uint8_t>(f3)};
        const bool legal = isa::encode(i).isOk();
        refused += !legal;
        EXPECT_EQ(bool(parse(textOf(i))), legal) << textOf(i) << messages;
      }
    }
  }
  EXPECT_GT(refused, 100u);
}

TEST_F(NpuIsaDialectTest, OtherOpsHaveNoEncoding) {
  auto module = parse("");
  ASSERT_TRUE(module);
  EXPECT_FALSE(encodingOf(&module->getBody()->front()));
}

TEST_F(NpuIsaDialectTest, AWrongTypeNamesTheChoices) {
  EXPECT_FALSE(parse("npu_isa.mmad elementType(4) %a, %a, %a"));
  EXPECT_THAT(messages, HasSubstr("5 f16"));
  EXPECT_FALSE(parse("npu_isa.kset src(3) dst(3) %a"));
  EXPECT_THAT(messages, HasSubstr("dst is one that kset allows"));
}

} // namespace
} // namespace kiln::npu_isa
