// SPDX-License-Identifier: Apache-2.0
//
// Golden cycles: a text file with a line "name: cycles" per row, sorted.
#pragma once

#include "isa/support/status.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace kiln::tools {

using GoldenCycles = std::map<std::string, uint64_t>;

Result<GoldenCycles> readGoldenCycles(const std::filesystem::path &file);
/// Writes `head`, lines of comment, and the rows.
Status writeGoldenCycles(const std::filesystem::path &file,
                         const std::string &head, const GoldenCycles &cycles);

} // namespace kiln::tools
