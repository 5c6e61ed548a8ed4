// SPDX-License-Identifier: Apache-2.0
#include "isa/arch/arch_spec.h"

#include "isa/arch/machine_fields.h"
#include "isa/arch/machine_text.h"
#include "isa/support/sha256.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <vector>

namespace kiln::isa {
namespace {

class CanonicalWriter {
public:
  void open(const std::string &key) { path_.push_back(key); }
  void close() { path_.pop_back(); }
  template <typename T> void field(const std::string &key, T &value) {
    for (const std::string &p : path_) {
      text += p + ".";
    }
    text += fmt::format("{}={}\n", key, value);
  }
  std::string text;

private:
  std::vector<std::string> path_;
};

std::vector<std::string> namesOf(std::span<const BuiltinMachine> files) {
  std::vector<std::string> names;
  for (const BuiltinMachine &file : files) {
    names.emplace_back(file.name);
  }
  return names;
}

Result<std::string> readFile(std::string_view what, const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) {
    return Status(
        StatusCode::kCorrupt,
        fmt::format("cannot read the {} file '{}': {}", what, path,
                    errno ? std::strerror(errno) : "not a readable file"));
  }
  return text.str();
}

} // namespace

std::string canonicalText(const ArchSpec &spec) {
  ArchSpec copy = spec; // visitors take references
  CanonicalWriter writer;
  visitMachine(writer, copy);
  writer.open("dram_part");
  visitDramPart(writer, copy.timing.memory.dram.part);
  writer.close();
  return writer.text;
}

std::string machineHash(const ArchSpec &spec) {
  const std::string text = canonicalText(spec);
  const auto *bytes = reinterpret_cast<const uint8_t *>(text.data());
  return toHex(sha256({bytes, text.size()}));
}

std::vector<std::string> builtinMachines() {
  return namesOf({kBuiltinMachines, kNumBuiltinMachines});
}

std::vector<std::string> builtinDramParts() {
  return namesOf({kBuiltinDramParts, kNumBuiltinDramParts});
}

Result<std::string> findText(std::string_view what, std::string_view nameOrPath,
                             std::span<const BuiltinMachine> builtins) {
  for (const BuiltinMachine &m : builtins) {
    if (m.name == nameOrPath) {
      return std::string(m.yaml);
    }
  }
  if (nameOrPath.find_first_of("./") == std::string_view::npos) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("no {0} '{1}'; built in: {2}; a {0} file is "
                              "given by its path",
                              what, nameOrPath,
                              fmt::join(namesOf(builtins), ", ")));
  }
  return readFile(what, std::string(nameOrPath));
}

Result<ArchSpec> loadArchSpec(std::string_view nameOrPath) {
  KILN_ASSIGN_OR_RETURN(
      const std::string text,
      findText("machine", nameOrPath, {kBuiltinMachines, kNumBuiltinMachines}));
  const bool isPath = nameOrPath.find_first_of("./") != std::string_view::npos;
  return parseArchSpec(text, isPath ? std::string(nameOrPath)
                                    : fmt::format("{}.yaml", nameOrPath));
}

double ArchSpec::peakMacsPerCycle(ElementType t) const {
  switch (t) {
  case ElementType::I16:
  case ElementType::U16:
  case ElementType::I32:
    return 0; // no cube operands
  default:
    break;
  }
  const double weight = t == ElementType::F32 ? timing.cubeFp32Weight : 1.0;
  const double perCell = kCellRows * kCellRows * c0(t);
  return perCell * timing.cubeRate.cells / (timing.cubeRate.cycles * weight);
}

double ArchSpec::peakDramBytesPerCycle() const {
  const DramTiming &dram = timing.memory.dram;
  const double bitsPerSecond =
      1e3 * dram.part.pinKbps * dram.part.channelBits * dram.channels;
  return bitsPerSecond / 8 / static_cast<double>(timing.clockHz);
}

} // namespace kiln::isa
