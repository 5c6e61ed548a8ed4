// SPDX-License-Identifier: Apache-2.0
//
// `kiln asm` and `kiln dis`: kernels to ELF and back.
#include "compiler/target/disassembler.h"
#include "compiler/target/kernel_source.h"
#include "simulator/core/elf_image.h"
#include "tools/io/file.h"
#include "tools/kiln/verbs.h"

#include <fmt/format.h>

namespace kiln::tools {
namespace {

struct AsmOptions {
  std::string source, output;
};

Status assembleFile(const Context &context, const AsmOptions &options) {
  KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, readFile(options.source));
  std::string text(bytes.begin(), bytes.end());
  KILN_ASSIGN_OR_RETURN(target::ObjectBytes elf,
                        target::assembleKernel(text, options.source));
  std::string output = options.output;
  if (output.empty()) {
    output = std::filesystem::path(options.source)
                 .filename()
                 .replace_extension(".elf")
                 .string();
  }
  KILN_RETURN_IF_ERROR(writeFile(output, elf));
  context.print(fmt::format("{}: {} bytes\n", output, elf.size()),
                {{"output", output}, {"bytes", elf.size()}});
  return Status::ok();
}

/// Of a kernel, by the reader that survives any file.
void addSourceLines(std::span<const uint8_t> elf,
                    std::vector<target::DisassembledLine> &lines) {
  Result<sim::ElfImage> image = sim::ElfImage::parse(elf, "");
  if (!image) {
    return;
  }
  for (target::DisassembledLine &line : lines) {
    if (std::optional<sim::SourceLine> at = image->lines.find(line.address)) {
      line.file = at->file;
      line.line = at->line;
    }
  }
}

Status disassembleFile(const Context &context, const std::string &file) {
  KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> elf, readFile(file));
  Result<std::vector<target::DisassembledLine>> lines =
      target::disassembleElf(elf, target::SourceLines::kNone);
  if (!lines) {
    return lines.status().withContext(file);
  }
  addSourceLines(elf, *lines);
  nlohmann::json json = nlohmann::json::array();
  if (context.json) {
    for (const target::DisassembledLine &line : *lines) {
      json.push_back({{"address", line.address},
                      {"word", line.word},
                      {"text", line.text},
                      {"function", line.function},
                      {"offset", line.offset},
                      {"file", line.file},
                      {"line", line.line}});
    }
  }
  context.print(target::formatListing(*lines), {{"instructions", json}});
  return Status::ok();
}

} // namespace

void addAsm(CLI::App &app, Context &context) {
  CLI::App *verb = addVerb(app, context, "asm",
                           "assemble a kernel (RV64IM and NPU instructions)",
                           "kiln asm vadd.s -o vadd.elf");
  auto options = std::make_shared<AsmOptions>();
  verb->add_option("source", options->source, "assembly file")->required();
  verb->add_option("-o,--output", options->output,
                   "ELF to write (default: NAME.elf)");
  setAction(*verb, context, options, assembleFile);
}

void addDis(CLI::App &app, Context &context) {
  CLI::App *verb =
      addVerb(app, context, "dis",
              "disassemble a kernel, with symbols and source lines",
              "kiln dis vadd.elf");
  auto file = std::make_shared<std::string>();
  verb->add_option("file", *file, "kernel ELF or object file")->required();
  setAction(*verb, context, file, disassembleFile);
}

} // namespace kiln::tools
