// SPDX-License-Identifier: Apache-2.0
//
// `kiln conformance`: every ONNX node test below a folder on one device. Each
// test runs in a process of its own, so that a crash is a result.
#include "tools/io/file.h"
#include "tools/kiln/conformance_worker.h"
#include "tools/kiln/verbs.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

struct Options {
  std::string folder, classes, filter;
  ConformanceSettings settings;
  uint32_t jobs = 1;
  bool all = false;
};

/// The shared classification: class per test, and the wrong expectations.
struct Classes {
  std::map<std::string, std::string> ofTest; // "node/test_x" -> "plain"
  std::set<std::string> wrong, random;
};

Result<Classes> loadClasses(const std::string &file) {
  Classes classes;
  if (file.empty()) {
    return classes;
  }
  KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, readFile(file));
  nlohmann::json json = nlohmann::json::parse(bytes, nullptr, false);
  if (json.is_discarded() || !json.contains("classes")) {
    return Status(StatusCode::kCorrupt, file + ": no test classes in it");
  }
  for (const auto &[group, tests] : json["classes"].items()) {
    for (const auto &[name, kind] : tests.items()) {
      // Names of the group "other" carry their folder already.
      std::string key = group == "other" ? name : group + "/" + name;
      classes.ofTest[key] = kind.get<std::string>();
    }
  }
  for (const std::string &name :
       json.value("wrong_expectation", std::vector<std::string>{})) {
    classes.wrong.insert(name);
  }
  for (const std::string &name :
       json.value("random", std::vector<std::string>{})) {
    classes.random.insert(name);
  }
  return classes;
}

/// "node/test_add" for .../node/test_add.
std::string testName(const std::filesystem::path &folder) {
  return folder.parent_path().filename().string() + "/" +
         folder.filename().string();
}

std::vector<std::filesystem::path>
testFolders(const std::filesystem::path &root, const std::string &filter) {
  std::vector<std::filesystem::path> folders;
  std::error_code error;
  for (const auto &entry :
       std::filesystem::recursive_directory_iterator(root, error)) {
    std::filesystem::path folder = entry.path().parent_path();
    if (entry.path().filename() == "model.onnx" &&
        testName(folder).find(filter) != std::string::npos) {
      folders.push_back(folder);
    }
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

struct Counts {
  uint64_t pass = 0, unsupported = 0, fail = 0, knownWrong = 0;
};

void classify(const Classes &classes, ConformanceResult &result,
              Counts &counts) {
  if (classes.random.contains(result.name) && result.status == "fail") {
    result.status = "unsupported";
    result.reason = "random outputs cannot be compared";
  }
  if (result.status == "pass") {
    ++counts.pass;
  } else if (result.status == "unsupported") {
    ++counts.unsupported;
  } else {
    ++counts.fail;
    if (classes.wrong.contains(result.name)) {
      ++counts.knownWrong;
      result.reason =
          "the stored expectation is known to be wrong; " + result.reason;
    }
  }
}

void addRow(const Options &options, const Classes &classes,
            const ConformanceResult &r, std::string &text,
            nlohmann::json &tests) {
  nlohmann::json row = {{"name", r.name},
                        {"status", r.status},
                        {"reason", r.reason},
                        {"tier", r.tier},
                        {"max_ulp", r.maxUlp}};
  if (auto at = classes.ofTest.find(r.name); at != classes.ofTest.end()) {
    row["class"] = at->second;
  }
  tests.push_back(std::move(row));
  if (options.all || r.status == "fail") {
    std::string note = r.reason.substr(0, r.reason.find('\n'));
    text += fmt::format("{:11} {:60} {:8} {}\n", r.status, r.name, r.tier,
                        r.status == "pass" ? fmt::format("{:.0f} ULP", r.maxUlp)
                                           : note);
  }
}

/// Unsupported tests by reason, the most frequent first.
std::string reasonTable(const std::vector<ConformanceResult> &results) {
  std::map<std::string, uint64_t> reasons;
  for (const ConformanceResult &r : results) {
    if (r.status == "unsupported") {
      ++reasons[summarizeReason(r.reason)];
    }
  }
  std::vector<std::pair<std::string, uint64_t>> sorted(reasons.begin(),
                                                       reasons.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto &a, const auto &b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  std::string text = sorted.empty() ? "" : "unsupported, by reason:\n";
  for (size_t i = 0; i < std::min<size_t>(sorted.size(), 20); ++i) {
    text += fmt::format("  {:5} {}\n", sorted[i].second, sorted[i].first);
  }
  return text;
}

Status conformance(const Context &context, const Options &options) {
  KILN_ASSIGN_OR_RETURN(Classes classes, loadClasses(options.classes));
  std::vector<std::filesystem::path> folders =
      testFolders(options.folder, options.filter);
  if (folders.empty()) {
    return {StatusCode::kInvalidArgument,
            "no folder with a model.onnx below " + options.folder};
  }
  Progress progress("conformance", folders.size());
  uint64_t done = 0;
  std::vector<ConformanceResult> results = runInProcesses(
      folders, options.settings, options.jobs,
      [&](const std::string &name) { progress.update(++done, name); });
  Counts counts;
  std::string text;
  nlohmann::json tests = nlohmann::json::array();
  for (size_t i = 0; i < results.size(); ++i) {
    results[i].name = testName(folders[i]);
    classify(classes, results[i], counts);
    addRow(options, classes, results[i], text, tests);
  }
  text += reasonTable(results);
  text += fmt::format("{} pass, {} unsupported, {} fail ({} of them a known "
                      "wrong expectation) on {}\n",
                      counts.pass, counts.unsupported, counts.fail,
                      counts.knownWrong, options.settings.device.device);
  context.print(text, {{"summary",
                        {{"pass", counts.pass},
                         {"unsupported", counts.unsupported},
                         {"fail", counts.fail},
                         {"known_wrong_expectation", counts.knownWrong}}},
                       {"device", options.settings.device.device},
                       {"tests", tests}});
  if (counts.fail > counts.knownWrong) {
    return {StatusCode::kMismatch,
            fmt::format("{} tests fail", counts.fail - counts.knownWrong)};
  }
  return Status::ok();
}

} // namespace

void addConformance(CLI::App &app, Context &context) {
  CLI::App *verb = addVerb(app, context, "conformance",
                           "run every ONNX node test below a folder",
                           "kiln conformance node/ --device cpu --json");
  auto options = std::make_shared<Options>();
  verb->add_option("folder", options->folder, "folder of node tests")
      ->required();
  verb->add_option("--classes", options->classes,
                   "classification of the tests (JSON)");
  verb->add_option("--filter", options->filter, "only names containing this");
  verb->add_option("--jobs", options->jobs, "tests at the same time")
      ->check(atLeastOne());
  verb->add_option("--timeout", options->settings.timeoutSeconds,
                   "seconds per test");
  verb->add_flag("--all", options->all, "list every test, not only failures");
  addDeviceOptions(*verb, options->settings.device);
  verb->add_option("--precision", options->settings.precision, "strict or fp16")
      ->check(CLI::IsMember({"strict", "fp16"}));
  setAction(*verb, context, options, conformance);
}

} // namespace kiln::tools
