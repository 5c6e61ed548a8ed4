// SPDX-License-Identifier: Apache-2.0
#include "simulator/debug/npu_registers.h"

#include "isa/codec/instruction.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <sstream>

namespace kiln::sim {

using isa::ElementType;
using isa::Pipe;
using isa::Space;

namespace {

constexpr std::string_view kControlNames[32] = {
    "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "fp", "s1", "a0",
    "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
    "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char &c : result) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return result;
}

std::string reg(std::string_view name, unsigned bits, std::string_view type,
                unsigned number, std::string_view group = "npu") {
  return fmt::format("<reg name=\"{}\" bitsize=\"{}\" type=\"{}\" "
                     "regnum=\"{}\" group=\"{}\"/>",
                     name, bits, type, number, group);
}

/// A floating-point number of so many significand and exponent bits.
double decodeFloat(uint32_t bits, unsigned significand, unsigned exponent) {
  int bias = (1 << (exponent - 1)) - 1;
  uint32_t fraction = bits & ((1u << significand) - 1);
  int e = static_cast<int>(bits >> significand & ((1u << exponent) - 1));
  double sign = bits >> (significand + exponent) & 1 ? -1.0 : 1.0;
  if (e == (1 << exponent) - 1) {
    return fraction ? std::nan("") : sign * HUGE_VAL;
  }
  double value = e == 0 ? fraction : fraction + std::ldexp(1.0, significand);
  return sign * std::ldexp(value, std::max(e, 1) - bias -
                                      static_cast<int>(significand));
}

std::string elementText(const std::byte *at, ElementType type) {
  uint32_t bits = 0;
  std::memcpy(&bits, at, isa::sizeOf(type));
  switch (type) {
  case ElementType::I8:
    return fmt::format("{}", static_cast<int8_t>(bits));
  case ElementType::I16:
    return fmt::format("{}", static_cast<int16_t>(bits));
  case ElementType::I32:
    return fmt::format("{}", static_cast<int32_t>(bits));
  case ElementType::F16:
    return fmt::format("{:g}", decodeFloat(bits, 10, 5));
  case ElementType::BF16:
    return fmt::format("{:g}", decodeFloat(bits, 7, 8));
  case ElementType::F32:
    return fmt::format("{:g}", decodeFloat(bits, 23, 8));
  default:
    return fmt::format("{}", bits);
  }
}

std::string flagsText(const FlagFile &flags) {
  std::string text;
  flags.forEachSet([&](FlagName flag) {
    text += fmt::format("{} set at {:#x}\n", sim::text(flag),
                        flags.history(flag).setPc);
  });
  return text.empty() ? "no flag is set\n" : text;
}

std::string queueText(const DebugView &view, const std::string &only) {
  std::string text;
  for (unsigned p = 1; p < isa::kNumPipes; ++p) {
    Pipe pipe = static_cast<Pipe>(p);
    if (!only.empty() && lower(only) != lower(isa::name(pipe))) {
      continue;
    }
    std::vector<isa::Command> commands = view.queue(pipe);
    text += fmt::format("{}: {} waiting\n", isa::name(pipe), commands.size());
    for (const isa::Command &c : commands) {
      text += fmt::format("  {:#x} {} {}\n", c.pc, isa::disassembleWord(c.word),
                          isa::describeOperands(c));
    }
  }
  return text.empty() ? fmt::format("no pipe '{}'\n", only) : text;
}

std::string configText(const isa::PipeConfig &config) {
  return fmt::format("MTE1 {:#x}\nFIX {:#x}\nMTE2 {:#x}\n",
                     fmt::join(config.mte1, " "), fmt::join(config.fix, " "),
                     fmt::join(config.mte2, " "));
}

std::string windowText(const DebugView &view, Space space,
                       std::istringstream &words) {
  std::string address = "0", type = "f16";
  uint64_t count = 16, at = 0;
  words >> address >> type >> count;
  try {
    at = std::stoull(address, nullptr, 0);
  } catch (const std::exception &) {
    return fmt::format("'{}' is no address\n", address);
  }
  for (unsigned t = 0; t < std::size(isa::kElementTypeNames); ++t) {
    if (isa::kElementTypeNames[t] == type) {
      return elementsText(view.state->memory[space], at,
                          static_cast<ElementType>(t), count);
    }
  }
  return fmt::format("'{}' is no element type; one of {}\n", type,
                     fmt::join(isa::kElementTypeNames, " "));
}

constexpr std::string_view kHelp =
    "flags                 the flags that are set, and who set them\n"
    "queue [PIPE]          commands that wait in the queues\n"
    "config                sticky configuration of the pipes\n"
    "ub|l1|l0a|l0b|l0c|bt ADDRESS [TYPE [COUNT]]\n"
    "                      elements of a local memory; types f16 bf16 f32 i8\n"
    "                      u8 i16 u16 i32\n"
    "where                 block, core and cycle\n";

} // namespace

std::string targetDescription() {
  std::string xml =
      "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
      "<target version=\"1.0\"><architecture>riscv:rv64</architecture>"
      "<feature name=\"org.gnu.gdb.riscv.cpu\">";
  for (unsigned r = 0; r < 32; ++r) {
    bool pointer = r >= 2 && r <= 4; // sp, gp, tp
    xml +=
        reg(kControlNames[r], 64, pointer ? "data_ptr" : "int", r, "general");
  }
  xml += reg("pc", 64, "code_ptr", 32, "general");
  xml += "</feature><feature name=\"org.kiln.npu\">";
  struct Vector {
    const char *field, *type;
    unsigned bytes;
  };
  constexpr Vector kVectors[] = {
      {"f16", "ieee_half", 2},   {"bf16", "bfloat16", 2},
      {"f32", "ieee_single", 4}, {"i8", "int8", 1},
      {"u8", "uint8", 1},        {"i16", "int16", 2},
      {"i32", "int32", 4}};
  for (const Vector &v : kVectors) {
    xml += fmt::format("<vector id=\"v{}\" type=\"{}\" count=\"{}\"/>", v.field,
                       v.type, kWindowBytes / v.bytes);
  }
  xml += "<union id=\"window\">";
  for (const Vector &v : kVectors) {
    xml += fmt::format("<field name=\"{0}\" type=\"v{0}\"/>", v.field);
  }
  xml += "</union>";
  xml += reg("cycle", 64, "uint64", kCycleRegister);
  xml += reg("block", 64, "uint64", kBlockRegister);
  for (unsigned p = 1; p < isa::kNumPipes; ++p) {
    xml += reg("queue_" + lower(isa::kPipeNames[p]), 64, "uint64",
               kFirstQueueRegister + p - 1);
  }
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    xml += reg("flags_" + lower(isa::kPipeNames[p]), 64, "uint64",
               kFirstFlagRegister + p);
  }
  for (unsigned w = 0; w < kNumWindows; ++w) {
    std::string name = lower(isa::name(kWindows[w]));
    xml += reg(name, 8 * kWindowBytes, "window", kFirstWindowRegister + w);
    xml += reg(name + "_at", 64, "uint64", kFirstAddressRegister + w);
  }
  return xml + "</feature></target>";
}

