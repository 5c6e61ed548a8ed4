// SPDX-License-Identifier: Apache-2.0
//
// Every mistake an author can make, by number, and the list of those found.
//
//   MessageList messages;
//   messages.add(Mistake::kMisaligned, at, "load: ...");
//   messages.text();   // "op.cpp:12: error TIK202: load: ..."
//
// A number never changes its meaning; removed numbers are not used again.
#pragma once

#include "tik_dsl/api/builder_table.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::tik {

enum class Mistake : uint32_t {
  // Values and scopes.
  kUseAfterScope = 101,
  kLoopLeft = 102,
  kBlocksMisplaced = 103,
  kUnknownHandle = 104,
  kBadStep = 105,
  kDivisionByZero = 106,
  kNotACondition = 107,
  kNoValue = 108,
  // Memory.
  kDoesNotFit = 201,
  kMisaligned = 202,
  kWrongSpace = 203,
  kOutOfBounds = 204,
  kOverlap = 205,
  kBadShape = 206,
  kUselessDepth = 207,
  // Types.
  kTypeMix = 301,
  kTypeUnsupported = 302,
  // Fields of the instruction words.
  kCountRange = 401,
  kStrideRange = 402,
  kBadField = 403,
  // Declaration and surroundings.
  kUnknownName = 501,
  kBadDeclaration = 502,
  kBadShapeSetting = 503,
  kException = 504,
  kWrongVerb = 505,
  // Found by the compiler's own checks.
  kVerifier = 901,
};

/// What the manual says about a number.
struct MistakeInfo {
  Mistake number;
  std::string_view title;
  std::string_view remedy;
};
std::span<const MistakeInfo> allMistakes();

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
  bool empty() const { return messages_.empty(); }
  const std::vector<Message> &messages() const { return messages_; }
  /// All, a line each.
  std::string text() const;

private:
  std::vector<Message> messages_;
  size_t dropped_ = 0;
};

} // namespace kiln::tik
