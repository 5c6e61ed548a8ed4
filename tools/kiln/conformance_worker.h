// SPDX-License-Identifier: Apache-2.0
//
// Runs node tests in child processes: a crash, a hang or exhausted memory of
// one test is its result and nothing else's.
#pragma once

#include "tools/kiln/device.h"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace kiln::tools {

struct ConformanceSettings {
  DeviceChoice device;
  std::string precision = "strict";
  uint32_t timeoutSeconds = 60;
};

struct ConformanceResult {
  std::string name;
  std::string status = "fail"; // pass, unsupported, fail
  std::string reason;
  std::string tier; // where it ran: cpu, cube/vector, refused
  double maxUlp = 0;
};

/// Results in the order of `folders`. `started` is told each test's name.
std::vector<ConformanceResult>
runInProcesses(const std::vector<std::filesystem::path> &folders,
               const ConformanceSettings &settings, uint32_t jobs,
               const std::function<void(const std::string &)> &started);

/// The part of a refusal that many tests share: "operator Foo", ...
std::string summarizeReason(const std::string &reason);

} // namespace kiln::tools
