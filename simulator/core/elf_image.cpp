// SPDX-License-Identifier: Apache-2.0
#include "simulator/core/elf_image.h"

#include "simulator/core/byte_cursor.h"

#include <algorithm>
#include <fmt/format.h>

namespace kiln::sim {

namespace {

constexpr uint8_t kMagic[4] = {0x7f, 'E', 'L', 'F'};
constexpr uint8_t kClass64 = 2, kLittleEndian = 1;
constexpr uint16_t kExecutableFile = 2, kMachineRiscV = 243;
constexpr uint32_t kSegmentLoad = 1, kFlagExecute = 1;
constexpr uint32_t kSectionSymbols = 2, kSectionNote = 7, kSectionNoBits = 8;
constexpr uint32_t kFlagCompressed = 0x800;
constexpr uint64_t kHeaderBytes = 64, kProgramHeaderBytes = 56,
                   kSectionHeaderBytes = 64, kSymbolBytes = 24;
// The windows of the memory map; the machine's real capacities are checked at
// launch, these only keep a corrupt size from becoming an allocation.
constexpr uint64_t kInstructionWindowBytes =
    isa::kScalarRamBase - isa::kInstructionRamBase;
constexpr uint64_t kScalarWindowBytes = 0x10'0000;

struct Section {
  uint32_t nameOffset = 0, type = 0, link = 0;
  uint64_t flags = 0, offset = 0, size = 0;
  std::string_view name;
  std::span<const uint8_t> bytes;
};

class Parser {
public:
  Parser(std::span<const uint8_t> file, ElfImage &image)
      : file_(file), image_(image) {}

  Status run();

private:
  Status readHeader();
  Status readSegments();
  Status readSegment(ByteCursor &in, unsigned index);
  Status readSections();
  Status readSymbols();
  Status readNote();
  void readLines();
  const Section *find(std::string_view name, uint32_t type) const;
  std::span<const uint8_t> bytesOf(std::string_view name) const;

  Status corrupt(std::string what) const {
    return {StatusCode::kCorrupt,
            fmt::format("{}: {}", image_.origin, std::move(what))};
  }
  bool inFile(uint64_t offset, uint64_t size) const {
    return offset <= file_.size() && size <= file_.size() - offset;
  }

