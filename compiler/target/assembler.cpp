// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/assembler.h"

#include "compiler/target/riscv_target.h"

#include "llvm/MC/MCAsmBackend.h"
#include "llvm/MC/MCAsmInfo.h"
#include "llvm/MC/MCCodeEmitter.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/MCInstrInfo.h"
#include "llvm/MC/MCObjectFileInfo.h"
#include "llvm/MC/MCObjectWriter.h"
#include "llvm/MC/MCParser/MCAsmParser.h"
#include "llvm/MC/MCParser/MCTargetAsmParser.h"
#include "llvm/MC/MCRegisterInfo.h"
#include "llvm/MC/MCStreamer.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/MCTargetOptions.h"
#include "llvm/Support/SourceMgr.h"

namespace kiln::target {
namespace {

struct Messages {
  std::string text;
  std::string origin;
};

void collect(const llvm::SMDiagnostic &d, void *context) {
  auto *messages = static_cast<Messages *>(context);
  if (d.getKind() != llvm::SourceMgr::DK_Error) {
    return;
  }
  messages->text +=
      "\n  " + messages->origin + ":" + std::to_string(d.getLineNo()) + ":" +
      std::to_string(d.getColumnNo() + 1) + ": " + d.getMessage().str();
  std::string source = d.getLineContents().ltrim().str();
  if (!source.empty()) {
    messages->text += ", in '" + source + "'";
  }
}

// The prelude without its comments, on one line with the first of the text, so
// that lines count from the text.
std::string onOneLine(std::string_view prelude) {
  std::string out;
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::StringRef(prelude).split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef line : lines) {
    if (!line.ltrim().starts_with("#")) {
      out += line.str() + ";";
    }
  }
  return out;
}

} // namespace

Result<ObjectBytes> assemble(std::string_view text, std::string_view origin,
                             std::string_view prelude) {
  const llvm::Target &target = riscvTarget();
  llvm::Triple triple(kRiscvTriple);
  llvm::MCTargetOptions options;
  options.Dwarf64 = false;
  std::unique_ptr<llvm::MCRegisterInfo> registers(
      target.createMCRegInfo(triple));
  std::unique_ptr<llvm::MCAsmInfo> info(
      target.createMCAsmInfo(*registers, triple, options));
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget(
      target.createMCSubtargetInfo(triple, kRiscvCpu, kRiscvFeatures));
  std::unique_ptr<llvm::MCInstrInfo> instructions(target.createMCInstrInfo());

  Messages messages;
  messages.origin = origin;
  llvm::SourceMgr sources;
  sources.setDiagHandler(collect, &messages);
  std::string whole = onOneLine(prelude);
  whole += text;
  whole += '\n';
  auto buffer = llvm::MemoryBuffer::getMemBufferCopy(whole, origin);
  sources.AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());

  llvm::MCContext context(triple, info.get(), registers.get(), subtarget.get(),
                          &sources, &options);
  std::unique_ptr<llvm::MCObjectFileInfo> objectInfo(
      target.createMCObjectFileInfo(context, /*PIC=*/false));
  context.setObjectFileInfo(objectInfo.get());
  context.setGenDwarfForAssembly(true);
  context.setDwarfVersion(5);
  context.setDwarfDebugProducer("kiln");
  context.setMainFileName(origin);
  context.setCompilationDir("");
  context.setGenDwarfRootFile(origin, text);

  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  std::unique_ptr<llvm::MCAsmBackend> backend(
      target.createMCAsmBackend(*subtarget, *registers, options));
  std::unique_ptr<llvm::MCObjectWriter> writer =
      backend->createObjectWriter(stream);
  std::unique_ptr<llvm::MCCodeEmitter> emitter(
      target.createMCCodeEmitter(*instructions, context));
  std::unique_ptr<llvm::MCStreamer> streamer(target.createMCObjectStreamer(
      triple, context, std::move(backend), std::move(writer),
      std::move(emitter), *subtarget));

  std::unique_ptr<llvm::MCAsmParser> parser(
      llvm::createMCAsmParser(sources, context, *streamer, *info));
  std::unique_ptr<llvm::MCTargetAsmParser> targetParser(
      target.createMCAsmParser(*subtarget, *parser, *instructions, options));
  parser->setTargetParser(*targetParser);
  if (parser->Run(/*NoInitialTextSection=*/false) || !messages.text.empty()) {
    return Status(StatusCode::kCorrupt,
                  "cannot assemble " + std::string(origin) + messages.text);
  }
  return ObjectBytes(bytes.begin(), bytes.end());
}

} // namespace kiln::target
