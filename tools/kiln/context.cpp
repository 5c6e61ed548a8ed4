// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/context.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

namespace kiln::tools {

std::string jsonText(const nlohmann::json &value) {
  return value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

void Context::print(const std::string &text,
                    const nlohmann::json &value) const {
  if (json) {
    fmt::print("{}\n", jsonText(value));
  } else {
    fmt::print("{}", text);
  }
  std::fflush(stdout);
}

CLI::App *addVerb(CLI::App &app, Context &context, const std::string &name,
                  const std::string &description, const std::string &example) {
  CLI::App *verb = app.add_subcommand(name, description);
  verb->add_flag("--json", context.json, "print one JSON value");
  verb->footer("Example:\n  " + example + "\n");
  return verb;
}

namespace {

/// All of the text as a number.
template <typename T> std::optional<T> numberOf(const std::string &text) {
  T value{};
  const char *last = text.data() + text.size();
  auto [end, error] = std::from_chars(text.data(), last, value);
  const bool whole = error == std::errc() && end == last;
  return whole ? std::optional<T>(value) : std::nullopt;
}

} // namespace

CLI::Validator atLeastOne() {
  auto check = [](const std::string &text) -> std::string {
    std::optional<uint64_t> value = numberOf<uint64_t>(text);
    return value && *value > 0
               ? ""
               : "'" + text + "': expected a whole number of 1 or more";
  };
  return CLI::Validator(check, "POSITIVE");
}

CLI::Validator notNegative() {
  auto check = [](const std::string &text) -> std::string {
    std::optional<double> value = numberOf<double>(text);
    return value && std::isfinite(*value) && *value >= 0
               ? ""
               : "'" + text + "': expected a number from 0";
  };
  return CLI::Validator(check, "NONNEGATIVE");
}

Progress::Progress(std::string title, uint64_t total)
    : title_(std::move(title)), total_(std::max<uint64_t>(total, 1)),
      shown_(::isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (shown_) {
    fmt::print(stderr, "\r\033[K");
  }
}

void Progress::update(uint64_t done, const std::string &what) {
  if (!shown_) {
    return;
  }
  constexpr uint64_t kWidth = 24;
  uint64_t filled = std::min(done, total_) * kWidth / total_;
  fmt::print(stderr, "\r\033[K{} [{:#<{}}{:{}}] {}/{} {}", title_, "", filled,
             "", kWidth - filled, done, total_, what.substr(0, 40));
  std::fflush(stderr);
}

} // namespace kiln::tools