uint64_t flagBits(const FlagFile &flags, Pipe source) {
  uint64_t bits = 0;
  flags.forEachSet([&](FlagName flag) {
    if (flag.source == source) {
      bits |= uint64_t{1} << (8 * static_cast<unsigned>(flag.destination) +
                              flag.id);
    }
  });
  return bits;
}

std::string elementsText(std::span<const std::byte> memory, uint64_t address,
                         ElementType type, uint64_t count) {
  constexpr unsigned kPerLine = 8;
  constexpr uint64_t kMost = 1024;
  unsigned size = isa::sizeOf(type);
  if (address >= memory.size()) {
    return fmt::format("{:#x} is beyond the memory's {:#x} bytes\n", address,
                       memory.size());
  }
  count = std::min({count, kMost, (memory.size() - address) / size});
  std::string text;
  for (uint64_t i = 0; i < count; ++i) {
    if (i % kPerLine == 0) {
      text += fmt::format("{}{:#07x}:", i ? "\n" : "", address + i * size);
    }
    text += " " + elementText(memory.data() + address + i * size, type);
  }
  return text + "\n";
}

std::string monitorText(const DebugView &view, const std::string &command) {
  std::istringstream words(command);
  std::string verb, argument;
  words >> verb;
  for (unsigned s = 1; s < isa::kNumSpaces; ++s) {
    if (lower(isa::kSpaceNames[s]) == lower(verb)) {
      return windowText(view, static_cast<Space>(s), words);
    }
  }
  words >> argument;
  if (verb == "flags") {
    return flagsText(*view.flags);
  }
  if (verb == "queue") {
    return queueText(view, argument);
  }
  if (verb == "config") {
    return configText(view.state->config);
  }
  if (verb == "where") {
    return fmt::format("block {} of {} on core {}, cycle {}\n",
                       view.position.block, view.position.blockCount,
                       view.position.core, view.cycle);
  }
  return std::string(kHelp);
}

} // namespace kiln::sim
