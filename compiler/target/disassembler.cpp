// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/disassembler.h"

#include "compiler/target/control_core_mc.h"
#include "isa/codec/instruction.h"

#include "llvm/DebugInfo/DWARF/DWARFContext.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/MCDisassembler/MCDisassembler.h"
#include "llvm/MC/MCInst.h"
#include "llvm/MC/MCInstPrinter.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <map>

namespace kiln::target {
namespace {

/// RISC-V words to text.
class WordPrinter {
public:
  WordPrinter()
      : context_(mc_.triple, mc_.asmInfo.get(), mc_.registers.get(),
                 mc_.subtarget.get()),
        disassembler_(
            mc_.target.createMCDisassembler(*mc_.subtarget, context_)),
        printer_(mc_.target.createMCInstPrinter(
            mc_.triple, 0, *mc_.asmInfo, *mc_.instructions, *mc_.registers)) {
    printer_->setPrintBranchImmAsAddress(true);
    printer_->setPrintImmHex(true);
  }

  std::string print(uint32_t word, uint64_t address) {
    if (isa::isNpuWord(word)) {
      return isa::disassembleWord(word);
    }
    uint8_t bytes[4];
    llvm::support::endian::write32le(bytes, word);
    llvm::MCInst instruction;
    uint64_t size = 0;
    std::string text;
    llvm::raw_string_ostream out(text);
    if (disassembler_->getInstruction(instruction, size, bytes, address,
                                      llvm::nulls()) !=
            llvm::MCDisassembler::Success ||
        size != 4) {
      out << ".word " << llvm::format_hex(word, 10);
      return text;
    }
    printer_->printInst(&instruction, address, "", *mc_.subtarget, out);
    return tidy(text);
  }

private:
  /// "\taddi\ta0, a0, 1" -> "addi a0, a0, 1".
  static std::string tidy(llvm::StringRef text) {
    std::string out;
    for (char c : text.trim()) {
      out += c == '\t' ? ' ' : c;
    }
    return out;
  }

  ControlCoreMc mc_;
  llvm::MCContext context_;
  std::unique_ptr<llvm::MCDisassembler> disassembler_;
  std::unique_ptr<llvm::MCInstPrinter> printer_;
};

using Symbols = std::map<uint64_t, std::string>;

/// Names of code addresses; the global name where there are two.
Symbols codeSymbols(const llvm::object::ELFObjectFileBase &file) {
  Symbols out;
  for (const llvm::object::ELFSymbolRef symbol : file.symbols()) {
    llvm::Expected<uint64_t> address = symbol.getAddress();
    if (!address) { // past a table that claims more than the file has
      llvm::consumeError(address.takeError());
      break;
    }
    llvm::Expected<llvm::StringRef> name = symbol.getName();
    llvm::Expected<llvm::object::section_iterator> section =
        symbol.getSection();
    const bool usable = bool(name) && bool(section);
    if (usable && *section != file.section_end() && (*section)->isText() &&
        !name->empty() && !name->starts_with("$") && !name->starts_with(".L")) {
      std::string &slot = out[*address];
      if (slot.empty() || symbol.getBinding() != llvm::ELF::STB_LOCAL) {
        slot = name->str();
      }
    }
    llvm::consumeError(name.takeError());
    llvm::consumeError(section.takeError());
  }
  return out;
}

class Listing {
public:
  Listing(llvm::object::ELFObjectFileBase &file, SourceLines lines)
      : symbols_(codeSymbols(file)) {
    auto ignore = [](llvm::Error e) { llvm::consumeError(std::move(e)); };
    if (lines == SourceLines::kRead) {
      dwarf_ = llvm::DWARFContext::create(
          file, llvm::DWARFContext::ProcessDebugRelocations::Ignore, nullptr,
          "", ignore, ignore);
    }
  }

  void add(const llvm::object::SectionRef &section, llvm::StringRef code) {
    for (size_t at = 0; at + 4 <= code.size(); at += 4) {
      DisassembledLine line;
      line.address = section.getAddress() + at;
      line.word = llvm::support::endian::read32le(code.data() + at);
      line.text = printer_.print(line.word, line.address);
      locate(line, section.getIndex());
      lines.push_back(std::move(line));
    }
  }

  std::vector<DisassembledLine> lines;

private:
  void locate(DisassembledLine &line, uint64_t section) {
    auto symbol = symbols_.upper_bound(line.address);
    if (symbol != symbols_.begin()) {
      --symbol;
      line.function = symbol->second;
      line.offset = line.address - symbol->first;
    }
    if (!dwarf_) {
      return;
    }
    const llvm::DILineInfoSpecifier kind(
        llvm::DILineInfoSpecifier::FileLineInfoKind::RawValue);
    const std::optional<llvm::DILineInfo> info =
        dwarf_->getLineInfoForAddress({line.address, section}, kind);
    if (info && info->Line != 0) {
      line.file = info->FileName;
      line.line = info->Line;
    }
  }

  Symbols symbols_;
  std::unique_ptr<llvm::DWARFContext> dwarf_; // null: no lines
  WordPrinter printer_;
};

} // namespace

std::string disassembleWord(uint32_t word, uint64_t address) {
  return WordPrinter().print(word, address);
}

Result<std::vector<DisassembledLine>>
disassembleElf(std::span<const uint8_t> elf, SourceLines lines) {
  const llvm::MemoryBufferRef buffer(
      {reinterpret_cast<const char *>(elf.data()), elf.size()}, "kernel");
  auto file = llvm::object::ObjectFile::createELFObjectFile(buffer);
  if (!file) {
    return Status(StatusCode::kCorrupt,
                  "not an ELF file: " + llvm::toString(file.takeError()));
  }
  auto *object = llvm::dyn_cast<llvm::object::ELFObjectFileBase>(file->get());
  if (!object || object->getArch() != llvm::Triple::riscv64) {
    return Status(StatusCode::kCorrupt, "not a 64-bit RISC-V ELF file");
  }
  Listing listing(*object, lines);
  for (const llvm::object::SectionRef &section : object->sections()) {
    if (!section.isText()) {
      continue;
    }
    llvm::Expected<llvm::StringRef> code = section.getContents();
    if (!code) {
      return Status(StatusCode::kCorrupt,
                    "code section: " + llvm::toString(code.takeError()));
    }
    listing.add(section, *code);
  }
  return std::move(listing.lines);
}

std::string formatListing(std::span<const DisassembledLine> lines) {
  std::string text;
  llvm::raw_string_ostream out(text);
  const DisassembledLine *last = nullptr;
  for (const DisassembledLine &line : lines) {
    if (line.offset == 0 && !line.function.empty()) {
      out << (last ? "\n" : "") << line.function << ":\n";
    }
    if (line.line != 0 &&
        (!last || last->line != line.line || last->file != line.file)) {
      out << "  # " << line.file << ":" << line.line << "\n";
    }
    out << llvm::format("  %8llx: %08x  ",
                        static_cast<unsigned long long>(line.address),
                        line.word)
        << line.text << "\n";
    last = &line;
  }
  return text;
}

} // namespace kiln::target
