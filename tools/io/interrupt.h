// SPDX-License-Identifier: Apache-2.0
//
// Ctrl-C: a message, exit 130, and no partial file left behind.
//
//   installInterruptHandler();            // once, in main()
//   TemporaryFile part("out.kiln");       // out.kiln.part-1234
//   ... write to part.path() ...
//   KILN_RETURN_IF_ERROR(part.commit());  // renames; else removed
//
// One temporary file at a time is known to the handler; files are written one
// after the other.
#pragma once

#include "isa/support/status.h"

#include <filesystem>

namespace kiln::tools {

/// SIGINT and SIGTERM remove the current temporary file and end the process
/// with 130.
void installInterruptHandler();

class TemporaryFile {
public:
  explicit TemporaryFile(std::filesystem::path target);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;

  const std::filesystem::path &path() const { return path_; }
  /// Gives the file its final name.
  Status commit();

private:
  std::filesystem::path target_;
  std::filesystem::path path_;
  bool committed_ = false;
};

} // namespace kiln::tools
