// SPDX-License-Identifier: Apache-2.0
//
// Every example of the manual is an instruction that decodes, prints as the
// manual prints it, and runs without a fault.
#include "test_core.h"

#include "isa/codec/instruction.h"
#include "isa/gen/examples.h"

namespace kiln::isa {
namespace {

PipeConfig exampleConfig() {
  PipeConfig config;
  for (const ExampleConfig &word : kExampleConfig) {
    Command c;
    c.op = Opcode::kKcfg;
    c.pipe = word.pipe;
    c.f3 = static_cast<uint8_t>(word.index);
    c.rs1 = word.value;
    const std::optional<Fault> fault = configure(c, config);
    EXPECT_FALSE(fault) << fault->message;
  }
  return config;
}

TEST(ManualExamples, AreOneOfEveryInstruction) {
  ASSERT_EQ(kNumOpcodes, std::size(kExamples));
  for (unsigned i = 0; i < kNumOpcodes; ++i) {
    EXPECT_EQ(static_cast<Opcode>(i), kExamples[i].op);
  }
}

TEST(ManualExamples, DecodePrintAndRun) {
  for (const Example &e : kExamples) {
    SCOPED_TRACE(e.text);
    const Result<Instruction> i = decode(e.word);
    ASSERT_TRUE(i) << i.status().message();
    EXPECT_EQ(e.op, i->op);
    EXPECT_EQ(e.text, toText(*i));
    EXPECT_EQ(e.word, *encode(*parseText(e.text)));
    const Command c =
        makeCommand(*i, e.word, e.operand[0], e.operand[1], e.operand[2], 0);
    EXPECT_TRUE(operandBitsAreUsed(c));
    if (info(e.op).timing == TimingClass::kControl) {
      continue;
    }
    testing::TestCore core;
    core.config = exampleConfig();
    core.runOk(c);
    Footprint fp;
    footprint(c, core.config, fp);
    EXPECT_FALSE(fp.ranges.empty()) << "the example does nothing";
  }
}

} // namespace
} // namespace kiln::isa