  std::span<const uint8_t> file_;
  ElfImage &image_;
  uint64_t programOffset_ = 0, sectionOffset_ = 0;
  uint16_t programCount_ = 0, sectionCount_ = 0, nameSection_ = 0;
  std::vector<Section> sections_;
};

Status Parser::run() {
  KILN_RETURN_IF_ERROR(readHeader());
  KILN_RETURN_IF_ERROR(readSegments());
  KILN_RETURN_IF_ERROR(readSections());
  KILN_RETURN_IF_ERROR(readSymbols());
  KILN_RETURN_IF_ERROR(readNote());
  readLines();
  return Status::ok();
}

Status Parser::readHeader() {
  if (file_.size() < kHeaderBytes) {
    return corrupt(fmt::format("{} bytes, an ELF header has {}", file_.size(),
                               kHeaderBytes));
  }
  if (!std::equal(std::begin(kMagic), std::end(kMagic), file_.begin())) {
    return corrupt(fmt::format("starts with {:02x}{:02x}{:02x}{:02x}, expected "
                               "the ELF magic 7f454c46",
                               file_[0], file_[1], file_[2], file_[3]));
  }
  if (file_[4] != kClass64 || file_[5] != kLittleEndian) {
    return corrupt(fmt::format("ELF class {} and byte order {}, expected 2 "
                               "(64-bit) and 1 (little-endian)",
                               file_[4], file_[5]));
  }
  ByteCursor in(file_, 16);
  uint16_t type = in.u16();
  uint16_t machine = in.u16();
  in.u32(); // version
  image_.entry = in.u64();
  programOffset_ = in.u64();
  sectionOffset_ = in.u64();
  in.u32(); // flags
  in.u16(); // header size
  uint16_t programSize = in.u16();
  programCount_ = in.u16();
  uint16_t sectionSize = in.u16();
  sectionCount_ = in.u16();
  nameSection_ = in.u16();
  if (type != kExecutableFile || machine != kMachineRiscV) {
    return corrupt(fmt::format("ELF type {} for machine {}, expected 2 (an "
                               "executable) for 243 (RISC-V)",
                               type, machine));
  }
  if (programCount_ && programSize != kProgramHeaderBytes) {
    return corrupt(fmt::format("program headers of {} bytes, expected {}",
                               programSize, kProgramHeaderBytes));
  }
  if (sectionCount_ && sectionSize != kSectionHeaderBytes) {
    return corrupt(fmt::format("section headers of {} bytes, expected {}",
                               sectionSize, kSectionHeaderBytes));
  }
  return Status::ok();
}

Status Parser::readSegments() {
  uint64_t size = uint64_t{programCount_} * kProgramHeaderBytes;
  if (!inFile(programOffset_, size)) {
    return corrupt(fmt::format("{} program headers at offset {} lie outside "
                               "the {} bytes of the file",
                               programCount_, programOffset_, file_.size()));
  }
  ByteCursor in(file_, programOffset_);
  for (unsigned i = 0; i < programCount_; ++i) {
    KILN_RETURN_IF_ERROR(readSegment(in, i));
  }
  bool entryFound = std::any_of(
      image_.segments.begin(), image_.segments.end(), [&](const Segment &s) {
        return s.executable && image_.entry >= s.address &&
               image_.entry - s.address < s.fileBytes;
      });
  if (!entryFound || image_.entry % 4) {
    return corrupt(fmt::format("entry point {:#x} is not an instruction of an "
                               "executable segment",
                               image_.entry));
  }
  return Status::ok();
}

Status Parser::readSegment(ByteCursor &in, unsigned index) {
  uint32_t type = in.u32();
  uint32_t flags = in.u32();
  uint64_t offset = in.u64();
  uint64_t address = in.u64();
  in.u64(); // physical address
  uint64_t fileSize = in.u64();
  uint64_t memorySize = in.u64();
  in.u64(); // alignment
  if (type != kSegmentLoad || memorySize == 0) {
    return Status::ok();
  }
  bool executable = flags & kFlagExecute;
  uint64_t base = executable ? isa::kInstructionRamBase : isa::kScalarRamBase;
  uint64_t window = executable ? kInstructionWindowBytes : kScalarWindowBytes;
  if (address < base || address - base > window ||
      memorySize > window - (address - base)) {
    return corrupt(fmt::format(
        "segment {} ({}) occupies [{:#x}, +{}), expected inside [{:#x}, +{})",
        index, executable ? "code" : "data", address, memorySize, base,
        window));
  }
  if (fileSize > memorySize || !inFile(offset, fileSize)) {
    return corrupt(fmt::format("segment {} has {} bytes at offset {} of a file "
                               "of {} bytes and {} bytes in memory: truncated",
                               index, fileSize, offset, file_.size(),
                               memorySize));
  }
  Segment segment;
  segment.address = address;
  segment.bytes.assign(file_.begin() + offset,
                       file_.begin() + offset + fileSize);
  segment.bytes.resize(memorySize);
  segment.fileBytes = fileSize;
  segment.executable = executable;
  image_.segments.push_back(std::move(segment));
  return Status::ok();
}

Status Parser::readSections() {
  uint64_t size = uint64_t{sectionCount_} * kSectionHeaderBytes;
  if (!inFile(sectionOffset_, size)) {
    return corrupt(fmt::format("{} section headers at offset {} lie outside "
                               "the {} bytes of the file: truncated",
                               sectionCount_, sectionOffset_, file_.size()));
  }
  ByteCursor in(file_, sectionOffset_);
  for (unsigned i = 0; i < sectionCount_; ++i) {
    Section s;
    s.nameOffset = in.u32();
    s.type = in.u32();
    s.flags = in.u64();
    in.u64(); // address
    s.offset = in.u64();
    s.size = in.u64();
    s.link = in.u32();
    in.skip(20); // info, alignment, entry size
    if (s.type != kSectionNoBits && s.type != 0) {
      if (!inFile(s.offset, s.size)) {
        return corrupt(fmt::format("section {} has {} bytes at offset {} of a "
                                   "file of {} bytes: truncated",
                                   i, s.size, s.offset, file_.size()));
      }
      s.bytes = file_.subspan(s.offset, s.size);
    }
    sections_.push_back(s);
  }
  if (nameSection_ < sections_.size()) {
    std::span<const uint8_t> names = sections_[nameSection_].bytes;
    for (Section &s : sections_) {
      s.name = ByteCursor(names, s.nameOffset).cstring();
    }
  }
  return Status::ok();
}

const Section *Parser::find(std::string_view name, uint32_t type) const {
  for (const Section &s : sections_) {
    if ((name.empty() || s.name == name) && (type == 0 || s.type == type)) {
      return &s;
    }
  }
  return nullptr;
}

std::span<const uint8_t> Parser::bytesOf(std::string_view name) const {
  const Section *s = find(name, 0);
  return s && !(s->flags & kFlagCompressed) ? s->bytes
                                            : std::span<const uint8_t>();
}

Status Parser::readSymbols() {
  const Section *table = find("", kSectionSymbols);
  if (!table) {
    return Status::ok();
  }
  if (table->link >= sections_.size() || table->size % kSymbolBytes) {
    return corrupt(fmt::format("symbol table of {} bytes with string section "
                               "{} of {}, expected a multiple of {}",
                               table->size, table->link, sections_.size(),
                               kSymbolBytes));
  }
  std::span<const uint8_t> strings = sections_[table->link].bytes;
  ByteCursor in(table->bytes);
  while (!in.atEnd()) {
    uint32_t nameOffset = in.u32();
    in.skip(4); // info, other, section
    uint64_t value = in.u64();
    in.u64(); // size
    std::string_view name = ByteCursor(strings, nameOffset).cstring();
    if (!name.empty()) {
      image_.symbols.emplace(name, value);
    }
  }
  return Status::ok();
}

Status Parser::readNote() {
  const Section *section = find(isa::kNoteSectionName, kSectionNote);
  if (!section) {
    return corrupt(fmt::format("no {} section: not a Kiln program",
                               isa::kNoteSectionName));
  }
  ByteCursor in(section->bytes);
  uint32_t nameSize = in.u32();
  uint32_t descriptorSize = in.u32();
  uint32_t type = in.u32();
  std::span<const uint8_t> name = in.take(nameSize);
  in.skip(-nameSize & 3u);
  std::span<const uint8_t> descriptor = in.take(descriptorSize);
  if (!in.ok()) {
    return corrupt(fmt::format("{} of {} bytes is truncated",
                               isa::kNoteSectionName, section->size));
  }
  std::string_view owner(reinterpret_cast<const char *>(name.data()),
                         name.size());
  owner = owner.substr(0, owner.find('\0'));
  if (owner != isa::kNoteOwner || type != isa::kNoteType) {
    return corrupt(fmt::format("note of owner '{}' and type {}, expected '{}' "
                               "and {}",
                               owner, type, isa::kNoteOwner, isa::kNoteType));
  }
  std::string_view json(reinterpret_cast<const char *>(descriptor.data()),
                        descriptor.size());
  Result<isa::KernelNote> note = isa::parseKernelNote(json);
  if (!note) {
    return corrupt(
        fmt::format("{}: {}", isa::kNoteSectionName, note.status().message()));
  }
  image_.note = std::move(*note);
  return Status::ok();
}

void Parser::readLines() {
  image_.lines =
      LineTable::parse({bytesOf(".debug_line"), bytesOf(".debug_line_str"),
                        bytesOf(".debug_str")});
}

} // namespace

Result<ElfImage> ElfImage::parse(std::span<const uint8_t> file,
                                 std::string origin) {
  ElfImage image;
  image.origin = std::move(origin);
  KILN_RETURN_IF_ERROR(Parser(file, image).run());
  return image;
}

std::optional<uint64_t> ElfImage::symbol(const std::string &name) const {
  auto it = symbols.find(name);
  return it == symbols.end() ? std::nullopt : std::optional(it->second);
}

uint64_t ElfImage::imageBytes() const {
  uint64_t bytes = 0;
  for (const Segment &segment : segments) {
    bytes += segment.fileBytes;
  }
  return bytes;
}

} // namespace kiln::sim
