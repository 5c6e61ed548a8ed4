// SPDX-License-Identifier: Apache-2.0
//
// `kiln tune`: the best setting of an operator's knobs for a shape.
#include "compiler/tuning/legal_settings.h"
#include "compiler/tuning/search.h"
#include "tik_dsl/builder/knob_space.h"
#include "tik_dsl/loader/operator_file.h"
#include "tik_dsl/testing/test_operator.h"
#include "tools/engine/engine_runner.h"
#include "tools/engine/operator_guard.h"
#include "tools/kiln/cycle_report.h"
#include "tools/kiln/kernel_measurer.h"
#include "tools/kiln/operator_options.h"
#include "tools/kiln/tuning_records.h"
#include "tools/kiln/verbs.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <unistd.h>

namespace kiln::tools {
namespace {

// Best settings that are run again with data.
constexpr size_t kRechecked = 3;

struct Options {
  std::string op;
  std::string shape;
  std::string machine = "k1";
  std::string records;
  uint32_t cores = 1, jobs = 0, timeout = 60;
  uint64_t trials = 0, seed = 1;
  bool exhaustive = false;
};

/// What is tuned, and with what.
struct Job {
  isa::ArchSpec machine;
  tik::OperatorFile file;
  tik::ShapeCase shape;
  std::string title; // "softmax R=256 C=512"
  tuning::SearchSpace space;
  std::filesystem::path recordsFile;
};

struct Outcome {
  tuning::SearchResult found;
  uint64_t measured = 0, fromRecords = 0;
  double seconds = 0;
  size_t best = 0, rechecked = 0;
  tik::Bound bound{};
  std::vector<std::string> wrong; // settings that do not compute right
};

Result<Job> prepare(const Options &options) {
  Job job;
  KILN_ASSIGN_OR_RETURN(job.machine, isa::loadArchSpec(options.machine));
  tik::LoadOptions load{.watch = &operatorGuard()};
  KILN_ASSIGN_OR_RETURN(load.includeDir, includeFolder());
  KILN_ASSIGN_OR_RETURN(job.file, tik::OperatorFile::load(options.op, load));
  const tik::OperatorDecl &decl = job.file.op().decl();
  if (!options.shape.empty()) {
    KILN_ASSIGN_OR_RETURN(job.shape, parseShapeCase(options.shape));
  } else if (!decl.cases.empty()) {
    job.shape = decl.cases.front();
  }
  KILN_ASSIGN_OR_RETURN(tik::BoundShape bound, job.file.op().bind(job.shape));
  job.title = decl.name + " " + bound.text;
  KILN_ASSIGN_OR_RETURN(
      job.space,
      tik::searchSpace(job.file.op(), job.shape, job.machine, options.cores));
  if (job.space.knobs.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  options.op + ": '" + decl.name +
                      "' declares no knobs, so there is nothing to tune");
  }
  if (options.records.empty()) {
    KILN_ASSIGN_OR_RETURN(job.recordsFile, defaultRecordsFile());
  } else {
    job.recordsFile = options.records;
  }
  return job;
}

/// A bar on a terminal; else a line for the first trial and each better one.
class TrialDisplay {
public:
  explicit TrialDisplay(const tuning::SearchSpace &space) : space_(space) {}

