// SPDX-License-Identifier: Apache-2.0
//
// ElfImage: a program file, every offset checked once.
//
//   Result<ElfImage> image = ElfImage::parse(bytes, "add.elf");
//   if (!image) return image.status();   // kCorrupt: found and expected
//   image->segments, image->note, image->lines.find(pc) ...
//
// Accepts 64-bit little-endian RISC-V executables whose loadable segments lie
// in the instruction RAM (executable ones) or in the scalar RAM (all others)
// and that carry the Kiln note. Everything else is kCorrupt with a message
// that says what was found and what was expected. Owns its bytes.
#pragma once

#include "isa/abi/launch.h"
#include "isa/support/status.h"
#include "simulator/core/line_table.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kiln::sim {

struct Segment {
  uint64_t address = 0;
  std::vector<uint8_t> bytes; // file contents, zero-filled to the memory size
  uint64_t fileBytes = 0;     // of them, bytes that launch copies
  bool executable = false;
};

struct ElfImage {
  std::string origin; // names the file in messages
  uint64_t entry = 0;
  std::vector<Segment> segments;
  std::map<std::string, uint64_t> symbols;
  isa::KernelNote note;
  LineTable lines;

  static Result<ElfImage> parse(std::span<const uint8_t> file,
                                std::string origin);
  std::optional<uint64_t> symbol(const std::string &name) const;
  /// Bytes that launch copies into instruction RAM and scalar RAM.
  uint64_t imageBytes() const;
};

} // namespace kiln::sim
