// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/operator_options.h"

#include "tools/kiln/sim_data.h"

#include <algorithm>

namespace kiln::tools {
namespace {

/// A number, or an element type by name for an attribute that is one.
Result<int64_t> parseSetting(const std::string &text,
                             const std::string &option) {
  for (int64_t type = 0; type < 8; ++type) {
    if (text == isa::kElementTypeNames[type]) {
      return type;
    }
  }
  KILN_ASSIGN_OR_RETURN(uint64_t value, parseNumber(text, option.c_str()));
  return static_cast<int64_t>(value);
}

/// "NAME=N,NAME=N" of an option.
Result<std::vector<std::pair<std::string, int64_t>>>
parsePairs(const std::string &text, const std::string &option) {
  std::vector<std::pair<std::string, int64_t>> pairs;
  size_t start = 0;
  while (start <= text.size()) {
    size_t comma = std::min(text.find(',', start), text.size());
    std::string part = text.substr(start, comma - start);
    size_t equals = part.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Status(StatusCode::kInvalidArgument,
                    option + " " + text + ": expected NAME=N,NAME=N");
    }
    KILN_ASSIGN_OR_RETURN(int64_t value,
                          parseSetting(part.substr(equals + 1), option));
    pairs.emplace_back(part.substr(0, equals), value);
    start = comma + 1;
  }
  return pairs;
}

/// A folder of the installed tree, or of the repository whose build folder
/// holds this program, by a file in it.
Result<std::filesystem::path> findFolder(const char *what,
                                         const char *installed,
                                         const char *inRepository,
                                         const char *file) {
  std::error_code error;
  std::filesystem::path program =
      std::filesystem::read_symlink("/proc/self/exe", error);
  std::filesystem::path prefix = program.parent_path().parent_path();
  const std::filesystem::path folders[] = {prefix / installed,
                                           prefix.parent_path() / inRepository};
  for (const std::filesystem::path &folder : folders) {
    if (std::filesystem::exists(folder / file, error)) {
      return folder;
    }
  }
  return Status(StatusCode::kUnsupported,
                std::string(what) + " (" + file + ") are neither in " +
                    folders[0].string() + " nor in " + folders[1].string() +
                    "; run the installed program or that of the build folder");
}

} // namespace

Result<std::filesystem::path> includeFolder() {
  return findFolder("the DSL's headers", "include/kiln", "",
                    "tik_dsl/api/tik.h");
}

Result<std::filesystem::path> examplesFolder() {
  return findFolder("the examples", "share/kiln/examples", "tik_dsl/examples",
                    "01_vector_add.cpp");
}

Result<tik::ShapeCase> parseShapeCase(const std::string &text) {
  tik::ShapeCase shape;
  KILN_ASSIGN_OR_RETURN(shape.settings, parsePairs(text, "--shape"));
  return shape;
}

Result<tik::KnobValues> parseKnobs(const std::string &text) {
  return parsePairs(text, "--knobs");
}

bool isOperatorFile(const std::filesystem::path &file) {
  std::string extension = file.extension().string();
  return extension == ".cpp" || extension == ".cc" || extension == ".so";
}

} // namespace kiln::tools
