// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/kernel_measurer.h"

#include "tik_dsl/builder/knob_space.h"
#include "tik_dsl/builder/knobs.h"
#include "tik_dsl/testing/test_operator.h"
#include "tools/engine/engine_runner.h"

#include <memory>

#include <nlohmann/json.hpp>

namespace kiln::tools {
namespace {

using tuning::Measurement;

/// What a worker process keeps from trial to trial.
class Worker {
public:
  explicit Worker(const KernelTask &task) : task_(task) {}

  Measurement measure(const std::string &settingText, uint64_t abortAbove) {
    Result<Measurement> measured = tryMeasure(settingText, abortAbove);
    if (measured) {
      return std::move(*measured);
    }
    return {.code = measured.status().code(),
            .message = measured.status().message()};
  }

private:
  // The compiler's context keeps every constant it has seen.
  static constexpr uint32_t kKernelsPerCompiler = 256;

  Result<Measurement> tryMeasure(const std::string &text, uint64_t abortAbove) {
    KILN_ASSIGN_OR_RETURN(tuning::Setting setting,
                          tuning::parseSetting(*task_.space, text));
    KILN_ASSIGN_OR_RETURN(
        tik::BoundShape shape,
        task_.op->bind(tik::withSetting(task_.shape, *task_.space, setting)));
    if (built_++ % kKernelsPerCompiler == 0) {
      compiler_ = std::make_unique<tik::OperatorCompiler>();
    }
    if (knobs_.empty()) { // those of one shape, whatever the setting
      tik::MessageList messages;
      KILN_ASSIGN_OR_RETURN(knobs_, tik::knobsOf(*task_.op, shape, *task_.arch,
                                                 task_.cores, messages));
    }
    KILN_ASSIGN_OR_RETURN(
        tik::CompiledKernel kernel,
        compiler_->compile(
            *task_.op, shape,
            {.arch = task_.arch, .cores = task_.cores, .knobs = &knobs_}));
    return time(kernel, shape, abortAbove);
  }

  Result<Measurement> time(const tik::CompiledKernel &kernel,
                           const tik::BoundShape &shape, uint64_t abortAbove) {
    Result<tik::RunReport> report = run(kernel, shape, abortAbove, true);
    if (!report && report.status().code() == StatusCode::kDeviceFault) {
      report = run(kernel, shape, abortAbove, false);
    }
    if (!report && report.status().code() == StatusCode::kBudgetExceeded &&
        abortAbove != 0) {
      return Measurement{.code = StatusCode::kBudgetExceeded,
                         .message = "stopped",
                         .cycles = abortAbove};
    }
    if (!report) {
      return report.status();
    }
    return Measurement{.cycles = report->kernelCycles,
                       .lowerBound =
                           tik::boundOf(shape, *report, *task_.arch).cycles};
  }

  Result<tik::RunReport> run(const tik::CompiledKernel &kernel,
                             const tik::BoundShape &shape, uint64_t budget,
                             bool dataOff) {
    auto bindings = tik::zeroBindings(shape, kernel);
    EngineRunner runner(*task_.arch);
    return runner.run({.kernel = &kernel,
                       .bindings = &bindings,
                       .constants = shape.constants,
                       .cores = task_.cores,
                       .order = tik::RunOrder::kCycle,
                       .dataOff = dataOff,
                       .budget = budget});
  }

  KernelTask task_;
  std::unique_ptr<tik::OperatorCompiler> compiler_;
  uint32_t built_ = 0;
  std::vector<tik::KnobDecl> knobs_;
};

tuning::ProcessPool::Handler handlerOf(const KernelTask &task) {
  auto worker = std::make_shared<Worker>(task);
  return [worker](const std::string &text) {
    const nlohmann::json request = nlohmann::json::parse(text);
    const Measurement m = worker->measure(request["setting"], request["abort"]);
    return nlohmann::json({{"code", static_cast<int>(m.code)},
                           {"message", m.message},
                           {"cycles", m.cycles},
                           {"bound", m.lowerBound}})
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
}

} // namespace

KernelMeasurer::KernelMeasurer(const KernelTask &task,
                               tuning::PoolOptions options)
    : space_(*task.space), pool_(handlerOf(task), options) {}

void KernelMeasurer::submit(size_t trial, const tuning::Setting &setting,
                            uint64_t abortAbove) {
  const nlohmann::json request = {
      {"setting", tuning::settingText(space_, setting)}, {"abort", abortAbove}};
  pool_.submit(trial, request.dump());
}

Result<tuning::Finished> KernelMeasurer::next() {
  KILN_ASSIGN_OR_RETURN(tuning::ProcessPool::Answer answer, pool_.next());
  tuning::Finished finished{.trial = answer.id, .measurement = {}};
  Measurement &m = finished.measurement;
  if (!answer.status) {
    m.code = answer.status.code();
    m.message = answer.status.message();
    return finished;
  }
  const nlohmann::json json = nlohmann::json::parse(answer.text);
  m.code = static_cast<StatusCode>(json["code"].get<int>());
  m.message = json["message"];
  m.cycles = json["cycles"];
  m.lowerBound = json["bound"];
  return finished;
}

} // namespace kiln::tools
