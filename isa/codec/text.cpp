// SPDX-License-Identifier: Apache-2.0
//
// Instructions as assembly text and back.
#include "isa/codec/instruction.h"
#include "isa/codec/mnemonics.h"
#include "isa/gen/tables.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <vector>

namespace kiln::isa {
namespace {

constexpr std::string_view kRegisterNames[32] = {
    "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
    "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
    "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};

std::string_view trim(std::string_view s) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = s.find_first_not_of(kSpace);
  if (first == std::string_view::npos) {
    return {};
  }
  return s.substr(first, s.find_last_not_of(kSpace) - first + 1);
}

std::optional<uint8_t> parseRegister(std::string_view name) {
  for (unsigned n = 0; n < 32; ++n) {
    if (name == kRegisterNames[n]) {
      return static_cast<uint8_t>(n);
    }
  }
  if (name == "fp") {
    return uint8_t{8};
  }
  unsigned n = 0;
  const char *end = name.data() + name.size();
  if (name.size() < 2 || name.size() > 3 || name[0] != 'x' ||
      std::from_chars(name.data() + 1, end, n).ptr != end || n > 31) {
    return std::nullopt;
  }
  return static_cast<uint8_t>(n);
}

const tables::Spelling *findSpelling(std::string_view text) {
  const auto *it = std::ranges::lower_bound(tables::kSpellings, text, {},
                                            &tables::Spelling::text);
  return it != std::end(tables::kSpellings) && it->text == text ? it : nullptr;
}

std::vector<std::string_view> splitOperands(std::string_view text) {
  std::vector<std::string_view> out;
  text = trim(text);
  while (!text.empty()) {
    const size_t comma = text.find(',');
    out.push_back(trim(text.substr(0, comma)));
    if (comma == std::string_view::npos) {
      break;
    }
    text = text.substr(comma + 1);
    if (trim(text).empty()) {
      out.push_back({}); // a trailing comma: an operand is missing
    }
  }
  return out;
}

Status wrong(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

} // namespace

bool isMnemonic(std::string_view text) {
  return text == "st.ub" || findSpelling(text) != nullptr;
}

std::string choicesFor(std::string_view name) {
  const size_t last = name.rfind('.');
  const std::string stem = std::string(name.substr(0, last)) + ".";
  std::string choices;
  for (const tables::Spelling &s : tables::kSpellings) {
    if (s.text.starts_with(stem)) {
      choices += (choices.empty() ? "" : ", ") + std::string(s.text);
    }
  }
  return isMnemonic(name) ? "" : choices;
}

std::string toText(const Instruction &i) {
  const OpcodeInfo &table = info(i.op);
  const bool fixedSub = (table.subMask & (table.subMask - 1)) == 0;
  const tables::Spelling *found =
      std::ranges::find_if(tables::kSpellings, [&](const auto &s) {
        return s.op == i.op && s.f3 == i.f3 && (fixedSub || s.sub == i.sub);
      });
  if (found == std::end(tables::kSpellings)) {
    return fmt::format("{} ?", table.mnemonic);
  }
  std::string out(found->text);
  const uint8_t regs[3] = {i.rs1, i.rs2, i.rs3};
  for (unsigned n = 0; n < table.numOperands; ++n) {
    out +=
        fmt::format("{} {}", n == 0 ? "" : ",", kRegisterNames[regs[n] & 31]);
  }
  return out;
}

Result<Instruction> parseText(std::string_view text) {
  text = trim(text);
  const size_t space = text.find_first_of(" \t");
  const std::string_view name = text.substr(0, space);
  const tables::Spelling *spelling =
      findSpelling(name == "st.ub" ? "st.ub.i8" : name);
  if (!spelling) {
    return wrong(fmt::format("'{}' is not an NPU instruction", name));
  }
  const OpcodeInfo &table = info(spelling->op);
  const std::vector<std::string_view> operands =
      splitOperands(space == std::string_view::npos ? "" : text.substr(space));
  if (operands.size() != table.numOperands) {
    return wrong(fmt::format("{} takes {} register operands, not {}", name,
                             table.numOperands, operands.size()));
  }
  Instruction i{spelling->op, spelling->sub, spelling->f3};
  uint8_t *regs[3] = {&i.rs1, &i.rs2, &i.rs3};
  for (unsigned n = 0; n < operands.size(); ++n) {
    const std::optional<uint8_t> reg = parseRegister(operands[n]);
    if (!reg) {
      return wrong(fmt::format("{}: operand {} ({}) is '{}', not a register",
                               name, n + 1, table.operand[n].name,
                               operands[n]));
    }
    *regs[n] = *reg;
  }
  return i;
}

std::string disassembleWord(uint32_t word) {
  const Result<Instruction> i = decode(word);
  if (!i) {
    return fmt::format(".word {:#010x} # {}", word, i.status().message());
  }
  return toText(*i);
}

} // namespace kiln::isa
