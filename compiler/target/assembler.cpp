// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/assembler.h"

#include "compiler/target/control_core_mc.h"
#include "isa/codec/instruction.h"
#include "isa/codec/mnemonics.h"
#include "isa/gen/asm_macros.h"

#include "llvm/MC/MCAsmBackend.h"
#include "llvm/MC/MCCodeEmitter.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/MCObjectFileInfo.h"
#include "llvm/MC/MCObjectWriter.h"
#include "llvm/MC/MCParser/MCAsmParser.h"
#include "llvm/MC/MCParser/MCTargetAsmParser.h"
#include "llvm/MC/MCStreamer.h"
#include "llvm/Support/SourceMgr.h"

#include <algorithm>
#include <tuple>

namespace kiln::target {
namespace {

/// `.insn`, which the NPU macros expand to, makes no entry in the line table,
/// so a `.loc` goes before each NPU mnemonic, on the same line.
struct Insertion {
  size_t column = 0; // 0-based
  size_t length = 0; // 0: nothing inserted
};

/// What LLVM reads: macros, a line that starts the text under its own name,
/// the text with its insertions.
struct Buffer {
  std::string text;
  int skippedLines = 0;              // before the first line of the text
  std::vector<Insertion> insertions; // by line of the text, from 0
};

/// Collects errors as lines "origin:line:column: message".
class Messages {
public:
  Messages(std::string_view origin, const Buffer &buffer)
      : origin_(origin), buffer_(buffer) {}

  static void collect(const llvm::SMDiagnostic &d, void *self) {
    static_cast<Messages *>(self)->add(d);
  }
  void addUnlocated(const llvm::SMDiagnostic &d) {
    errors_.push_back({0, 0, d.getMessage().str(), ""});
  }

  bool empty() const { return errors_.empty(); }

  std::string text() const {
    std::string out;
    for (const Error &e : errors_) {
      out += "\n  " + origin_;
      if (e.line > 0) {
        out += ":" + std::to_string(e.line) + ":" + std::to_string(e.column);
      }
      out += ": " + e.message;
      out += e.source.empty() ? "" : ", in '" + e.source + "'";
      const std::string choices =
          e.message.starts_with("unrecognized") ? choicesFor(e.source) : "";
      out += choices.empty() ? "" : "; there are " + choices;
    }
    return out;
  }

private:
  struct Error {
    int line, column;
    std::string message, source;
  };

  /// "vadd.i8, ..." for "vadd.f64 a0, ..."; pipes of `kset mte2, v, a0` belong
  /// to the name.
  static std::string choicesFor(llvm::StringRef source) {
    auto [name, rest] = source.split(' ');
    if (name != "kset" && name != "kwait" && name != "kcfg") {
      return isa::choicesFor(name.str());
    }
    auto [first, others] = rest.split(',');
    return isa::choicesFor(
        (name + "." + first.trim() + "." + others.split(',').first.trim())
            .str());
  }

  void add(const llvm::SMDiagnostic &d) {
    const bool expanded = d.getFilename() == "<instantiation>";
    Error error{d.getLineNo(), d.getColumnNo() + 1, d.getMessage().str(),
                d.getLineContents().str()};
    if (!expanded) {
      locate(error);
    }
    error.source = llvm::StringRef(error.source).trim().str();
    if (d.getKind() == llvm::SourceMgr::DK_Error) {
      inExpansion_ = expanded;
      errors_.push_back(std::move(error));
    } else if (d.getKind() == llvm::SourceMgr::DK_Note && inExpansion_ &&
               !expanded && !errors_.empty()) {
      // "while in macro instantiation": where the user wrote the mnemonic.
      error.message = errors_.back().message;
      errors_.back() = std::move(error);
      inExpansion_ = false;
    }
  }

  /// From the buffer's lines and columns to the user's: LLVM hands the former
  /// to handlers, whatever `# 1` says.
  void locate(Error &error) const {
    error.line -= buffer_.skippedLines;
    const size_t index = error.line - 1;
    if (error.line < 1 || index >= buffer_.insertions.size()) {
      return;
    }
    const auto [column, length] = buffer_.insertions[index];
    if (length == 0 || error.source.size() < column + length) {
      return;
    }
    error.source.erase(column, length);
    if (error.column > static_cast<int>(column + length)) {
      error.column -= static_cast<int>(length);
    } else if (error.column > static_cast<int>(column)) {
      error.column = static_cast<int>(column) + 1;
    }
  }

