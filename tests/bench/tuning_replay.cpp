// SPDX-License-Identifier: Apache-2.0
//
// tuning_replay: the search of `kiln tune` on spaces that were measured in
// full, without measuring anything again.
//
//   kiln tune --op 02_matmul.cpp --shape ... --exhaustive --json > a.json
//   kiln_bench_tuning [--seeds N] [--trials N] a.json b.json...
//
// Prints a row per file: legal settings, trials (a tenth of them unless
// --trials says more or less), settings within 2 % of the best, how far above
// the best the searches ended (mean and worst of the seeds), and after how many
// trials they had come within 2 %. Exit 1 when a search ended more than 2 %
// above the best.
#include "compiler/tuning/search.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace kiln::tuning {
namespace {

constexpr double kBar = 1.02;

/// Every legal setting of a space with its cycles; 0: it failed.
struct Table {
  std::string title;
  SearchSpace space;
  std::map<Setting, uint64_t> cycles;
  uint64_t best = UINT64_MAX;

  bool isGood(uint64_t cost) const {
    return cost != 0 &&
           static_cast<double>(cost) <= kBar * static_cast<double>(best);
  }
};

/// "name=value,name=value"; a value that is new is one of its knob's. The
/// first row is the first legal setting, so defaults come first.
Setting addSetting(SearchSpace &space, const std::string &text) {
  Setting setting;
  for (size_t start = 0; start < text.size();) {
    const size_t equals = text.find('=', start);
    const size_t comma = std::min(text.find(',', start), text.size());
    const size_t index = setting.size();
    if (space.knobs.size() == index) {
      space.knobs.push_back({text.substr(start, equals - start), {}});
    }
    setting.push_back(std::stoll(text.substr(equals + 1)));
    std::vector<int64_t> &values = space.knobs[index].values;
    if (std::find(values.begin(), values.end(), setting[index]) ==
        values.end()) {
      values.push_back(setting[index]);
    }
    start = comma + 1;
  }
  return setting;
}

Table load(const std::string &file) {
  std::ifstream in(file);
  const nlohmann::json json = nlohmann::json::parse(in);
  Table table;
  table.title = json.at("shape");
  for (const nlohmann::json &trial : json.at("trials")) {
    const uint64_t cycles = trial.contains("problem")
                                ? 0
                                : trial.at("kernel_cycles").get<uint64_t>();
    table.cycles[addSetting(table.space, trial.at("knobs"))] = cycles;
    table.best = cycles == 0 ? table.best : std::min(table.best, cycles);
  }
  return table;
}

struct Row {
  uint64_t trials = 0;
  double mean = 0, worst = 0; // above the best, as shares of it
  std::vector<uint64_t>
      within{}; // trials until 2 %, per search that came there
};

Row replay(const Table &table, uint64_t trials, uint64_t seeds) {
  SearchSpace space = table.space;
  space.isLegal = [&](const Setting &s) { return table.cycles.contains(s); };
  FunctionMeasurer measurer([&](const Setting &s, uint64_t abortAbove) {
    const uint64_t cycles = table.cycles.at(s);
    return cycles == 0
               ? Measurement{.code = StatusCode::kMismatch, .message = "failed"}
           : abortAbove != 0 && cycles > abortAbove
               ? Measurement{.code = StatusCode::kBudgetExceeded,
                             .cycles = abortAbove}
               : Measurement{.cycles = cycles};
  });
  SearchOptions options{.trials = trials, .legal = space.legalSettings()};
  Row row;
  for (options.seed = 1; options.seed <= seeds; ++options.seed) {
    const Result<SearchResult> found = search(space, measurer, options);
    const auto isGood = [&](const Trial &t) {
      return t.measurement.code == StatusCode::kOk &&
             table.isGood(t.measurement.cycles);
    };
    const auto first =
        std::find_if(found->trials.begin(), found->trials.end(), isGood);
    if (first != found->trials.end()) {
      row.within.push_back(
          static_cast<uint64_t>(first - found->trials.begin() + 1));
    }
    const double above =
        found->best ? static_cast<double>(
                          found->trials[*found->best].measurement.cycles) /
                              static_cast<double>(table.best) -
                          1
                    : INFINITY;
    row.trials = found->trials.size();
    row.mean += above / static_cast<double>(seeds);
    row.worst = std::max(row.worst, above);
  }
  std::sort(row.within.begin(), row.within.end());
  return row;
}

int run(uint64_t seeds, uint64_t trials,
        const std::vector<std::string> &files) {
  fmt::print("| kernel and shape | legal | within 2 % | tried | best, cycles | "
             "found is above by, mean | worst | trials to 2 %, middle | most |"
             "\n|---|---|---|---|---|---|---|---|---|\n");
  uint64_t missed = 0;
  double logs = 0;
  for (const std::string &file : files) {
    const Table table = load(file);
    const Row row = replay(table, trials, seeds);
    const auto good =
        std::count_if(table.cycles.begin(), table.cycles.end(),
                      [&](const auto &c) { return table.isGood(c.second); });
    missed += seeds - row.within.size();
    logs += std::log(1 + row.mean);
    fmt::print("| {} | {} | {} | {} ({:.1f} %) | {} | {:.2f} % | {:.2f} % | ",
               table.title, table.cycles.size(), good, row.trials,
               100.0 * static_cast<double>(row.trials) /
                   static_cast<double>(table.cycles.size()),
               table.best, 100 * row.mean, 100 * row.worst);
    fmt::print("{} | {} |\n",
               row.within.empty() ? 0 : row.within[row.within.size() / 2],
               row.within.empty() ? 0 : row.within.back());
  }
  fmt::print("\n{} of {} searches missed; geometric mean {:.3f} % above\n",
             missed, seeds * files.size(),
             100 * (std::exp(logs / static_cast<double>(files.size())) - 1));
  return missed == 0 ? 0 : 1;
}

} // namespace
} // namespace kiln::tuning

int main(int argc, char **argv) {
  uint64_t seeds = 10, trials = 0;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--seeds" && i + 1 < argc) {
      seeds = std::stoull(argv[++i]);
    } else if (argument == "--trials" && i + 1 < argc) {
      trials = std::stoull(argv[++i]);
    } else {
      files.push_back(argument);
    }
  }
  if (files.empty() || seeds == 0) {
    fmt::print(stderr, "usage: kiln_bench_tuning [--seeds N] [--trials N] "
                       "FILE.json...\n");
    return 2;
  }
  return kiln::tuning::run(seeds, trials, files);
}
