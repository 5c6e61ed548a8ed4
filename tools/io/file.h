// SPDX-License-Identifier: Apache-2.0
//
// Whole files in and out. An output appears under its name complete or not at
// all: it is written to a temporary name in the same folder, then renamed.
// Devices and pipes (/dev/null, /dev/stdout) are written in place; of a link,
// what it names is written.
//
//   Result<std::vector<uint8_t>> bytes = readFile("model.kiln");
//   KILN_RETURN_IF_ERROR(writeFile("out.npy", bytes));
//
// Errors: kCorrupt (exit 3) with path and system message.
#pragma once

#include "isa/support/status.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace kiln::tools {

Result<std::vector<uint8_t>> readFile(const std::filesystem::path &path);
Status writeFile(const std::filesystem::path &path,
                 std::span<const uint8_t> bytes);
Status writeFile(const std::filesystem::path &path, std::string_view text);

/// Whether the folder of an output is there, before long work for it.
Status checkWritable(const std::filesystem::path &path);
/// Makes a folder, and those above it, unless it is there.
Status makeFolder(const std::filesystem::path &path);

} // namespace kiln::tools
