// SPDX-License-Identifier: Apache-2.0
//
// Model file -> package, in memory: the one place where the tools meet the
// compiler.
//
//   CompileOptions options;
//   options.target = "cpu";
//   Result<std::vector<uint8_t>> package = packageOf("m.onnx", options);
//
// Contract: the package has been read back and verified.
#pragma once

#include "compiler/pipeline/compile.h"

namespace kiln::tools {

using CompileOptions = pipeline::CompileOptions;

Result<std::vector<uint8_t>> packageOf(const std::filesystem::path &path,
                                       const CompileOptions &options);
/// `name` stands in messages and in the package.
Result<std::vector<uint8_t>> packageOfBytes(std::span<const uint8_t> bytes,
                                            const std::string &name,
                                            const CompileOptions &options);

} // namespace kiln::tools