  void show(const tuning::SearchProgress &p) {
    if (!bar_) {
      bar_ = std::make_unique<Progress>("tune", p.total);
    }
    const std::string best =
        p.best != nullptr ? fmt::format("best {}", p.best->measurement.cycles)
                          : "none works yet";
    bar_->update(p.done, best);
    if (p.best == p.last && ::isatty(STDERR_FILENO) == 0) {
      fmt::print(stderr, "tune: trial {} of {}: {} cycles, {}\n", p.done,
                 p.total, p.best->measurement.cycles,
                 tuning::settingText(space_, p.best->setting));
    }
  }

private:
  const tuning::SearchSpace &space_;
  std::unique_ptr<Progress> bar_;
};

/// Runs a setting with data on the cycle engine and compares: the cycles with
/// those of the trial, the results with the reference. Empty: all right.
Result<std::string> recheck(const Options &options, const Job &job,
                            const tuning::Trial &trial, tik::Bound &bound) {
  EngineRunner runner(job.machine);
  tik::TestOptions test;
  test.arch = &job.machine;
  test.runner = &runner;
  test.cores = options.cores;
  test.functional = false;
  test.settings = 0;
  test.shapes = {tik::withSetting(job.shape, job.space, trial.setting)};
  KILN_ASSIGN_OR_RETURN(tik::OperatorReport report,
                        tik::testOperator(job.file.op(), test));
  const tik::ShapeReport &shape = report.shapes.front();
  bound = shape.bound;
  if (!shape.problems.empty()) {
    return shape.problems.front();
  }
  if (shape.cycle.kernelCycles != trial.measurement.cycles) {
    return fmt::format("with data it takes {} cycles, without {}",
                       shape.cycle.kernelCycles, trial.measurement.cycles);
  }
  return std::string();
}

/// The best trials in turn, until some are right; one that is wrong is
/// recorded as failed, so that nobody takes it.
Status recheckBest(const Options &options, const Job &job,
                   tuning::Records &records, int64_t task, Outcome &outcome) {
  const std::vector<tuning::Trial> &trials = outcome.found.trials;
  std::vector<size_t> order;
  for (size_t i = 0; i < trials.size(); ++i) {
    if (trials[i].measurement.code == StatusCode::kOk) {
      order.push_back(i);
    }
  }
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(trials[a].measurement.cycles, a) <
           std::pair(trials[b].measurement.cycles, b);
  });
  for (size_t i : order) {
    if (outcome.rechecked == kRechecked) {
      break;
    }
    tik::Bound bound;
    KILN_ASSIGN_OR_RETURN(std::string problem,
                          recheck(options, job, trials[i], bound));
    const std::string text = tuning::settingText(job.space, trials[i].setting);
    if (!problem.empty()) {
      outcome.wrong.push_back(text + ": " + problem);
      KILN_RETURN_IF_ERROR(records.add(
          task, text, {.code = StatusCode::kMismatch, .message = problem}));
    } else if (outcome.rechecked++ == 0) {
      outcome.best = i;
      outcome.bound = bound;
    }
  }
  return Status::ok();
}

Status noneWorks(const Job &job, const Outcome &outcome) {
  const tuning::Measurement &first = outcome.found.trials.front().measurement;
  return Status(StatusCode::kMismatch,
                fmt::format("{}: none of {} settings works; the first: {}",
                            job.title, outcome.found.trials.size(),
                            outcome.wrong.empty() ? first.message
                                                  : outcome.wrong.front()));
}

Result<Outcome> runSearch(const Options &options, const Job &job) {
  const tik::Operator &op = job.file.op();
  KILN_ASSIGN_OR_RETURN(tuning::Records records,
                        tuning::Records::open(job.recordsFile));
  KILN_ASSIGN_OR_RETURN(tuning::TaskKey key,
                        taskKey(op, job.shape, job.machine, options.cores));
  KILN_ASSIGN_OR_RETURN(int64_t task,
                        records.task({.key = key, .title = job.title}));
  const tuning::PoolOptions pool{.workers = options.jobs,
                                 .timeoutSeconds = options.timeout};
  KernelMeasurer kernels({.op = &op,
                          .shape = job.shape,
                          .space = &job.space,
                          .arch = &job.machine,
                          .cores = options.cores},
                         pool);
  KILN_ASSIGN_OR_RETURN(
      tuning::RecordedMeasurer measurer,
      tuning::RecordedMeasurer::create(job.space, kernels, records, task));
  auto display = std::make_unique<TrialDisplay>(job.space);
  tuning::SearchOptions search{.exhaustive = options.exhaustive,
                               .trials = options.trials,
                               .seed = options.seed};
  search.progress = [&](const tuning::SearchProgress &p) { display->show(p); };
  const auto start = std::chrono::steady_clock::now();
  if (tuning::isListed(job.space, options.exhaustive)) {
    KILN_ASSIGN_OR_RETURN(search.legal, tuning::listLegal(job.space, pool));
  }
  Outcome outcome;
  KILN_ASSIGN_OR_RETURN(outcome.found,
                        tuning::search(job.space, measurer, search));
  const std::chrono::duration<double> took =
      std::chrono::steady_clock::now() - start;
  display.reset();
  outcome.seconds = took.count();
  outcome.measured = measurer.measured();
  outcome.fromRecords = measurer.fromRecords();
  KILN_RETURN_IF_ERROR(recheckBest(options, job, records, task, outcome));
  if (outcome.rechecked == 0) {
    return noneWorks(job, outcome);
  }
  return outcome;
}

