// SPDX-License-Identifier: Apache-2.0
#include "simulator/core/line_table.h"

#include "simulator/core/byte_cursor.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <tuple>

namespace kiln::sim {

namespace {

// DWARF 5, section 7.
enum Form : uint64_t {
  kFormBlock2 = 0x03,
  kFormBlock4 = 0x04,
  kFormData2 = 0x05,
  kFormData4 = 0x06,
  kFormData8 = 0x07,
  kFormString = 0x08,
  kFormBlock = 0x09,
  kFormBlock1 = 0x0a,
  kFormData1 = 0x0b,
  kFormStrp = 0x0e,
  kFormUdata = 0x0f,
  kFormData16 = 0x1e,
  kFormLineStrp = 0x1f,
};
enum Content : uint64_t { kContentPath = 1, kContentDirectory = 2 };

enum Opcode : uint8_t {
  kExtended = 0,
  kCopy,
  kAdvancePc,
  kAdvanceLine,
  kSetFile,
  kSetColumn,
  kNegateStatement,
  kSetBasicBlock,
  kConstAddPc,
  kFixedAdvancePc,
};
enum ExtendedOpcode : uint8_t { kEndSequence = 1, kSetAddress = 2 };

std::string joinPath(std::string_view directory, std::string_view name) {
  if (directory.empty() || name.starts_with('/')) {
    return std::string(name);
  }
  return fmt::format("{}/{}", directory, name);
}

} // namespace

/// One unit of .debug_line: header, then the program that makes the rows.
class LineProgram {
public:
  LineProgram(LineTable &table, const DebugSections &sections, ByteCursor unit,
              bool wide)
      : table_(table), sections_(sections), in_(unit), wide_(wide) {}

  /// Empty, or why the unit was given up. Rows found before stay.
  std::string run();

private:
  struct EntryFormat {
    uint64_t content = 0;
    uint64_t form = 0;
  };
  struct Entry {
    std::string_view path;
    uint64_t directory = 0;
  };

  std::string readHeader();
  void readTablesV4();
  bool readTablesV5();
  bool readEntries(std::vector<Entry> &entries);
  bool readForm(uint64_t form, std::string_view &text, uint64_t &number);
  std::string_view stringAt(std::span<const uint8_t> section, uint64_t offset);
  uint64_t offsetField() { return wide_ ? in_.u64() : in_.u32(); }
  void addFile(const Entry &entry);
  void step(uint8_t opcode);
  void standardStep(uint8_t opcode);
  void extendedStep();
  void emitRow(bool end);
  void advance(uint64_t operations) { pc_ += operations * minInstruction_; }

  LineTable &table_;
  const DebugSections &sections_;
  ByteCursor in_;
  bool wide_ = false;

  uint16_t version_ = 0;
  uint8_t minInstruction_ = 1;
  int8_t lineBase_ = 0;
  uint8_t lineRange_ = 1;
  uint8_t opcodeBase_ = 1;
  std::array<uint8_t, 256> operandCounts_{};
  std::vector<std::string_view> directories_;
  uint32_t firstFile_ = 0; // of this unit in table_.files_

