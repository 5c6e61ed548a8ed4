// SPDX-License-Identifier: Apache-2.0
//
// ProgramBuilder: kernels made word by word, without an assembler, as ELF
// bytes that the engines load.
//
//   ProgramBuilder b;
//   b.npu({.op = Opcode::kLdUb}, dst.pack(), gm, geometry.pack());
//   b.set(Pipe::MTE2, Pipe::V, 0);
//   std::shared_ptr<const Program> p = b.program();   // ends with kend
//
// NPU instructions take their operands from registers a0 to a2, which are
// loaded with constants before. A failed expectation inside is a test bug and
// aborts with the reason.
#pragma once

#include "isa/abi/launch.h"
#include "isa/codec/instruction.h"
#include "simulator/core/program.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace kiln::test {

class ProgramBuilder {
public:
  /// Appends one word.
  void word(uint32_t word) { text_.push_back(word); }
  size_t size() const { return text_.size(); }

  /// Loads a 64-bit constant into register `rd`.
  void li(unsigned rd, uint64_t value);
  void addi(unsigned rd, unsigned rs1, int imm);
  void load(unsigned f3, unsigned rd, unsigned rs1, int imm);
  void store(unsigned f3, unsigned rs2, unsigned rs1, int imm);
  /// Branch of kind f3 to word `target`.
  void branch(unsigned f3, unsigned rs1, unsigned rs2, size_t target);
  /// Makes the word at `at` a beq to `target`.
  void patchBranch(size_t at, unsigned rs1, unsigned rs2, size_t target);
  void csrRead(unsigned rd, unsigned csr);

  /// Loads the operands into a0 to a2 and appends the NPU instruction.
  void npu(isa::Instruction instruction, uint64_t rs1 = 0, uint64_t rs2 = 0,
           uint64_t rs3 = 0);
  /// Only the instruction, operands in a0 to a2 as they are.
  void npuWord(isa::Instruction instruction);
  void set(isa::Pipe source, isa::Pipe destination, uint64_t id = 0);
  void wait(isa::Pipe source, isa::Pipe destination, uint64_t id = 0);
  void configure(isa::Pipe pipe, unsigned index, uint64_t value);
  void barrier();
  void end();

  isa::KernelNote note;

  /// The ELF file; appends kend when the text does not end with it.
  std::vector<uint8_t> elf();
  std::shared_ptr<const sim::Program> program();

private:
  std::vector<uint32_t> text_;
};

} // namespace kiln::test