uint64_t countOf(const Outcome &outcome, bool stopped) {
  uint64_t count = 0;
  for (const tuning::Trial &trial : outcome.found.trials) {
    const StatusCode code = trial.measurement.code;
    count += stopped ? code == StatusCode::kBudgetExceeded
                     : code != StatusCode::kOk &&
                           code != StatusCode::kBudgetExceeded;
  }
  return count;
}

/// The trial of the defaults; null where they are not legal together. Every
/// search starts with them.
const tuning::Trial *defaultTrial(const Job &job, const Outcome &outcome) {
  const tuning::Trial &first = outcome.found.trials.front();
  Result<tuning::Setting> defaults = tuning::parseSetting(job.space, "");
  return first.setting == *defaults ? &first : nullptr;
}

std::string gainText(const tuning::Trial *standard, uint64_t best) {
  if (standard == nullptr) {
    return "the defaults are not legal together";
  }
  const tuning::Measurement &m = standard->measurement;
  if (m.code != StatusCode::kOk) {
    return "the default does not work: " + m.message;
  }
  return fmt::format("{:.1f} % fewer cycles",
                     100 - 100.0 * static_cast<double>(best) /
                               static_cast<double>(m.cycles));
}

/// A line for each of the first failed trials.
std::string failuresText(const Job &job, const Outcome &outcome) {
  constexpr int kMost = 5;
  int count = 0;
  std::string text;
  for (const tuning::Trial &trial : outcome.found.trials) {
    const tuning::Measurement &m = trial.measurement;
    if (m.code != StatusCode::kOk && m.code != StatusCode::kBudgetExceeded &&
        count++ < kMost) {
      text +=
          fmt::format("failed: {}: {}\n",
                      tuning::settingText(job.space, trial.setting), m.message);
    }
  }
  return text;
}

std::string toText(const Options &options, const Job &job,
                   const Outcome &outcome) {
  const tuning::SearchResult &found = outcome.found;
  const tuning::Trial &best = found.trials[outcome.best];
  const tuning::Trial *standard = defaultTrial(job, outcome);
  auto row = [&](const char *name, const tuning::Trial &trial) {
    return fmt::format("{:<12}{:>10}  {}\n", name, trial.measurement.cycles,
                       tuning::settingText(job.space, trial.setting));
  };
  std::string text = fmt::format("{} on {}, {} core{}\n\n{:<12}{:>10}  knobs\n",
                                 job.title, job.machine.name, options.cores,
                                 options.cores == 1 ? "" : "s", "", "cycles");
  text += row("best", best);
  text += standard != nullptr ? row("default", *standard) : "";
  text += fmt::format("{:<12}{:>10}  {}; the best reaches {:.1f} %\n", "bound",
                      outcome.bound.cycles, outcome.bound.by,
                      100 * outcome.bound.share);
  text += fmt::format("{:<12}{}\n\n", "gain",
                      gainText(standard, best.measurement.cycles));
  const uint64_t tried = found.trials.size();
  text += found.legal > 0
              ? fmt::format("tried {} of {} legal settings ({:.1f} %)", tried,
                            found.legal,
                            100.0 * static_cast<double>(tried) /
                                static_cast<double>(found.legal))
              : fmt::format("tried {} of {} combinations", tried,
                            job.space.combinations());
  text += fmt::format(
      ": {} measured in {:.1f} s ({:.0f} per second), {} from "
      "records, {} stopped early, {} failed\n",
      outcome.measured, outcome.seconds,
      static_cast<double>(outcome.measured) / std::max(outcome.seconds, 1e-3),
      outcome.fromRecords, countOf(outcome, true), countOf(outcome, false));
  text += fmt::format("{} best run again with data: same cycles, results "
                      "right\n",
                      outcome.rechecked);
  text += failuresText(job, outcome);
  for (const std::string &wrong : outcome.wrong) {
    text += "wrong: " + wrong + "\n";
  }
  return text + "records: " + job.recordsFile.string() + "\n";
}