  uint64_t pc_ = 0;
  uint64_t file_ = 1;
  uint64_t line_ = 1;
  uint64_t column_ = 0;
};

std::string LineProgram::readHeader() {
  version_ = in_.u16();
  if (version_ != 4 && version_ != 5) {
    return fmt::format("line table of DWARF version {}, expected 4 or 5",
                       version_);
  }
  if (version_ == 5) {
    in_.u8(); // address size
    in_.u8(); // segment selector size
  }
  uint64_t headerLength = offsetField();
  size_t program = in_.offset() + headerLength;
  if (!in_.ok() || headerLength > in_.left()) {
    return "line table header is longer than its unit";
  }
  minInstruction_ = in_.u8();
  in_.u8(); // maximum operations per instruction
  in_.u8(); // default is_stmt
  lineBase_ = static_cast<int8_t>(in_.u8());
  lineRange_ = in_.u8();
  opcodeBase_ = in_.u8();
  for (unsigned i = 1; i < opcodeBase_; ++i) {
    operandCounts_[i] = in_.u8();
  }
  if (!in_.ok() || lineRange_ == 0 || opcodeBase_ == 0) {
    return "line table header is truncated or has a zero line range";
  }
  firstFile_ = static_cast<uint32_t>(table_.files_.size());
  if (version_ == 4) {
    readTablesV4();
  } else if (!readTablesV5()) {
    return "line table has an unknown form in its file list";
  }
  if (!in_.ok() || in_.offset() > program) {
    return "file list of a line table runs past its header";
  }
  in_.skip(program - in_.offset());
  return {};
}

void LineProgram::readTablesV4() {
  directories_ = {""};
  while (in_.ok()) {
    std::string_view directory = in_.cstring();
    if (directory.empty()) {
      break;
    }
    directories_.push_back(directory);
  }
  addFile({"", 0}); // files count from 1
  while (in_.ok()) {
    Entry entry;
    entry.path = in_.cstring();
    if (entry.path.empty()) {
      break;
    }
    entry.directory = in_.uleb();
    in_.uleb(); // modification time
    in_.uleb(); // size
    addFile(entry);
  }
}

bool LineProgram::readTablesV5() {
  std::vector<Entry> entries;
  if (!readEntries(entries)) {
    return false;
  }
  for (const Entry &entry : entries) {
    directories_.push_back(entry.path);
  }
  if (!directories_.empty()) {
    directories_[0] = ""; // the compilation directory: names stay relative
  }
  entries.clear();
  if (!readEntries(entries)) {
    return false;
  }
  for (const Entry &entry : entries) {
    addFile(entry);
  }
  return true;
}

bool LineProgram::readEntries(std::vector<Entry> &entries) {
  std::vector<EntryFormat> formats(in_.u8());
  for (EntryFormat &format : formats) {
    format.content = in_.uleb();
    format.form = in_.uleb();
  }
  uint64_t count = in_.uleb();
  for (uint64_t i = 0; i < count && in_.ok() && !formats.empty(); ++i) {
    Entry entry;
    for (const EntryFormat &format : formats) {
      std::string_view text;
      uint64_t number = 0;
      if (!readForm(format.form, text, number)) {
        return false;
      }
      if (format.content == kContentPath) {
        entry.path = text;
      } else if (format.content == kContentDirectory) {
        entry.directory = number;
      }
    }
    entries.push_back(entry);
  }
  return true;
}

bool LineProgram::readForm(uint64_t form, std::string_view &text,
                           uint64_t &number) {
  switch (form) {
  case kFormString:
    text = in_.cstring();
    return true;
  case kFormLineStrp:
    text = stringAt(sections_.lineStr, offsetField());
    return true;
  case kFormStrp:
    text = stringAt(sections_.str, offsetField());
    return true;
  case kFormData1:
    number = in_.u8();
    return true;
  case kFormData2:
    number = in_.u16();
    return true;
  case kFormData4:
    number = in_.u32();
    return true;
  case kFormData8:
    number = in_.u64();
    return true;
  case kFormUdata:
    number = in_.uleb();
    return true;
  case kFormData16:
    in_.skip(16);
    return true;
  case kFormBlock:
    in_.skip(in_.uleb());
    return true;
  case kFormBlock1:
    in_.skip(in_.u8());
    return true;
  case kFormBlock2:
    in_.skip(in_.u16());
    return true;
  case kFormBlock4:
    in_.skip(in_.u32());
    return true;
  default:
    return false;
  }
}

std::string_view LineProgram::stringAt(std::span<const uint8_t> section,
                                       uint64_t offset) {
  return offset <= section.size() ? ByteCursor(section, offset).cstring()
                                  : std::string_view();
}

void LineProgram::addFile(const Entry &entry) {
  std::string_view directory = entry.directory < directories_.size()
                                   ? directories_[entry.directory]
                                   : std::string_view();
  table_.files_.push_back(joinPath(directory, entry.path));
}

std::string LineProgram::run() {
  if (std::string problem = readHeader(); !problem.empty()) {
    return problem;
  }
  while (!in_.atEnd()) {
    step(in_.u8());
  }
  return in_.ok() ? std::string() : "line program is truncated";
}

void LineProgram::step(uint8_t opcode) {
  if (opcode >= opcodeBase_) {
    unsigned special = opcode - opcodeBase_;
    advance(special / lineRange_);
    line_ += static_cast<int64_t>(lineBase_) + special % lineRange_;
    emitRow(false);
  } else if (opcode == kExtended) {
    extendedStep();
  } else {
    standardStep(opcode);
  }
}

void LineProgram::standardStep(uint8_t opcode) {
  switch (opcode) {
  case kCopy:
    emitRow(false);
    break;
  case kAdvancePc:
    advance(in_.uleb());
    break;
  case kAdvanceLine:
    line_ += static_cast<uint64_t>(in_.sleb());
    break;
  case kSetFile:
    file_ = in_.uleb();
    break;
  case kSetColumn:
    column_ = in_.uleb();
    break;
  case kConstAddPc:
    advance((255 - opcodeBase_) / lineRange_);
    break;
  case kFixedAdvancePc:
    pc_ += in_.u16();
    break;
  default:
    for (unsigned i = 0; i < operandCounts_[opcode]; ++i) {
      in_.uleb();
    }
  }
}

void LineProgram::extendedStep() {
  ByteCursor body(in_.take(in_.uleb()));
  switch (body.u8()) {
  case kEndSequence:
    emitRow(true);
    pc_ = 0;
    file_ = 1;
    line_ = 1;
    column_ = 0;
    break;
  case kSetAddress:
    pc_ = body.left() == 4 ? body.u32() : body.u64();
    break;
  default:
    break;
  }
}

void LineProgram::emitRow(bool end) {
  LineTable::Row row;
  row.pc = pc_;
  bool known = file_ < table_.files_.size() - firstFile_;
  row.file = known && !end ? firstFile_ + static_cast<uint32_t>(file_)
                           : LineTable::kNoFile;
  row.line = static_cast<uint32_t>(line_);
  row.column = static_cast<uint32_t>(column_);
  row.order = static_cast<uint32_t>(table_.rows_.size());
  table_.rows_.push_back(row);
}

void LineTable::note(std::string problem) {
  if (problem_.empty()) {
    problem_ = std::move(problem);
  }
}

LineTable LineTable::parse(const DebugSections &sections) {
  LineTable table;
  ByteCursor in(sections.line);
  while (!in.atEnd()) {
    uint64_t length = in.u32();
    bool wide = length == 0xffff'ffff;
    if (wide) {
      length = in.u64();
    }
    if (length > in.left()) {
      table.note(fmt::format("line table unit of {} bytes, {} are left", length,
                             in.left()));
      break;
    }
    ByteCursor unit(in.take(length));
    table.note(LineProgram(table, sections, unit, wide).run());
  }
  // A row that ends a sequence sorts before one that begins there.
  std::sort(table.rows_.begin(), table.rows_.end(),
            [](const Row &a, const Row &b) {
              auto key = [](const Row &r) {
                return std::tuple(r.pc, r.file != kNoFile, r.order);
              };
              return key(a) < key(b);
            });
  return table;
}

std::optional<SourceLine> LineTable::find(uint64_t pc) const {
  auto after = std::upper_bound(
      rows_.begin(), rows_.end(), pc,
      [](uint64_t value, const Row &row) { return value < row.pc; });
  if (after == rows_.begin()) {
    return std::nullopt;
  }
  const Row &row = *std::prev(after);
  if (row.file == kNoFile || row.line == 0) {
    return std::nullopt;
  }
  return SourceLine{files_[row.file], row.line, row.column};
}

std::string SourceLine::text() const {
  return column ? fmt::format("{}:{}:{}", file, line, column)
                : fmt::format("{}:{}", file, line);
}

} // namespace kiln::sim
