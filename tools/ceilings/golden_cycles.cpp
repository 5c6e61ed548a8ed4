// SPDX-License-Identifier: Apache-2.0
#include "tools/ceilings/golden_cycles.h"

#include <charconv>
#include <fstream>

namespace kiln::tools {

Result<GoldenCycles> readGoldenCycles(const std::filesystem::path &file) {
  std::ifstream in(file);
  if (!in) {
    return Status(StatusCode::kCorrupt, "cannot read " + file.string());
  }
  GoldenCycles goldens;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') {
      continue;
    }
    const size_t colon = line.rfind(": ");
    uint64_t cycles = 0;
    const char *end = line.data() + line.size();
    if (colon == std::string::npos ||
        std::from_chars(line.data() + colon + 2, end, cycles).ptr != end) {
      return Status(StatusCode::kCorrupt,
                    file.string() + ": expected 'name: cycles', found '" +
                        line + "'");
    }
    goldens[line.substr(0, colon)] = cycles;
  }
  return goldens;
}

Status writeGoldenCycles(const std::filesystem::path &file,
                         const std::string &head, const GoldenCycles &cycles) {
  std::ofstream out(file);
  out << head;
  for (const auto &[name, count] : cycles) {
    out << name << ": " << count << "\n";
  }
  return out.flush()
             ? Status::ok()
             : Status(StatusCode::kCorrupt, "cannot write " + file.string());
}

} // namespace kiln::tools