nlohmann::json trialJson(const Job &job, const tuning::Trial &trial) {
  nlohmann::json json = {
      {"knobs", tuning::settingText(job.space, trial.setting)},
      {"kernel_cycles", trial.measurement.cycles}};
  if (trial.measurement.code != StatusCode::kOk) {
    json["problem"] = trial.measurement.message;
  }
  return json;
}

nlohmann::json toJson(const Options &options, const Job &job,
                      const Outcome &outcome) {
  const tuning::SearchResult &found = outcome.found;
  const tuning::Trial *standard = defaultTrial(job, outcome);
  nlohmann::json trials = nlohmann::json::array();
  for (const tuning::Trial &trial : found.trials) {
    trials.push_back(trialJson(job, trial));
  }
  return {{"operator", job.file.op().decl().name},
          {"shape", job.title},
          {"machine", job.machine.name},
          {"machine_hash", job.machine.hash},
          {"cores", options.cores},
          {"best", trialJson(job, found.trials[outcome.best])},
          {"default",
           standard != nullptr ? trialJson(job, *standard) : nlohmann::json()},
          {"bound",
           {{"by", outcome.bound.by},
            {"cycles", outcome.bound.cycles},
            {"share", outcome.bound.share}}},
          {"legal", found.legal},
          {"combinations", job.space.combinations()},
          {"trials", trials},
          {"measured", outcome.measured},
          {"from_records", outcome.fromRecords},
          {"stopped", countOf(outcome, true)},
          {"failed", countOf(outcome, false)},
          {"rechecked", outcome.rechecked},
          {"wrong", outcome.wrong},
          {"records", job.recordsFile.string()},
          {"search_s", outcome.seconds},
          {"host_cpu_s", hostCpuSeconds()}};
}

Status tune(const Context &context, const Options &options) {
  KILN_ASSIGN_OR_RETURN(Job job, prepare(options));
  KILN_ASSIGN_OR_RETURN(Outcome outcome, runSearch(options, job));
  context.print(toText(options, job, outcome), toJson(options, job, outcome));
  if (!outcome.wrong.empty()) {
    return Status(StatusCode::kMismatch,
                  job.title + ": " + outcome.wrong.front());
  }
  return Status::ok();
}

} // namespace

void addTune(CLI::App &app, Context &context) {
  CLI::App *verb = addVerb(app, context, "tune",
                           "find the best knobs of an operator for a shape",
                           "kiln tune --op tik_dsl/examples/02_matmul.cpp "
                           "--shape M=256,N=256,K=256");
  auto options = std::make_shared<Options>();
  verb->add_option("--op", options->op, "operator (.cpp), or a plugin (.so)")
      ->required();
  verb->add_option("--shape", options->shape,
                   "NAME=N,NAME=N (default: the first declared shape)");
  verb->add_option("--machine", options->machine, "name or machine file");
  verb->add_option("--cores", options->cores, "cores that take part")
      ->check(atLeastOne());
  verb->add_option("--trials", options->trials,
                   "settings to try (default: a tenth of the legal ones, at "
                   "most 128)")
      ->check(atLeastOne());
  verb->add_flag("--exhaustive", options->exhaustive, "try every legal one");
  verb->add_option("--records", options->records,
                   "file of all trials (default: "
                   "$XDG_DATA_HOME/kiln/tune.db)");
  verb->add_option("--jobs", options->jobs,
                   "worker processes (default: hardware threads)")
      ->check(atLeastOne());
  verb->add_option("--timeout", options->timeout, "seconds for one trial")
      ->check(atLeastOne());
  verb->add_option("--seed", options->seed, "of the search");
  setAction(*verb, context, options, tune);
}

} // namespace kiln::tools