  std::string origin_;
  const Buffer &buffer_;
  std::vector<Error> errors_;
  bool inExpansion_ = false; // the last error lies in an expanded macro
};

bool becomesInsn(llvm::StringRef mnemonic) {
  return mnemonic == ".insn" || mnemonic == "kcfg" || mnemonic == "kset" ||
         mnemonic == "kwait" || isa::isMnemonic(mnemonic);
}

/// Where the mnemonic of a line begins, after labels.
size_t mnemonicColumn(llvm::StringRef line) {
  size_t at = line.find_first_not_of(" \t");
  while (at != llvm::StringRef::npos) {
    const size_t end = line.find_first_of(" \t:#;", at);
    if (end == llvm::StringRef::npos || line[end] != ':') {
      return at;
    }
    at = line.find_first_not_of(" \t", end + 1);
  }
  return at;
}

void appendLine(Buffer &buffer, llvm::StringRef line, LineTable lines) {
  const size_t at = mnemonicColumn(line);
  Insertion insertion;
  std::string loc;
  if (lines == LineTable::kWritten && at != llvm::StringRef::npos &&
      becomesInsn(line.substr(at).take_until([](char c) {
        return c == ' ' || c == '\t' || c == ';' || c == '#';
      }))) {
    loc = ".loc 0 " + std::to_string(buffer.insertions.size() + 1) + "; ";
    insertion = {at, loc.size()};
  }
  buffer.text += line.substr(0, insertion.column);
  buffer.text += loc;
  buffer.text += line.substr(insertion.column);
  buffer.text += '\n';
  buffer.insertions.push_back(insertion);
}

Buffer makeBuffer(llvm::StringRef text, llvm::StringRef origin,
                  llvm::StringRef prelude, LineTable lines) {
  Buffer buffer;
  buffer.text = isa::kAsmMacros;
  buffer.text += prelude;
  buffer.text += "\n# 1 \"";
  for (char c : origin) {
    buffer.text += (c == '"' || c == '\\' || c == '\n') ? '_' : c;
  }
  buffer.text += "\"\n";
  buffer.skippedLines = std::ranges::count(buffer.text, '\n');
  while (!text.empty()) {
    llvm::StringRef line;
    std::tie(line, text) = text.split('\n');
    appendLine(buffer, line, lines);
  }
  return buffer;
}

void describeSource(llvm::MCContext &context, std::string_view text,
                    std::string_view origin) {
  context.setGenDwarfForAssembly(true);
  context.setDwarfVersion(5);
  context.setDwarfDebugProducer("kiln");
  context.setMainFileName(origin);
  context.setCompilationDir(""); // the same bytes in every folder
  context.setGenDwarfRootFile(origin, text);
}

/// Runs the assembler over `sources`; false after an error.
bool run(llvm::SourceMgr &sources, llvm::raw_pwrite_stream &stream,
         Messages &messages,
         llvm::function_ref<void(llvm::MCContext &)> setUp) {
  ControlCoreMc mc;
  llvm::MCContext context(mc.triple, mc.asmInfo.get(), mc.registers.get(),
                          mc.subtarget.get(), &sources, &mc.options);
  std::unique_ptr<llvm::MCObjectFileInfo> objectInfo(
      mc.target.createMCObjectFileInfo(context, /*PIC=*/false));
  context.setObjectFileInfo(objectInfo.get());
  setUp(context);
  context.setDiagnosticHandler(
      [&](const llvm::SMDiagnostic &d, bool, const llvm::SourceMgr &,
          std::vector<const llvm::MDNode *> &) { messages.addUnlocated(d); });
  std::unique_ptr<llvm::MCAsmBackend> backend(
      mc.target.createMCAsmBackend(*mc.subtarget, *mc.registers, mc.options));
  std::unique_ptr<llvm::MCObjectWriter> writer =
      backend->createObjectWriter(stream);
  std::unique_ptr<llvm::MCCodeEmitter> emitter(
      mc.target.createMCCodeEmitter(*mc.instructions, context));
  std::unique_ptr<llvm::MCStreamer> streamer(mc.target.createMCObjectStreamer(
      mc.triple, context, std::move(backend), std::move(writer),
      std::move(emitter), *mc.subtarget));
  std::unique_ptr<llvm::MCAsmParser> parser(
      llvm::createMCAsmParser(sources, context, *streamer, *mc.asmInfo));
  std::unique_ptr<llvm::MCTargetAsmParser> targetParser(
      mc.target.createMCAsmParser(*mc.subtarget, *parser, *mc.instructions,
                                  mc.options));
  parser->setTargetParser(*targetParser);
  return !parser->Run(/*NoInitialTextSection=*/false) && !context.hadError();
}

} // namespace

Result<ObjectBytes> assemble(std::string_view text, std::string_view origin,
                             std::string_view prelude, LineTable lines) {
  const Buffer buffer = makeBuffer(text, origin, prelude, lines);
  Messages messages(origin, buffer);
  llvm::SourceMgr sources;
  sources.setDiagHandler(Messages::collect, &messages);
  sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBuffer(buffer.text, llvm::StringRef(origin)),
      llvm::SMLoc());
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  const auto setUp = [&](llvm::MCContext &context) {
    if (lines == LineTable::kWritten) {
      describeSource(context, text, origin);
    }
  };
  if (!run(sources, stream, messages, setUp) || !messages.empty()) {
    return Status(StatusCode::kCorrupt,
                  "cannot assemble " + std::string(origin) + messages.text());
  }
  return ObjectBytes(bytes.begin(), bytes.end());
}

} // namespace kiln::target
