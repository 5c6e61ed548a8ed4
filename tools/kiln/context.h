// SPDX-License-Identifier: Apache-2.0
//
// What every verb of `kiln` shares: how it is registered and how it talks.
//
//   Status shout(const Context &context, const Options &options);
//   void addShout(CLI::App &app, Context &context) {
//     CLI::App *verb = addVerb(app, context, "shout", "what it does",
//                              "kiln shout hello");
//     auto options = std::make_shared<Options>();
//     verb->add_option("word", options->word, "what to shout")->required();
//     setAction(*verb, context, options, shout);
//   }
//
// A verb prints its result to stdout, once: as text, or as one JSON value
// after --json. Everything else goes to stderr. main() turns the Status into
// the exit code.
#pragma once

#include "isa/support/status.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace kiln::tools {

struct Context {
  bool json = false;
  std::function<Status()> action;

  /// Prints the result in the form the user asked for.
  void print(const std::string &text, const nlohmann::json &json) const;
};

/// Indented; bytes of names and paths that are no UTF-8 become U+FFFD.
std::string jsonText(const nlohmann::json &value);

/// A subcommand with --json, and an example at the end of its help.
CLI::App *addVerb(CLI::App &app, Context &context, const std::string &name,
                  const std::string &description, const std::string &example);

/// Values of an option: a whole number of 1 or more; a finite number from 0.
CLI::Validator atLeastOne();
CLI::Validator notNegative();

/// The verb calls run(context, *options) when the command line is read.
template <typename Options, typename Run>
void setAction(CLI::App &verb, Context &context,
               std::shared_ptr<Options> options, Run run) {
  verb.callback([&context, options, run] {
    context.action = [&context, options, run] {
      return run(context, *options);
    };
  });
}

/// A bar on stderr, only when that is a terminal: "compile [#####     ]
/// conv_7".
class Progress {
public:
  Progress(std::string title, uint64_t total);
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  /// `done` of the total; `what` is being worked on.
  void update(uint64_t done, const std::string &what);

private:
  std::string title_;
  uint64_t total_;
  bool shown_;
};

} // namespace kiln::tools
