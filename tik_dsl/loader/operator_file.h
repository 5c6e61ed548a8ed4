// SPDX-License-Identifier: Apache-2.0
//
// A one-file operator on disk: compiled with the system's C++ compiler into a
// plugin and loaded.
//
//   LoadOptions options{.includeDir = "/usr/include"};  // holds tik_dsl/api
//   Result<OperatorFile> file = OperatorFile::load("op.cpp", options);
//   file->op().decl().name;
//
// A path that ends in .so is a plugin that is compiled already. The plugin is
// native code and runs in this process: load only what you trust.
//
// Errors: kCorrupt for a missing file or a plugin without the entry point,
// kUnsupported without a compiler, kInvalidArgument with the compiler's own
// messages, and those of Operator::declare().
#pragma once

#include "tik_dsl/builder/operator.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace kiln::tik {

struct LoadOptions {
  std::filesystem::path includeDir{};
  /// Is told of every call to the operator's code; borrowed, may be null.
  CallWatch *watch = nullptr;
  /// Tried in turn, on the PATH.
  std::vector<std::string> compilers = {"clang++-22", "clang++", "c++"};
};

class OperatorFile {
public:
  static Result<OperatorFile> load(const std::filesystem::path &path,
                                   const LoadOptions &options);

  const Operator &op() const { return op_; }
  /// Time the C++ compiler took; 0 for a plugin.
  double compileSeconds() const { return compileSeconds_; }

private:
  std::shared_ptr<void> library_; // dlclose when the last copy goes
  Operator op_;
  double compileSeconds_ = 0;
};

} // namespace kiln::tik
