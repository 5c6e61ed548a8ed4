// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/compile_model.h"

#include "tools/io/file.h"

#include <fmt/format.h>

namespace kiln::tools {

Result<std::vector<uint8_t>> compileModel(const std::filesystem::path &path,
                                          const CompileOptions &options) {
  KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, readFile(path));
  return compileModelBytes(bytes, path.string(), options);
}

Result<std::vector<uint8_t>> compileModelBytes(std::span<const uint8_t> bytes,
                                               const std::string &name,
                                               const CompileOptions &options) {
  return Status(StatusCode::kUnsupported,
                fmt::format("{}: this build has no compiler for target '{}'; "
                            "run a .kiln package instead",
                            name, options.target));
}

} // namespace kiln::tools
