// SPDX-License-Identifier: Apache-2.0
#include "tests/engines/support/program_builder.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace kiln::test {

namespace {

constexpr unsigned kA0 = 10;

/// A growing little-endian file.
class Bytes {
public:
  template <typename T> void put(T value) {
    const auto *p = reinterpret_cast<const uint8_t *>(&value);
    data.insert(data.end(), p, p + sizeof(T));
  }
  void put(const std::vector<uint8_t> &more) {
    data.insert(data.end(), more.begin(), more.end());
  }
  std::vector<uint8_t> data;
};

struct SectionHeader {
  uint32_t name, type;
  uint64_t flags, address, offset, size;
  uint32_t link, info;
  uint64_t align, entrySize;
};

std::vector<uint8_t> noteSection(const isa::KernelNote &note) {
  std::string json = isa::toJson(note);
  Bytes out;
  out.put<uint32_t>(sizeof(isa::kNoteOwner));
  out.put<uint32_t>(static_cast<uint32_t>(json.size()));
  out.put<uint32_t>(isa::kNoteType);
  for (char c : isa::kNoteOwner) {
    out.put(c);
  }
  while (out.data.size() % 4) {
    out.put('\0');
  }
  out.put(std::vector<uint8_t>(json.begin(), json.end()));
  return out.data;
}

} // namespace

void ProgramBuilder::addi(unsigned rd, unsigned rs1, int imm) {
  word(static_cast<uint32_t>(imm) << 20 | rs1 << 15 | rd << 7 | 0x13);
}

