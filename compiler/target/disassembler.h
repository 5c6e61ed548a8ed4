// SPDX-License-Identifier: Apache-2.0
//
// Kernels back to text: RISC-V words through LLVM's disassembler, NPU words
// through isa/codec, with the symbols and source lines of the ELF.
//
//   Result<std::vector<DisassembledLine>> lines = disassembleElf(elf);
//   std::puts(formatListing(*lines).c_str());
//
// A file that is no RISC-V ELF is kCorrupt. An illegal word is shown as
// `.word` with the reason, never an error.
#pragma once

#include "isa/support/status.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kiln::target {

struct DisassembledLine {
  uint64_t address = 0;
  uint32_t word = 0;
  std::string text;     // "ld.ub a0, a1, a2"
  std::string function; // the symbol the address is in, or empty
  uint64_t offset = 0;  // from the symbol
  std::string file;     // of the source, or empty
  unsigned line = 0;    // 1-based; 0: unknown
};

/// One word at an address (branch targets are printed as addresses).
std::string disassembleWord(uint32_t word, uint64_t address);

/// LLVM reads the lines, and damaged debug information may crash it: kRead is
/// for files that this process made.
enum class SourceLines { kRead, kNone };

/// Every word of the code of an ELF, in address order.
Result<std::vector<DisassembledLine>>
disassembleElf(std::span<const uint8_t> elf,
               SourceLines lines = SourceLines::kRead);

/// A listing: a heading per symbol, a comment where the source line changes.
std::string formatListing(std::span<const DisassembledLine> lines);

} // namespace kiln::target
