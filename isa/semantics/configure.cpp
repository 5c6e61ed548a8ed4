// SPDX-License-Identifier: Apache-2.0
//
// kcfg: the sticky configuration words.
#include "isa/semantics/operand_checks.h"

namespace kiln::isa {

using namespace semantics;

namespace {

/// Refuses bits outside the fields of the word and values out of range.
template <typename Word>
MaybeFault checkWord(uint64_t value, std::string_view word) {
  if ((value & ~Word::kUsedBits) != 0) {
    return makeFault(FaultKind::kIllegalOperand,
                     "{} = {:#x}: bits {:#x} are unused and must be 0", word,
                     value, value & ~Word::kUsedBits);
  }
  const std::string_view field = Word::unpack(value).outOfRange();
  if (!field.empty()) {
    return makeFault(FaultKind::kIllegalOperand,
                     "{} = {:#x}: field {} is out of range", word, value,
                     field);
  }
  return std::nullopt;
}

struct ConfigWord {
  Pipe pipe;
  uint8_t index;
  MaybeFault (*check)(uint64_t, std::string_view);
  std::string_view name;
};

constexpr ConfigWord kWords[] = {
    {Pipe::MTE2, 0, checkWord<Mte2Config0>, "MTE2[0]"},
    {Pipe::MTE1, 0, checkWord<Mte1Config0>, "MTE1[0]"},
    {Pipe::MTE1, 1, checkWord<Mte1Config1>, "MTE1[1]"},
    {Pipe::MTE1, 2, checkWord<Mte1Config2>, "MTE1[2]"},
    {Pipe::MTE1, 3, checkWord<Mte1Config3>, "MTE1[3]"},
    {Pipe::FIX, 0, checkWord<FixConfig0>, "FIX[0]"},
    {Pipe::FIX, 1, checkWord<FixConfig1>, "FIX[1]"},
    {Pipe::FIX, 2, checkWord<FixConfig2>, "FIX[2]"},
};

uint64_t &wordOf(PipeConfig &config, Pipe pipe, unsigned index) {
  return pipe == Pipe::MTE2   ? config.mte2[index]
         : pipe == Pipe::MTE1 ? config.mte1[index]
                              : config.fix[index];
}

} // namespace

std::optional<Fault> configure(const Command &command, PipeConfig &config) {
  for (const ConfigWord &word : kWords) {
    if (word.pipe != command.pipe || word.index != command.f3) {
      continue;
    }
    if (MaybeFault fault = word.check(command.rs1, word.name)) {
      return fault;
    }
    wordOf(config, word.pipe, word.index) = command.rs1;
    return std::nullopt;
  }
  return makeFault(FaultKind::kIllegalInstruction,
                   "kcfg of word {} of pipe {}; MTE2 has word 0, MTE1 0 to 3, "
                   "FIX 0 to 2",
                   command.f3, name(command.pipe));
}

} // namespace kiln::isa