void ProgramBuilder::li(unsigned rd, uint64_t value) {
  int64_t low = static_cast<int64_t>(value << 52) >> 52;
  uint64_t high = value - static_cast<uint64_t>(low);
  if (high == 0) {
    addi(rd, 0, static_cast<int>(low));
    return;
  }
  if (static_cast<int64_t>(value) == static_cast<int32_t>(value)) {
    word((static_cast<uint32_t>(high) & 0xffff'f000) | rd << 7 | 0x37);
    word(static_cast<uint32_t>(low) << 20 | rd << 15 | rd << 7 | 0x1b);
    return;
  }
  li(rd, static_cast<uint64_t>(static_cast<int64_t>(high) >> 12));
  word(12u << 20 | rd << 15 | 1u << 12 | rd << 7 | 0x13);
  if (low) {
    addi(rd, rd, static_cast<int>(low));
  }
}

void ProgramBuilder::load(unsigned f3, unsigned rd, unsigned rs1, int imm) {
  word(static_cast<uint32_t>(imm) << 20 | rs1 << 15 | f3 << 12 | rd << 7 |
       0x03);
}

void ProgramBuilder::store(unsigned f3, unsigned rs2, unsigned rs1, int imm) {
  uint32_t i = static_cast<uint32_t>(imm);
  word((i >> 5 & 0x7f) << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 |
       (i & 0x1f) << 7 | 0x23);
}

namespace {

uint32_t branchWord(unsigned f3, unsigned rs1, unsigned rs2, size_t words) {
  uint32_t i = static_cast<uint32_t>(4 * words);
  return (i >> 12 & 1) << 31 | (i >> 5 & 0x3f) << 25 | rs2 << 20 | rs1 << 15 |
         f3 << 12 | (i >> 1 & 0xf) << 8 | (i >> 11 & 1) << 7 | 0x63;
}

} // namespace

void ProgramBuilder::branch(unsigned f3, unsigned rs1, unsigned rs2,
                            size_t target) {
  word(branchWord(f3, rs1, rs2, target - text_.size()));
}

void ProgramBuilder::patchBranch(size_t at, unsigned rs1, unsigned rs2,
                                 size_t target) {
  text_[at] = branchWord(0, rs1, rs2, target - at);
}

void ProgramBuilder::csrRead(unsigned rd, unsigned csr) {
  word(csr << 20 | 2u << 12 | rd << 7 | 0x73);
}

void ProgramBuilder::npuWord(isa::Instruction instruction) {
  const isa::OpcodeInfo &info = isa::info(instruction.op);
  auto reg = [&](unsigned i) {
    return static_cast<uint8_t>(
        info.operand[i].layout == isa::Layout::kNone ? 0 : kA0 + i);
  };
  instruction.rs1 = reg(0);
  instruction.rs2 = reg(1);
  instruction.rs3 = reg(2);
  Result<uint32_t> w = isa::encode(instruction);
  if (!w) {
    std::fprintf(stderr, "%s\n", w.status().message().c_str());
    std::abort();
  }
  word(*w);
}

void ProgramBuilder::npu(isa::Instruction instruction, uint64_t rs1,
                         uint64_t rs2, uint64_t rs3) {
  const isa::OpcodeInfo &info = isa::info(instruction.op);
  const uint64_t values[3] = {rs1, rs2, rs3};
  for (unsigned i = 0; i < 3; ++i) {
    if (info.operand[i].layout != isa::Layout::kNone) {
      li(kA0 + i, values[i]);
    }
  }
  npuWord(instruction);
}

void ProgramBuilder::set(isa::Pipe source, isa::Pipe destination, uint64_t id) {
  npu({.op = isa::Opcode::kKset,
       .sub = static_cast<uint8_t>(source),
       .f3 = static_cast<uint8_t>(destination)},
      id);
}

void ProgramBuilder::wait(isa::Pipe source, isa::Pipe destination,
                          uint64_t id) {
  npu({.op = isa::Opcode::kKwait,
       .sub = static_cast<uint8_t>(source),
       .f3 = static_cast<uint8_t>(destination)},
      id);
}

void ProgramBuilder::configure(isa::Pipe pipe, unsigned index, uint64_t value) {
  npu({.op = isa::Opcode::kKcfg,
       .sub = static_cast<uint8_t>(pipe),
       .f3 = static_cast<uint8_t>(index)},
      value);
}

void ProgramBuilder::barrier() { npu({.op = isa::Opcode::kKbar}); }
void ProgramBuilder::end() { npu({.op = isa::Opcode::kKend}); }

std::vector<uint8_t> ProgramBuilder::elf() {
  note.isaVersion = isa::kIsaVersion;
  if (note.kernel.empty()) {
    note.kernel = "kernel";
  }
  const char kStrings[] = "\0.text\0.note.kiln\0.symtab\0.strtab\0"
                          "__kiln_stack_top";
  std::vector<uint8_t> strings(kStrings, kStrings + sizeof(kStrings));
  std::vector<uint8_t> noteBytes = noteSection(note);
  uint64_t textOffset = 64 + 56;
  uint64_t textSize = 4 * text_.size();
  uint64_t noteOffset = textOffset + textSize;
  uint64_t symbolOffset = noteOffset + noteBytes.size();
  uint64_t stringOffset = symbolOffset + 2 * 24;
  uint64_t sectionOffset = stringOffset + strings.size();
  Bytes out;
  const uint8_t kIdent[16] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
  out.put(std::vector<uint8_t>(kIdent, kIdent + 16));
  out.put<uint16_t>(2);   // executable
  out.put<uint16_t>(243); // RISC-V
  out.put<uint32_t>(1);
  out.put<uint64_t>(isa::kInstructionRamBase);
  out.put<uint64_t>(64);
  out.put<uint64_t>(sectionOffset);
  out.put<uint32_t>(0);
  for (uint16_t v : {64, 56, 1, 64, 5, 4}) {
    out.put(v);
  }
  out.put<uint32_t>(1); // load
  out.put<uint32_t>(5); // read, execute
  out.put<uint64_t>(textOffset);
  out.put<uint64_t>(isa::kInstructionRamBase);
  out.put<uint64_t>(isa::kInstructionRamBase);
  out.put<uint64_t>(textSize);
  out.put<uint64_t>(textSize);
  out.put<uint64_t>(4);
  for (uint32_t w : text_) {
    out.put(w);
  }
  out.put(noteBytes);
  for (int i = 0; i < 24; ++i) {
    out.put('\0'); // symbol 0
  }
  out.put<uint32_t>(34); // __kiln_stack_top
  out.put<uint32_t>(0);
  out.put<uint64_t>(isa::kScalarRamBase + 2048);
  out.put<uint64_t>(0);
  out.put(strings);
  const SectionHeader kSections[5] = {
      {},
      {1, 1, 6, isa::kInstructionRamBase, textOffset, textSize, 0, 0, 4, 0},
      {7, 7, 0, 0, noteOffset, noteBytes.size(), 0, 0, 4, 0},
      {18, 2, 0, 0, symbolOffset, 48, 4, 0, 8, 24},
      {26, 3, 0, 0, stringOffset, strings.size(), 0, 0, 1, 0}};
  for (const SectionHeader &s : kSections) {
    out.put(s);
  }
  return out.data;
}

std::shared_ptr<const sim::Program> ProgramBuilder::program() {
  isa::Instruction kend{.op = isa::Opcode::kKend};
  if (text_.empty() || text_.back() != *isa::encode(kend)) {
    end();
  }
  Result<std::shared_ptr<const sim::Program>> p =
      sim::Program::load(elf(), "built.elf");
  if (!p) {
    std::fprintf(stderr, "%s\n", p.status().message().c_str());
    std::abort();
  }
  return *p;
}

} // namespace kiln::test
