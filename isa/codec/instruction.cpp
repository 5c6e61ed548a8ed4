// SPDX-License-Identifier: Apache-2.0
#include "isa/codec/instruction.h"

#include "isa/gen/operands.h"
#include "isa/gen/tables.h"

#include <fmt/format.h>

namespace kiln::isa {
namespace {

constexpr unsigned kNoOpcode = 0xff;

struct Fields {
  unsigned rs3, f2, rs2, rs1, f3, sub, op;
};

constexpr Fields split(uint32_t w) {
  return {w >> 27,       (w >> 25) & 3, (w >> 20) & 31, (w >> 15) & 31,
          (w >> 12) & 7, (w >> 7) & 31, w & 0x7f};
}

constexpr uint32_t join(const Fields &f) {
  return f.rs3 << 27 | f.f2 << 25 | f.rs2 << 20 | f.rs1 << 15 | f.f3 << 12 |
         f.sub << 7 | f.op;
}

/// custom-0..3 have op = 0x0b, 0x2b, 0x5b, 0x7b: bits 6 and 5.
constexpr unsigned slotOf(const Fields &f) {
  return (f.op >> 5) << 7 | f.f2 << 5 | f.sub;
}
static_assert(slotOf(split(0x5b)) == 2u << 7);

std::string list(uint32_t mask) {
  std::string out;
  for (unsigned v = 0; v < 32; ++v) {
    if (mask >> v & 1) {
      out += fmt::format("{}{}", out.empty() ? "" : ", ", v);
    }
  }
  return out;
}

Status illegal(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

/// The first register that must be x0 and is not, or 0.
unsigned nonzeroUnused(const OpcodeInfo &table, const Fields &f) {
  const unsigned regs[3] = {f.rs1, f.rs2, f.rs3};
  for (unsigned n = table.numOperands; n < 3; ++n) {
    if (regs[n] != 0) {
      return n + 1;
    }
  }
  return 0;
}

Status refuseUnknown(uint32_t word, const Fields &f) {
  if (!isNpuWord(word)) {
    return illegal(fmt::format(
        "op: {:#04x} is not an NPU opcode; NPU opcodes are 0x0b, 0x2b, 0x5b, "
        "0x7b",
        f.op));
  }
  return illegal(fmt::format(
      "sub: no instruction has op {:#04x}, f2 {}, sub {}", f.op, f.f2, f.sub));
}

/// Says what is wrong with fields that belong to a known opcode.
Status check(Opcode op, const Fields &f) {
  const OpcodeInfo &table = info(op);
  const unsigned f3Mask = tables::kDecode[slotOf(f)].f3Mask;
  if (!(f3Mask >> f.f3 & 1)) {
    return illegal(fmt::format("f3: {} does not allow {}; allowed: {}",
                               table.mnemonic, f.f3, list(f3Mask)));
  }
  if (unsigned n = nonzeroUnused(table, f)) {
    const unsigned reg = n == 1 ? f.rs1 : n == 2 ? f.rs2 : f.rs3;
    return illegal(fmt::format("rs{}: {} does not use it, so it must be x0, "
                               "not x{}",
                               n, table.mnemonic, reg));
  }
  return Status::ok();
}

Instruction instructionOf(Opcode op, const Fields &f) {
  return {op,
          static_cast<uint8_t>(f.sub),
          static_cast<uint8_t>(f.f3),
          static_cast<uint8_t>(f.rs1),
          static_cast<uint8_t>(f.rs2),
          static_cast<uint8_t>(f.rs3)};
}

} // namespace

Result<uint32_t> encode(const Instruction &i) {
  if (static_cast<unsigned>(i.op) >= kNumOpcodes) {
    return illegal(
        fmt::format("opcode {} does not exist", static_cast<unsigned>(i.op)));
  }
  const OpcodeInfo &table = info(i.op);
  const bool fixedSub = (table.subMask & (table.subMask - 1)) == 0;
  const unsigned sub = fixedSub ? table.sub : i.sub;
  if (sub > 31 || !(table.subMask >> sub & 1)) {
    return illegal(fmt::format("sub: {} does not allow {}; allowed: {}",
                               table.mnemonic, sub, list(table.subMask)));
  }
  if (i.f3 > 7 || i.rs1 > 31 || i.rs2 > 31 || i.rs3 > 31) {
    return illegal(
        fmt::format("{}: f3 {} needs 3 bits, registers {}, {}, {} need 5",
                    table.mnemonic, i.f3, i.rs1, i.rs2, i.rs3));
  }
  const Fields f{i.rs3, table.f2, i.rs2, i.rs1, i.f3, sub, table.opcode};
  KILN_RETURN_IF_ERROR(check(i.op, f));
  return join(f);
}

Result<Instruction> decode(uint32_t word) {
  const Fields f = split(word);
  if (!isNpuWord(word) || tables::kDecode[slotOf(f)].opcode == kNoOpcode) {
    return refuseUnknown(word, f);
  }
  const Opcode op = static_cast<Opcode>(tables::kDecode[slotOf(f)].opcode);
  KILN_RETURN_IF_ERROR(check(op, f));
  return instructionOf(op, f);
}

std::optional<Instruction> decodeFast(uint32_t word) {
  if (!isNpuWord(word)) {
    return std::nullopt;
  }
  const Fields f = split(word);
  const tables::DecodeEntry entry = tables::kDecode[slotOf(f)];
  if (!(entry.f3Mask >> f.f3 & 1)) { // 0 for undefined entries
    return std::nullopt;
  }
  const Opcode op = static_cast<Opcode>(entry.opcode);
  if (nonzeroUnused(info(op), f)) {
    return std::nullopt;
  }
  return instructionOf(op, f);
}

Command makeCommand(const Instruction &i, uint32_t word, uint64_t rs1,
                    uint64_t rs2, uint64_t rs3, uint64_t pc) {
  Command c;
  c.op = i.op;
  c.pipe = pipeOf(i);
  c.f3 = i.f3;
  c.word = word;
  c.rs1 = rs1;
  c.rs2 = rs2;
  c.rs3 = rs3;
  c.pc = pc;
  return c;
}

std::string describeOperands(const Command &command) {
  const OpcodeInfo &table = info(command.op);
  const uint64_t values[3] = {command.rs1, command.rs2, command.rs3};
  std::string out;
  for (unsigned n = 0; n < table.numOperands; ++n) {
    const OperandInfo &operand = table.operand[n];
    out += fmt::format("{}{}{{", out.empty() ? "" : " ", operand.name);
    std::string_view separator;
    for (const FieldInfo &f : fields(operand.layout)) {
      const unsigned width = f.hi - f.lo + 1u;
      const uint64_t v =
          width == 64 ? values[n]
                      : (values[n] >> f.lo) & ((uint64_t{1} << width) - 1);
      out +=
          fmt::format(fmt::runtime(f.unit == "byte" ? "{}{}={:#x}" : "{}{}={}"),
                      separator, f.name, v);
      separator = " ";
    }
    if (uint64_t bad = values[n] & ~operand.usedBits) {
      out += fmt::format(" !bits={:#x}", bad);
    }
    out += "}";
  }
  return out;
}

} // namespace kiln::isa
