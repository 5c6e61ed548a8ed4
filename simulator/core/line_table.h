// SPDX-License-Identifier: Apache-2.0
//
// LineTable: which source line an instruction came from, read from the DWARF
// 4 or 5 line programs of an ELF file.
//
//   LineTable table = LineTable::parse({debugLine, debugLineStr, debugStr});
//   if (std::optional<SourceLine> at = table.find(pc)) { ... at->file ... }
//
// Debug information never decides whether a program runs: a unit that is
// truncated, of another version or inconsistent is left out, and problem()
// says what was wrong with the first one. Corrupt input never crashes.
// Source: DWARF Debugging Information Format, version 5, section 6.2.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kiln::sim {

struct SourceLine {
  std::string file;
  uint32_t line = 0;
  uint32_t column = 0;

  /// "file:line", or "file:line:column" when a column is known.
  std::string text() const;
  bool operator==(const SourceLine &) const = default;
};

/// The sections a line table is made of; the string sections may be empty.
struct DebugSections {
  std::span<const uint8_t> line;
  std::span<const uint8_t> lineStr;
  std::span<const uint8_t> str;
};

class LineTable {
public:
  static LineTable parse(const DebugSections &sections);

  /// The line of the instruction at `pc`; none where nothing is known.
  std::optional<SourceLine> find(uint64_t pc) const;

  bool empty() const { return rows_.empty(); }
  /// Empty, or what was wrong with the first unit that was left out.
  const std::string &problem() const { return problem_; }

private:
  friend class LineProgram;

  struct Row {
    uint64_t pc = 0;
    uint32_t file = 0; // into files_; kNoFile ends a sequence
    uint32_t line = 0;
    uint32_t column = 0;
    uint32_t order = 0; // in the line program: the later row wins
  };
  static constexpr uint32_t kNoFile = ~uint32_t{0};

  void note(std::string problem);

  std::vector<std::string> files_;
  std::vector<Row> rows_; // sorted by pc
  std::string problem_;
};

} // namespace kiln::sim
