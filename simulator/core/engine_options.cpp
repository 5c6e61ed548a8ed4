// SPDX-License-Identifier: Apache-2.0
#include "simulator/core/engine_options.h"

#include <charconv>

namespace kiln::sim {
namespace {

Status invalid(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

} // namespace

Status setOrder(std::string_view text, LaunchRequest &request) {
  constexpr std::string_view kRandom = "random:";
  if (text == "eager" || text == "lazy") {
    request.order = text == "eager" ? Order::kEager : Order::kLazy;
    return Status::ok();
  }
  if (text.starts_with(kRandom)) {
    std::string_view seed = text.substr(kRandom.size());
    auto [end, error] =
        std::from_chars(seed.data(), seed.data() + seed.size(), request.seed);
    if (error == std::errc() && end == seed.data() + seed.size()) {
      request.order = Order::kRandom;
      return Status::ok();
    }
  }
  return invalid("order '" + std::string(text) +
                 "'; expected eager, lazy or random:SEED");
}

Status setChecks(const std::vector<std::string> &names, Checks &checks) {
  for (const std::string &name : names) {
    bool *check = name == "race"     ? &checks.race
                  : name == "init"   ? &checks.init
                  : name == "bounds" ? &checks.bounds
                  : name == "flags"  ? &checks.flags
                                     : nullptr;
    if (!check) {
      return invalid("check '" + name +
                     "'; expected race, init, bounds or flags");
    }
    *check = true;
  }
  return Status::ok();
}

} // namespace kiln::sim
