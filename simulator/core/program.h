// SPDX-License-Identifier: Apache-2.0
//
// Program: a checked ELF image with its code decoded once, ready to run any
// number of times on any core.
//
//   Result<std::shared_ptr<const Program>> p = Program::load(bytes, "add.elf");
//
// Decoding never fails: a word that is no instruction becomes a record that
// raises the fault when it is executed. Immutable, so safe to share.
#pragma once

#include "isa/arch/arch_spec.h"
#include "isa/codec/command.h"
#include "simulator/core/elf_image.h"
#include "simulator/core/rv64_ops.h"

#include <memory>
#include <vector>

namespace kiln::sim {

/// One decoded instruction. rd 0 is redirected to a register nobody reads.
struct RvRecord {
  RvOp op = RvOp::kIllegal;
  uint8_t rd = 0;  // rs3 of an NPU instruction
  uint8_t rs1 = 0; // 0 when unused
  uint8_t rs2 = 0;
  int32_t imm = 0; // immediate, distance in records, or index
};
static_assert(sizeof(RvRecord) == 8);

constexpr uint8_t kSinkRegister = 32;

/// The code of a program: records for [base, base + 4 * words.size()), then
/// records that stand for targets outside.
struct RvCode {
  uint64_t base = 0;
  std::vector<uint32_t> words;
  std::vector<RvRecord> records;
  std::vector<isa::Command> commands; // of kNpu records, registers not filled
  std::vector<uint64_t> badTargets;   // of kBadFetch records

  /// Decodes the words of `bytes`, which lie at `base`.
  static RvCode decode(uint64_t base, std::span<const uint8_t> bytes);
  uint64_t pcOf(const RvRecord *record) const {
    return base + 4 * static_cast<uint64_t>(record - records.data());
  }
  /// The record at `pc`, or null when it is not an instruction of the code.
  const RvRecord *at(uint64_t pc) const {
    uint64_t offset = pc - base;
    return offset % 4 == 0 && offset / 4 < words.size()
               ? records.data() + offset / 4
               : nullptr;
  }
};

class Program {
public:
  static Result<std::shared_ptr<const Program>>
  load(std::span<const uint8_t> file, std::string origin);

  const ElfImage &image() const { return image_; }
  const RvCode &code() const { return code_; }
  uint64_t stackTop() const { return stackTop_; }

  /// Whether the code meets other blocks (kpost, kpend, kdbar): all blocks must
  /// run at once.
  bool meetsBlocks() const;

  /// kDoesNotFit names every capacity of `arch` that is too small, with the
  /// bytes needed and present. `argumentBytes`: size of the argument block.
  Status checkFits(const isa::ArchSpec &arch, uint64_t argumentBytes) const;

private:
  ElfImage image_;
  RvCode code_;
  uint64_t stackTop_ = 0;
};

} // namespace kiln::sim
