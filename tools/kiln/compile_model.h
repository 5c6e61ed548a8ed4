// SPDX-License-Identifier: Apache-2.0
//
// Model file -> package, in memory: the one place where the tools meet the
// compiler.
//
//   CompileOptions options{.target = "cpu"};
//   Result<std::vector<uint8_t>> package = compileModel("m.onnx", options);
#pragma once

#include "isa/support/status.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace kiln::tools {

struct CompileOptions {
  std::string target = "npu"; // npu, cpu or null
  std::string machine = "k1"; // npu: name or machine file
  std::string cpu = "native"; // cpu: LLVM name
  std::string precision = "strict";
  std::string sync = "auto"; // or barrier-all
  uint32_t cores = 1;
  std::map<std::string, int64_t> dims{};
  std::string stopAfter{};
  std::filesystem::path dumpDir{};
  std::function<void(const std::string &stage)> progress{};
};

Result<std::vector<uint8_t>> compileModel(const std::filesystem::path &path,
                                          const CompileOptions &options);
/// `name` stands in messages and in the package.
Result<std::vector<uint8_t>> compileModelBytes(std::span<const uint8_t> bytes,
                                               const std::string &name,
                                               const CompileOptions &options);

} // namespace kiln::tools
