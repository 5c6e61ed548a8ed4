// SPDX-License-Identifier: Apache-2.0
#include "simulator/core/program.h"

#include "isa/support/units.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace kiln::sim {

Result<std::shared_ptr<const Program>>
Program::load(std::span<const uint8_t> file, std::string origin) {
  auto program = std::make_shared<Program>();
  KILN_ASSIGN_OR_RETURN(program->image_,
                        ElfImage::parse(file, std::move(origin)));
  const ElfImage &image = program->image_;
  if (image.note.isaVersion == 0 || image.note.isaVersion > isa::kIsaVersion) {
    return Status(StatusCode::kUnsupported,
                  fmt::format("{}: isa_version {} in the kernel's note; this "
                              "engine knows 1 to {}",
                              image.origin, image.note.isaVersion,
                              isa::kIsaVersion));
  }
  std::optional<uint64_t> stackTop = image.symbol("__kiln_stack_top");
  if (!stackTop || *stackTop < isa::kScalarRamBase) {
    return Status(StatusCode::kCorrupt,
                  fmt::format("{}: no symbol __kiln_stack_top in the scalar "
                              "RAM: link with the Kiln linker script",
                              image.origin));
  }
  program->stackTop_ = *stackTop;
  std::vector<uint8_t> text;
  for (const Segment &segment : image.segments) {
    if (segment.executable) {
      uint64_t offset = segment.address - isa::kInstructionRamBase;
      text.resize(
          std::max<uint64_t>(text.size(), offset + segment.bytes.size()));
      std::copy(segment.bytes.begin(), segment.bytes.end(),
                text.begin() + offset);
    }
  }
  program->code_ = RvCode::decode(isa::kInstructionRamBase, text);
  return std::shared_ptr<const Program>(std::move(program));
}

bool Program::meetsBlocks() const {
  return std::ranges::any_of(code_.commands, [](const isa::Command &c) {
    return c.op == isa::Opcode::kKpost || c.op == isa::Opcode::kKpend ||
           c.op == isa::Opcode::kKdbar;
  });
}

Status Program::checkFits(const isa::ArchSpec &arch,
                          uint64_t argumentBytes) const {
  std::string lacks;
  auto need = [&](std::string_view what, uint64_t bytes, uint64_t present) {
    if (bytes > present) {
      lacks += fmt::format("{}{} needs {} bytes, {} has {}",
                           lacks.empty() ? "" : "; ", what, bytes, arch.name,
                           present);
    }
  };
  for (const auto &[space, bytes] : image_.note.capacityNeeds) {
    for (unsigned s = 0; s < isa::kNumSpaces; ++s) {
      if (space == isa::kSpaceNames[s]) {
        need(space, bytes, arch.arch.capacityBytes[s]);
      }
    }
  }
  need("instruction RAM", 4 * code_.words.size(),
       arch.arch.instructionRamBytes);
  uint64_t scalarEnd = alignUp(stackTop_, 8) + argumentBytes;
  for (const Segment &segment : image_.segments) {
    if (!segment.executable) {
      scalarEnd =
          std::max<uint64_t>(scalarEnd, segment.address + segment.bytes.size());
    }
  }
  need("scalar RAM (data, stack and argument block)",
       scalarEnd - isa::kScalarRamBase, arch.arch.scalarRamBytes);
  if (lacks.empty()) {
    return Status::ok();
  }
  return {StatusCode::kDoesNotFit, fmt::format("{}: {}", image_.origin, lacks)};
}

} // namespace kiln::sim
