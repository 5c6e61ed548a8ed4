// SPDX-License-Identifier: Apache-2.0
//
// Every mistake an author can make, by number, and the list of those found.
//
//   MessageList messages;
//   messages.add(Mistake::kMisaligned, at, "load: ...");
//   messages.text();   // "op.cpp:12: error TIK202: load: ..."
//
// The table of all mistakes is mistake_table.inc.
#pragma once

#include "tik_dsl/api/builder_table.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::tik {

enum class Mistake : uint32_t {
#define MISTAKE(number, name, title, cause, remedy) name = (number),
#include "tik_dsl/builder/mistake_table.inc"
#undef MISTAKE
};

/// What the manual says about a number.
struct MistakeInfo {
  Mistake number;
  std::string_view title;
  std::string_view cause;
  std::string_view remedy;
};
std::span<const MistakeInfo> allMistakes();
/// The manual's page of a number, in Markdown.
std::string manualPage(const MistakeInfo &info);
/// "TIK201".
std::string mistakeName(Mistake number);

struct AuthorLine {
  std::string file;
  uint32_t line = 0;
  uint32_t column = 0;

  static AuthorLine of(const KilnTikLine *line);
  std::string text() const; // "op.cpp:12"
};

struct Message {
  uint32_t number = 0;
  AuthorLine at;
  std::string text; // may have more lines, indented

  std::string render() const;
};

class MessageList {
public:
  static constexpr size_t kMost = 20;

  void add(Mistake mistake, const AuthorLine &at, std::string text) {
    add(static_cast<uint32_t>(mistake), at, std::move(text));
  }
  void add(uint32_t number, const AuthorLine &at, std::string text);
  /// Of messages that are added without a file.
  void setFile(const std::string &file) { file_ = file; }
  bool empty() const { return messages_.empty(); }
  const std::vector<Message> &messages() const { return messages_; }
  /// All, a line each.
  std::string text() const;

private:
  std::vector<Message> messages_;
  std::string file_;
  size_t dropped_ = 0;
};

} // namespace kiln::tik
