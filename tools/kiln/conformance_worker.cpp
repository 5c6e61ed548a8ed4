// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/conformance_worker.h"

#include "tools/kiln/test_data.h"

#include <csignal>
#include <cstring>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kiln::tools {
namespace {

namespace fs = std::filesystem;

// The tolerance of the ONNX backend tests (onnx/backend/test/runner).
constexpr double kRelative = 1e-3;
constexpr double kAbsolute = 1e-7;

Status runDataSet(const fs::path &model, const fs::path &dataSet,
                  const ConformanceSettings &settings,
                  ConformanceResult &result) {
  KILN_ASSIGN_OR_RETURN(NamedTensors inputs, namedInputs(model, dataSet));
  CompileOptions options;
  options.precision = settings.precision;
  KILN_ASSIGN_OR_RETURN(LoadedModel loaded,
                        loadModel(model, inputs, settings.device, options));
  bool npu = targetOf(settings.device.device) == "npu";
  result.tier = npu ? "cube/vector" : targetOf(settings.device.device);
  KILN_ASSIGN_OR_RETURN(NamedTensors outputs, loaded.run(inputs));
  Bound bound{kRelative, kAbsolute, {}};
  KILN_ASSIGN_OR_RETURN(std::vector<OutputCheck> checks,
                        checkOutputs(outputs, dataSet, bound));
  for (const OutputCheck &check : checks) {
    result.maxUlp = std::max(result.maxUlp, check.comparison.maxUlp);
    if (!check.passed) {
      return {StatusCode::kMismatch,
              fmt::format("output '{}': {}", check.name,
                          check.comparison.describe(check.shape))};
    }
  }
  return Status::ok();
}

/// One test, in this process.
ConformanceResult runTest(const fs::path &folder,
                          const ConformanceSettings &settings) {
  ConformanceResult result;
  fs::path model = folder / "model.onnx";
  Result<std::vector<TestCase>> cases = findTestCases(model, {});
  Status status = cases.status();
  if (cases) {
    for (const fs::path &dataSet : cases->at(0).dataSets) {
      status = runDataSet(model, dataSet, settings, result);
      if (!status.isOk()) {
        break;
      }
    }
  }
  if (status.isOk()) {
    result.status = "pass";
  } else if (status.code() == StatusCode::kUnsupported ||
             status.code() == StatusCode::kDoesNotFit) {
    result.status = "unsupported";
    result.tier = "refused";
  }
  result.reason = status.message();
  return result;
}

nlohmann::json toJson(const ConformanceResult &r) {
  return {{"status", r.status},
          {"reason", r.reason},
          {"tier", r.tier},
          {"max_ulp", r.maxUlp}};
}

struct Child {
  pid_t pid = 0;
  int pipe = -1;
  size_t test = 0;
  std::string text;
  time_t deadline = 0;
};

[[noreturn]] void childMain(int pipe, const fs::path &folder,
                            const ConformanceSettings &settings) {
  std::signal(SIGINT, SIG_DFL);
  ConformanceResult result = runTest(folder, settings);
  std::string text = toJson(result).dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
  size_t sent = 0;
  while (sent < text.size()) {
    ssize_t n = ::write(pipe, text.data() + sent, text.size() - sent);
    if (n <= 0) {
      break;
    }
    sent += static_cast<size_t>(n);
  }
  ::_exit(0);
}

Child start(size_t test, const fs::path &folder,
            const ConformanceSettings &settings) {
  int ends[2];
  Child child;
  child.test = test;
  child.deadline = ::time(nullptr) + settings.timeoutSeconds;
  if (::pipe(ends) != 0) {
    return child;
  }
  std::fflush(nullptr);
  child.pid = ::fork();
  if (child.pid == 0) {
    ::close(ends[0]);
    childMain(ends[1], folder, settings);
  }
  ::close(ends[1]);
  child.pipe = ends[0];
  return child;
}

/// What a finished child reported, or how it died.
ConformanceResult collect(const Child &child, bool timedOut) {
  int state = 0;
  ::waitpid(child.pid, &state, 0);
  ::close(child.pipe);
  ConformanceResult result;
  nlohmann::json json = nlohmann::json::parse(child.text, nullptr, false);
  if (timedOut) {
    result.reason = "did not end in time";
  } else if (WIFSIGNALED(state)) {
    result.reason = fmt::format("crashed: {}", strsignal(WTERMSIG(state)));
  } else if (json.is_discarded() || !json.is_object()) {
    result.reason =
        fmt::format("ended with {} and no result", WEXITSTATUS(state));
  } else {
    result.status = json.value("status", "fail");
    result.reason = json.value("reason", "");
    result.tier = json.value("tier", "");
    result.maxUlp = json.value("max_ulp", 0.0);
  }
  return result;
}

/// Reads what is there; true when the child has closed its end.
bool drain(Child &child) {
  char buffer[4096];
  ssize_t n = ::read(child.pipe, buffer, sizeof(buffer));
  if (n > 0) {
    child.text.append(buffer, static_cast<size_t>(n));
  }
  return n == 0 || (n < 0 && errno != EINTR);
}

} // namespace

std::vector<ConformanceResult>
runInProcesses(const std::vector<fs::path> &folders,
               const ConformanceSettings &settings, uint32_t jobs,
               const std::function<void(const std::string &)> &started) {
  std::vector<ConformanceResult> results(folders.size());
  std::vector<Child> running;
  size_t next = 0;
  while (next < folders.size() || !running.empty()) {
    while (running.size() < jobs && next < folders.size()) {
      started(folders[next].filename().string());
      running.push_back(start(next, folders[next], settings));
      ++next;
    }
    std::vector<pollfd> polls;
    for (const Child &child : running) {
      polls.push_back({child.pipe, POLLIN, 0});
    }
    ::poll(polls.data(), polls.size(), 1000);
    for (size_t i = running.size(); i-- > 0;) {
      bool ended = polls[i].revents != 0 && drain(running[i]);
      bool late = ::time(nullptr) > running[i].deadline;
      if (late && !ended) {
        ::kill(running[i].pid, SIGKILL);
      }
      if (ended || late) {
        results[running[i].test] = collect(running[i], late && !ended);
        running.erase(running.begin() + static_cast<long>(i));
      }
    }
  }
  return results;
}

std::string summarizeReason(const std::string &reason) {
  std::string line = reason.substr(0, reason.find('\n'));
  // Paths and node names differ from test to test; what follows them does not.
  size_t onnx = line.find("model.onnx");
  if (onnx != std::string::npos) {
    line = line.substr(onnx + 10);
    line.erase(0, line.find_first_not_of(": "));
  }
  return line.substr(0, 100);
}

} // namespace kiln::tools
