// SPDX-License-Identifier: Apache-2.0
//
// The program `kiln`: parses the command line, runs one verb and turns its
// Status into an exit code (runtime.md; listed in --help).
#include "tools/io/interrupt.h"
#include "tools/kiln/verbs.h"

#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

constexpr char kExitCodes[] =
    "Exit codes: 0 ok, 2 usage (unknown name, wrong shape or type),\n"
    "3 unreadable or corrupt file, 4 unsupported, 5 does not fit the machine,\n"
    "6 numeric mismatch, 7 device fault or budget, 70 bug of Kiln,\n"
    "130 interrupted.\n";

const char *codeName(StatusCode code) {
  switch (code) {
  case StatusCode::kOk:
    return "ok";
  case StatusCode::kInvalidArgument:
    return "invalid argument";
  case StatusCode::kCorrupt:
    return "unreadable or corrupt";
  case StatusCode::kUnsupported:
    return "unsupported";
  case StatusCode::kDoesNotFit:
    return "does not fit";
  case StatusCode::kMismatch:
    return "mismatch";
  case StatusCode::kDeviceFault:
    return "device fault";
  case StatusCode::kBudgetExceeded:
    return "budget exceeded";
  case StatusCode::kDeviceLost:
    return "device lost";
  case StatusCode::kCancelled:
    return "cancelled";
  case StatusCode::kInternal:
    return "bug of Kiln";
  }
  return "bug of Kiln";
}

int report(const Status &status, bool json) {
  int code = exitCode(status.code());
  if (status.isOk()) {
    return code;
  }
  if (json && status.code() != StatusCode::kMismatch) {
    nlohmann::json error = {{"error",
                             {{"kind", codeName(status.code())},
                              {"exit", code},
                              {"message", status.message()}}}};
    fmt::print("{}\n", jsonText(error));
  }
  fmt::print(stderr, "kiln: {}: {}\n", codeName(status.code()),
             status.message());
  if (status.code() == StatusCode::kInternal) {
    fmt::print(stderr, "kiln: this is our bug; please report the command and "
                       "its input\n");
  }
  return code;
}

/// What is wrong with the command line, and where its help is.
Status usageError(const CLI::App &app, const CLI::ParseError &error,
                  const std::string &first) {
  auto hasName = [&](const CLI::App *verb) {
    return verb->get_name() == first;
  };
  bool isVerb = !app.get_subcommands(hasName).empty();
  if (!first.empty() && first[0] != '-' && !isVerb) {
    return {StatusCode::kInvalidArgument,
            "no verb '" + first + "'; kiln --help lists them"};
  }
  return {StatusCode::kInvalidArgument,
          fmt::format("{}; see: kiln {}--help", error.what(),
                      isVerb ? first + " " : "")};
}

/// The verb; what it throws becomes the Status that says so.
Status perform(const Context &context) {
  try {
    return context.action ? context.action() : Status::ok();
  } catch (const std::bad_alloc &) {
    return {StatusCode::kDoesNotFit,
            "this computer has not enough memory for it"};
  } catch (const std::filesystem::filesystem_error &e) {
    return {StatusCode::kCorrupt, e.what()};
  } catch (const std::exception &e) {
    return {StatusCode::kInternal, e.what()};
  }
}

int run(int argc, char **argv) {
  CLI::App app("kiln: compile, run and look into models on NPUs", "kiln");
  app.require_subcommand(1);
  app.set_version_flag("--version", versionText);
  app.footer(kExitCodes);
  Context context;
  addDevices(app, context);
  addCompile(app, context);
  addRun(app, context);
  addVerify(app, context);
  addConformance(app, context);
  addSim(app, context);
  addAsm(app, context);
  addDis(app, context);
  addBench(app, context);
  addNewOp(app, context);
  addTestOp(app, context);
  addProfile(app, context);
  addTop(app, context);
  addTune(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &e) {
    return app.exit(e);
  } catch (const CLI::ParseError &e) {
    return report(usageError(app, e, argc > 1 ? argv[1] : ""), context.json);
  }
  return report(perform(context), context.json);
}

/// The exit code; a result that stdout did not take is an output that cannot
/// be written.
int flushed(int code) {
  const bool lost = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (!lost || code != 0) {
    return code;
  }
  return report({StatusCode::kCorrupt, "cannot write the result to stdout"},
                false);
}

} // namespace
} // namespace kiln::tools

int main(int argc, char **argv) {
  kiln::tools::installInterruptHandler();
  try {
    return kiln::tools::flushed(kiln::tools::run(argc, argv));
  } catch (const std::exception &e) {
    fmt::print(stderr,
               "kiln: bug of Kiln: {}; please report the command and "
               "its input\n",
               e.what());
    return 70;
  }
}
