// SPDX-License-Identifier: Apache-2.0
#include "tools/io/file.h"

#include "tools/io/interrupt.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <system_error>

#include <unistd.h>

namespace kiln::tools {
namespace {

Status fileError(const std::filesystem::path &path, const char *verb) {
  int error = errno;
  return {StatusCode::kCorrupt, std::string("cannot ") + verb + " " +
                                    path.string() + ": " +
                                    std::strerror(error)};
}

struct Closer {
  void operator()(std::FILE *file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Closer>;

Status writeAndClose(File file, const std::filesystem::path &path,
                     std::span<const uint8_t> bytes) {
  size_t written = std::fwrite(bytes.data(), 1, bytes.size(), file.get());
  bool flushed = std::fflush(file.get()) == 0;
  if (written != bytes.size() || !flushed) {
    return fileError(path, "write");
  }
  return Status::ok();
}

/// A device, a pipe, a socket, or a link to one.
bool isSpecial(const std::filesystem::path &path) {
  std::error_code error;
  return std::filesystem::is_other(path, error);
}

/// The file that a link names; the path itself of anything else.
std::filesystem::path targetOf(const std::filesystem::path &path) {
  std::error_code error;
  const bool isLink = std::filesystem::is_symlink(path, error) &&
                      std::filesystem::is_regular_file(path, error);
  return isLink ? std::filesystem::canonical(path, error) : path;
}

/// Into what a rename would replace.
Status writeInPlace(const std::filesystem::path &path,
                    std::span<const uint8_t> bytes) {
  File file(std::fopen(path.c_str(), "wb"));
  return file ? writeAndClose(std::move(file), path, bytes)
              : fileError(path, "write");
}

} // namespace

Result<std::vector<uint8_t>> readFile(const std::filesystem::path &path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    errno = EISDIR;
    return fileError(path, "read");
  }
  File file(std::fopen(path.c_str(), "rb"));
  if (!file) {
    return fileError(path, "read");
  }
  std::vector<uint8_t> bytes;
  uint8_t chunk[1 << 16];
  while (size_t got = std::fread(chunk, 1, sizeof(chunk), file.get())) {
    bytes.insert(bytes.end(), chunk, chunk + got);
  }
  if (std::ferror(file.get())) {
    return fileError(path, "read");
  }
  return bytes;
}

Status writeFile(const std::filesystem::path &path,
                 std::span<const uint8_t> bytes) {
  const std::filesystem::path target = targetOf(path);
  if (isSpecial(target)) {
    return writeInPlace(path, bytes);
  }
  TemporaryFile temporary(target);
  File file(std::fopen(temporary.path().c_str(), "wb"));
  if (!file) {
    return fileError(path, "write");
  }
  KILN_RETURN_IF_ERROR(writeAndClose(std::move(file), path, bytes));
  return temporary.commit();
}

Status writeFile(const std::filesystem::path &path, std::string_view text) {
  const auto *data = reinterpret_cast<const uint8_t *>(text.data());
  return writeFile(path, std::span<const uint8_t>(data, text.size()));
}

Status checkWritable(const std::filesystem::path &path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    errno = EISDIR;
    return fileError(path, "write");
  }
  const std::filesystem::path target = targetOf(path);
  std::filesystem::path folder = target.parent_path();
  folder = folder.empty() ? "." : folder;
  const bool allowed = isSpecial(target)
                           ? ::access(target.c_str(), W_OK) == 0
                           : ::access(folder.c_str(), W_OK | X_OK) == 0;
  if (!allowed) {
    return fileError(path, "write");
  }
  return Status::ok();
}

Status makeFolder(const std::filesystem::path &path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error && !std::filesystem::is_directory(path, error)) {
    error = std::make_error_code(std::errc::not_a_directory);
  }
  return error ? Status(StatusCode::kCorrupt, "cannot make folder " +
                                                  path.string() + ": " +
                                                  error.message())
               : Status::ok();
}

} // namespace kiln::tools
