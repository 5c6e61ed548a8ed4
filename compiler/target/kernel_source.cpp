// SPDX-License-Identifier: Apache-2.0
#include "compiler/target/kernel_source.h"

#include "compiler/target/assembler.h"
#include "compiler/target/elf_linker.h"
#include "isa/codec/machine_types.h"
#include "isa/gen/opcodes.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace kiln::target {
namespace {

constexpr std::string_view kPrefix = "# kiln:";
constexpr std::string_view kBlank = " \t\r";

std::string_view trim(std::string_view s) {
  const size_t first = s.find_first_not_of(kBlank);
  return first == std::string_view::npos
             ? std::string_view()
             : s.substr(first, s.find_last_not_of(kBlank) - first + 1);
}

template <typename T> bool parseNumber(std::string_view text, T &value) {
  const char *end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

bool isLocalSpace(std::string_view name) {
  return std::find(isa::kSpaceNames + 1, isa::kSpaceNames + isa::kNumSpaces,
                   name) != isa::kSpaceNames + isa::kNumSpaces;
}

bool isSymbol(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '.' || c == '$';
  });
}

/// One `key=value` of a directive line; false when it makes no sense.
bool applyDirective(std::string_view item, isa::KernelNote &note) {
  const size_t equals = std::min(item.find('='), item.size());
  const std::string_view key = item.substr(0, equals);
  const std::string_view value = item.substr(std::min(equals + 1, item.size()));
  if (key == "kernel") {
    note.kernel = value;
    return isSymbol(value);
  }
  if (key == "bindings") {
    return parseNumber(value, note.bindingCount);
  }
  if (key == "constants") {
    return parseNumber(value, note.constantCount);
  }
  if (key == "stack") {
    return parseNumber(value, note.stackBytes);
  }
  uint64_t bytes = 0;
  if (!isLocalSpace(key) || !parseNumber(value, bytes)) {
    return false;
  }
  note.capacityNeeds.emplace_back(key, bytes);
  return true;
}

/// All items of one directive line; the first that is wrong, or empty.
std::string_view applyLine(std::string_view items, isa::KernelNote &note) {
  while (!(items = trim(items)).empty()) {
    const std::string_view item = items.substr(0, items.find_first_of(kBlank));
    if (!applyDirective(item, note)) {
      return item;
    }
    items.remove_prefix(item.size());
  }
  return {};
}

} // namespace

Result<isa::KernelNote> parseNoteDirectives(std::string_view text,
                                            std::string_view origin) {
  isa::KernelNote note;
  note.isaVersion = isa::kIsaVersion;
  note.kernel = "kernel";
  for (unsigned line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view content = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!content.starts_with(kPrefix)) {
      continue;
    }
    const std::string_view wrong =
        applyLine(content.substr(kPrefix.size()), note);
    if (!wrong.empty()) {
      return Status(
          StatusCode::kCorrupt,
          fmt::format("{}:{}:1: '{}': expected kernel=SYMBOL, bindings=N, "
                      "constants=N, stack=BYTES or MEMORY=BYTES (L1, L0A, "
                      "L0B, L0C, UB, BT)",
                      origin, line, wrong));
    }
  }
  return note;
}

Result<ObjectBytes> assembleKernel(std::string_view text,
                                   std::string_view origin) {
  KILN_ASSIGN_OR_RETURN(const isa::KernelNote note,
                        parseNoteDirectives(text, origin));
  KILN_ASSIGN_OR_RETURN(ObjectBytes object, assemble(text, origin));
  Result<ObjectBytes> elf = linkNpuProgram({std::move(object)}, note);
  if (!elf) {
    // The text is the user's: what the linker misses is missing there.
    return Status(StatusCode::kCorrupt, elf.status().message())
        .withContext(origin);
  }
  return elf;
}

} // namespace kiln::target
