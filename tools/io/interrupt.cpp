// SPDX-License-Identifier: Apache-2.0
#include "tools/io/interrupt.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <unistd.h>

namespace kiln::tools {
namespace {

// A signal handler can reach nothing but static storage.
char currentTemporary[4096];

void onInterrupt(int) {
  if (currentTemporary[0] != '\0') {
    ::unlink(currentTemporary);
  }
  constexpr char kMessage[] = "\nkiln: interrupted; no output was written\n";
  (void)!::write(STDERR_FILENO, kMessage, sizeof(kMessage) - 1);
  ::_exit(130);
}

void remember(const std::filesystem::path &path) {
  std::string text = path.string();
  size_t length = std::min(text.size(), sizeof(currentTemporary) - 1);
  std::memcpy(currentTemporary + 1, text.data() + 1, length - 1);
  currentTemporary[length] = '\0';
  currentTemporary[0] = text[0]; // last: the name is valid from here on
}

} // namespace

void installInterruptHandler() {
  struct sigaction action = {};
  action.sa_handler = onInterrupt;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

TemporaryFile::TemporaryFile(std::filesystem::path target)
    : target_(std::move(target)), path_(target_) {
  path_ += ".part-" + std::to_string(::getpid());
  remember(path_);
}

TemporaryFile::~TemporaryFile() {
  if (!committed_) {
    std::remove(path_.c_str());
  }
  currentTemporary[0] = '\0';
}

Status TemporaryFile::commit() {
  if (std::rename(path_.c_str(), target_.c_str()) != 0) {
    return {StatusCode::kCorrupt,
            "cannot write " + target_.string() + ": " + std::strerror(errno)};
  }
  committed_ = true;
  return Status::ok();
}

} // namespace kiln::tools
