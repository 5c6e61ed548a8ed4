// SPDX-License-Identifier: Apache-2.0
//
// `kiln test-op`: a one-file operator over its shapes, orders and checks.
#include "tik_dsl/builder/knobs.h"
#include "tik_dsl/testing/test_operator.h"
#include "tools/engine/device_body_runner.h"
#include "tools/engine/engine_runner.h"
#include "tools/engine/operator_guard.h"
#include "tools/kiln/cycle_report.h"
#include "tools/kiln/operator_options.h"
#include "tools/kiln/tuning_records.h"
#include "tools/kiln/verbs.h"

#include <fmt/format.h>

namespace kiln::tools {
namespace {

struct Options {
  std::string file;
  std::string machine = "k1";
  std::string device;
  std::vector<std::string> shapes;
  std::string knobs;
  std::string records;
  uint32_t settings = tik::TestOptions().settings;
  uint32_t cores = 1;
  uint64_t seed = 1;
};

hal::ProgramReport toProgramReport(const tik::RunReport &report) {
  hal::ProgramReport result;
  result.cores = report.cores;
  result.instructions = report.instructions;
  result.macs = report.macs;
  result.gmReadBytes = report.gmReadBytes;
  result.gmWriteBytes = report.gmWriteBytes;
  if (report.cycles > 0) {
    hal::CycleReport &cycle = result.cycle.emplace();
    cycle.cycles = report.cycles;
    cycle.kernelCycles = report.kernelCycles;
    for (const tik::PipeUse &pipe : report.pipes) {
      cycle.pipes.push_back({pipe.pipe, pipe.busy, pipe.idle, pipe.stalls});
    }
  }
  return result;
}

nlohmann::json shapeJson(const isa::ArchSpec &machine,
                         const std::string &device,
                         const tik::ShapeReport &shape) {
  CycleSummary summary(machine, device);
  summary.add(toProgramReport(shape.cycle), UsefulMacs{shape.usefulMacs});
  nlohmann::json json = summary.json();
  json["useful_mac_share"] = shape.usefulShare;
  json["shape"] = shape.shape;
  json["edge"] = shape.isEdge;
  json["passed"] = shape.problems.empty();
  json["problems"] = shape.problems;
  json["runs"] = shape.runs;
  // Beside the pipe that was busiest: what the shape itself allows.
  json["bound"].update({{"by", shape.bound.by},
                        {"cycles", shape.bound.cycles},
                        {"share", shape.bound.share}});
  json["remarks"] = shape.remarks;
  json["bodies"] = nlohmann::json::array();
  for (const tik::BodyReport &body : shape.bodies) {
    json["bodies"].push_back({{"device", body.device},
                              {"passed", body.passed},
                              {"max_abs", body.comparison.maxAbs},
                              {"max_ulp", body.comparison.maxUlp}});
  }
  json["max_abs"] = shape.comparison.maxAbs;
  json["max_ulp"] = shape.comparison.maxUlp;
  json["of_tolerance"] = shape.comparison.ofTolerance;
  json["tolerances"] = shape.tolerances;
  json["knobs"] = tik::settingText(shape.setting);
  json["settings"] = nlohmann::json::array();
  for (const tik::ShapeReport &drawn : shape.settings) {
    json["settings"].push_back({{"knobs", tik::settingText(drawn.setting)},
                                {"passed", drawn.problems.empty()},
                                {"kernel_cycles", drawn.cycle.kernelCycles}});
  }
  return json;
}

/// Gives every shape the knobs of its record; a line for each.
Result<std::vector<std::string>> applyRecords(const Options &options,
                                              const tik::Operator &op,
                                              tik::TestOptions &test) {
  std::vector<std::string> lines;
  if (options.records.empty()) {
    return lines;
  }
  if (test.shapes.empty()) {
    test.shapes = op.decl().cases;
  }
  for (tik::ShapeCase &shape : test.shapes) {
    KILN_ASSIGN_OR_RETURN(tik::BoundShape bound, op.bind(shape));
    KILN_ASSIGN_OR_RETURN(
        std::optional<Tuned> tuned,
        findTuned(options.records, op, shape, *test.arch, test.cores));
    lines.push_back(bound.text + ": " +
                    (tuned ? "knobs of a record: " + tuned->line
                           : "no record, default knobs"));
    if (tuned) {
      shape.knobs = tuned->knobs;
    }
  }
  return lines;
}

Status testOp(const Context &context, const Options &options) {
  KILN_ASSIGN_OR_RETURN(isa::ArchSpec machine,
                        isa::loadArchSpec(options.machine));
  EngineRunner runner(machine);
  tik::TestOptions test;
  KILN_ASSIGN_OR_RETURN(test.load.includeDir, includeFolder());
  test.load.watch = &operatorGuard();
  test.arch = &machine;
  test.runner = &runner;
  DeviceBodyRunner cpu("cpu"), npu("npu:functional", options.machine);
  test.bodyRunner = &cpu;
  test.npuBodyRunner = &npu;
  test.cores = options.cores;
  test.seed = options.seed;
  test.functional = options.device != "npu:cycle";
  test.cycle = options.device != "npu:functional";
  for (const std::string &text : options.shapes) {
    KILN_ASSIGN_OR_RETURN(tik::ShapeCase shape, parseShapeCase(text));
    test.shapes.push_back(std::move(shape));
  }
  if (!options.knobs.empty()) {
    KILN_ASSIGN_OR_RETURN(test.knobs, parseKnobs(options.knobs));
  }
  test.settings = options.settings;
  std::unique_ptr<Progress> progress;
  test.progress = [&](size_t index, size_t count, const std::string &shape) {
    if (!progress) {
      progress = std::make_unique<Progress>("test-op", count);
    }
    progress->update(index, shape);
  };
  KILN_ASSIGN_OR_RETURN(tik::OperatorFile file,
                        tik::OperatorFile::load(options.file, test.load));
  KILN_ASSIGN_OR_RETURN(std::vector<std::string> records,
                        applyRecords(options, file.op(), test));
  Result<tik::OperatorReport> report = tik::testOperator(file.op(), test);
  progress.reset();
  if (!report) {
    return report.status();
  }
  report->compileSeconds = file.compileSeconds();
  std::string text = tik::toText(*report);
  for (const std::string &line : records) {
    text += "\n" + line + "\n";
  }
  std::string device = options.device.empty() ? "npu:cycle" : options.device;
  nlohmann::json shapes = nlohmann::json::array();
  Status failed;
  for (const tik::ShapeReport &shape : report->shapes) {
    shapes.push_back(shapeJson(machine, device, shape));
    if (failed && !shape.problems.empty()) {
      failed = Status(shape.code, report->name + " at " + shape.shape + ": " +
                                      shape.problems[0]);
    }
  }
  context.print(text, {{"operator", report->name},
                       {"file", report->file},
                       {"passed", report->passed()},
                       {"device", device},
                       {"machine", machine.name},
                       {"machine_hash", machine.hash},
                       {"compile_s", report->compileSeconds},
                       {"shapes", shapes},
                       {"records", records},
                       {"host_cpu_s", hostCpuSeconds()}});
  return failed;
}

} // namespace

void addTestOp(CLI::App &app, Context &context) {
  CLI::App *verb = addVerb(
      app, context, "test-op", "compile a one-file operator and check it",
      "kiln test-op tik_dsl/examples/02_matmul.cpp --shape M=512,N=512,K=512");
  auto options = std::make_shared<Options>();
  verb->add_option("file", options->file, "operator (.cpp), or a plugin (.so)")
      ->required();
  verb->add_option("--shape", options->shapes,
                   "NAME=N,NAME=N instead of the declared shapes");
  verb->add_option("--knobs", options->knobs,
                   "NAME=N,NAME=N: knobs that differ from their defaults");
  verb->add_option("--records", options->records,
                   "of kiln tune: knobs of tuned shapes")
      ->excludes("--knobs");
  verb->add_option("--settings", options->settings,
                   "legal settings of the knobs to draw for each shape");
  verb->add_option("--machine", options->machine, "name or machine file");
  verb->add_option("--device", options->device,
                   "only npu:functional or npu:cycle (default: both)")
      ->check(CLI::IsMember({"npu:functional", "npu:cycle"}));
  verb->add_option("--cores", options->cores, "cores that take part")
      ->check(atLeastOne());
  verb->add_option("--seed", options->seed, "of the random inputs");
  setAction(*verb, context, options, testOp);
}

} // namespace kiln::tools
