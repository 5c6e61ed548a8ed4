// SPDX-License-Identifier: Apache-2.0
#include "tik_dsl/builder/mistakes.h"

namespace kiln::tik {

namespace {

constexpr MistakeInfo kMistakes[] = {
#define MISTAKE(number, name, title, cause, remedy)                            \
  {Mistake::name, title, cause, remedy},
#include "tik_dsl/builder/mistake_table.inc"
#undef MISTAKE
};

} // namespace

std::span<const MistakeInfo> allMistakes() { return kMistakes; }

std::string mistakeName(Mistake number) {
  return "TIK" + std::to_string(static_cast<uint32_t>(number));
}

std::string manualPage(const MistakeInfo &info) {
  return "# " + mistakeName(info.number) + ": " + std::string(info.title) +
         "\n\n" + std::string(info.cause) +
         "\n\nWhat to do: " + std::string(info.remedy) + ".\n";
}

AuthorLine AuthorLine::of(const KilnTikLine *line) {
  if (line == nullptr || line->file == nullptr) {
    return {};
  }
  return {line->file, line->line, line->column};
}

std::string AuthorLine::text() const {
  return (file.empty() ? std::string("operator") : file) +
         (line > 0 ? ":" + std::to_string(line) : std::string());
}

std::string Message::render() const {
  return at.text() + ": error TIK" + std::to_string(number) + ": " + text;
}

void MessageList::add(uint32_t number, const AuthorLine &at, std::string text) {
  if (messages_.size() == kMost) {
    ++dropped_;
    return;
  }
  messages_.push_back({number, at, std::move(text)});
  if (at.file.empty()) {
    messages_.back().at.file = file_;
  }
}

std::string MessageList::text() const {
  std::string all;
  for (const Message &message : messages_) {
    all += (all.empty() ? "" : "\n") + message.render();
  }
  if (dropped_ > 0) {
    all += "\n(and " + std::to_string(dropped_) + " more)";
  }
  return all;
}

} // namespace kiln::tik
