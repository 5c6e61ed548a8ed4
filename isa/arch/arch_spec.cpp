// SPDX-License-Identifier: Apache-2.0
#include "isa/arch/arch_spec.h"

#include "isa/arch/machine_fields.h"
#include "isa/arch/machine_text.h"

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

Result<std::string> readFile(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) {
    return Status(
        StatusCode::kInvalidArgument,
        fmt::format("cannot read the machine file '{}': {}", path,
                    errno ? std::strerror(errno) : "not a readable file"));
  }
  return text.str();
}

} // namespace

std::string canonicalText(const ArchSpec &spec) {
  ArchSpec copy = spec; // visitors take references
  CanonicalWriter writer;
  visitMachine(writer, copy);
  return writer.text;
}

std::vector<std::string> builtinMachines() {
  std::vector<std::string> names;
  for (unsigned n = 0; n < kNumBuiltinMachines; ++n) {
    names.emplace_back(kBuiltinMachines[n].name);
  }
  return names;
}

Result<ArchSpec> loadArchSpec(std::string_view nameOrPath) {
  for (unsigned n = 0; n < kNumBuiltinMachines; ++n) {
    const BuiltinMachine &m = kBuiltinMachines[n];
    if (m.name == nameOrPath) {
      return parseArchSpec(m.yaml, fmt::format("{}.yaml", m.name));
    }
  }
  if (nameOrPath.find_first_of("./") == std::string_view::npos) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("no machine '{}'; built in: {}; a machine file "
                              "is given by its path",
                              nameOrPath, fmt::join(builtinMachines(), ", ")));
  }
  KILN_ASSIGN_OR_RETURN(const std::string text,
                        readFile(std::string(nameOrPath)));
  return parseArchSpec(text, nameOrPath);
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

} // namespace kiln::isa
