// SPDX-License-Identifier: Apache-2.0
//
// NPU instructions as 32-bit words: encode, decode, text.
//
//   Result<uint32_t> w = encode({.op = Opcode::kLdUb, .rs1 = 10, .rs2 = 11,
//                                .rs3 = 12});
//   Result<Instruction> i = decode(*w);
//   toText(*i);                                  // "ld.ub a0, a1, a2"
//   parseText("mmad.f16 a0, a1, a2");            // and back
//   Command c = makeCommand(*i, a0, a1, a2, pc); // with register values
//
// A word is rs3[31:27] f2[26:25] rs2[24:20] rs1[19:15] f3[14:12] sub[11:7]
// op[6:0]. Illegal words are refused (kInvalidArgument) with the field and
// its legal values: unknown op, f2 or sub, an f3 the instruction does not
// allow, an unused register that is not x0.
//
// Thread rule: pure functions. Source of all facts: isa/spec.
#pragma once

#include "isa/codec/command.h"
#include "isa/support/status.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kiln::isa {

/// One instruction: registers by number (0..31), not their values.
struct Instruction {
  Opcode op{};
  /// The pipe of kcfg, the source pipe of kset and kwait. Other instructions
  /// fix the field and ignore this member when encoding.
  uint8_t sub = 0;
  uint8_t f3 = 0;
  uint8_t rs1 = 0, rs2 = 0, rs3 = 0;

  bool operator==(const Instruction &) const = default;
};

Result<uint32_t> encode(const Instruction &instruction);

/// Decodes an NPU word; the refusal names the field.
Result<Instruction> decode(uint32_t word);

/// decode() for simulators: no message, nothing allocated.
std::optional<Instruction> decodeFast(uint32_t word);

/// Whether the word's op field is custom-0..3: an NPU word, legal or not.
constexpr bool isNpuWord(uint32_t word) {
  const uint32_t op = word & 0x7f;
  return op == 0x0b || op == 0x2b || op == 0x5b || op == 0x7b;
}

/// The pipe whose queue the instruction goes to.
constexpr Pipe pipeOf(const Instruction &i) {
  const OpcodeInfo &table = info(i.op);
  switch (table.pipeRule) {
  case PipeRule::kSub:
    return static_cast<Pipe>(i.sub);
  case PipeRule::kF3:
    return static_cast<Pipe>(i.f3);
  case PipeRule::kFixed:
    break;
  }
  return table.pipe;
}

/// A command from a decoded instruction and the values of its registers.
/// `word` goes into reports.
Command makeCommand(const Instruction &instruction, uint32_t word, uint64_t rs1,
                    uint64_t rs2, uint64_t rs3, uint64_t pc);

/// Pipes of a flag command: kset and kwait name source and destination.
constexpr Pipe flagSource(const Instruction &i) {
  return static_cast<Pipe>(i.sub);
}
constexpr Pipe flagDestination(const Instruction &i) {
  return static_cast<Pipe>(i.f3);
}

/// True when no operand of the command has a bit outside its fields.
constexpr bool operandBitsAreUsed(const Command &c) {
  const OpcodeInfo &table = info(c.op);
  return ((c.rs1 & ~table.operand[0].usedBits) |
          (c.rs2 & ~table.operand[1].usedBits) |
          (c.rs3 & ~table.operand[2].usedBits)) == 0;
}

/// "dst{addr=0x40 row_stride=2 blk_stride=1 count=8} src{addr=...}", for
/// fault reports and traces. Marks bits outside the fields with "!bits=".
std::string describeOperands(const Command &command);

/// Assembly text: mnemonic with its suffixes, register operands by ABI name.
std::string toText(const Instruction &instruction);

/// Reads what toText() writes; register numbers (x10) and free spacing are
/// accepted, `st.ub` without a type means bytes. kInvalidArgument names the
/// mnemonic or the operand.
Result<Instruction> parseText(std::string_view text);

/// Whether `text` is a mnemonic with its suffixes, as toText() writes it, or
/// `st.ub`.
bool isMnemonic(std::string_view text);

/// toText(), or ".word 0x... # why" for an illegal word.
std::string disassembleWord(uint32_t word);

} // namespace kiln::isa
