// SPDX-License-Identifier: Apache-2.0
//
// `kiln test-op`: a one-file operator over its shapes, orders and checks.
#include "tik_dsl/testing/test_operator.h"
#include "tools/engine/engine_runner.h"
#include "tools/kiln/cycle_report.h"
#include "tools/kiln/sim_data.h"
#include "tools/kiln/verbs.h"

#include <fmt/format.h>

namespace kiln::tools {
namespace {

struct Options {
  std::string file;
  std::string machine = "k1";
  std::string device;
  std::vector<std::string> shapes;
  uint32_t cores = 1;
  uint64_t seed = 1;
};

/// The folder that holds tik_dsl/api: PREFIX/include when installed, the
/// repository when run from its build folder.
Result<std::filesystem::path> includeFolder() {
  std::error_code error;
  std::filesystem::path program =
      std::filesystem::read_symlink("/proc/self/exe", error);
  std::filesystem::path prefix = program.parent_path().parent_path();
  for (const auto &folder : {prefix / "include", prefix.parent_path()}) {
    if (std::filesystem::exists(folder / "tik_dsl/api/tik.h", error)) {
      return folder;
    }
  }
  return Status(StatusCode::kUnsupported,
                "the DSL's headers (tik_dsl/api) are neither in " +
                    (prefix / "include").string() + " nor in " +
                    prefix.parent_path().string() +
                    "; run the installed program or that of the build folder");
}

/// A number, or an element type by name for an attribute that is one.
Result<int64_t> parseSetting(const std::string &text) {
  for (int64_t type = 0; type < 8; ++type) {
    if (text == isa::kElementTypeNames[type]) {
      return type;
    }
  }
  KILN_ASSIGN_OR_RETURN(uint64_t value, parseNumber(text, "--shape"));
  return static_cast<int64_t>(value);
}

/// "M=1024,N=512,out=f16".
Result<tik::ShapeCase> parseShapeCase(const std::string &text) {
  tik::ShapeCase shape;
  size_t start = 0;
  while (start <= text.size()) {
    size_t comma = std::min(text.find(',', start), text.size());
    std::string part = text.substr(start, comma - start);
    size_t equals = part.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Status(StatusCode::kInvalidArgument,
                    "--shape " + text + ": expected NAME=N,NAME=N");
    }
    KILN_ASSIGN_OR_RETURN(int64_t value, parseSetting(part.substr(equals + 1)));
    shape.settings.emplace_back(part.substr(0, equals), value);
    start = comma + 1;
  }
  return shape;
}

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
  json["max_abs"] = shape.comparison.maxAbs;
  json["max_ulp"] = shape.comparison.maxUlp;
  return json;
}

Status testOp(const Context &context, const Options &options) {
  KILN_ASSIGN_OR_RETURN(isa::ArchSpec machine,
                        isa::loadArchSpec(options.machine));
  EngineRunner runner(machine);
  tik::TestOptions test;
  KILN_ASSIGN_OR_RETURN(test.load.includeDir, includeFolder());
  test.arch = &machine;
  test.runner = &runner;
  test.cores = options.cores;
  test.seed = options.seed;
  test.functional = options.device != "npu:cycle";
  test.cycle = options.device != "npu:functional";
  for (const std::string &text : options.shapes) {
    KILN_ASSIGN_OR_RETURN(tik::ShapeCase shape, parseShapeCase(text));
    test.shapes.push_back(std::move(shape));
  }
  std::unique_ptr<Progress> progress;
  test.progress = [&](size_t index, size_t count, const std::string &shape) {
    if (!progress) {
      progress = std::make_unique<Progress>("test-op", count);
    }
    progress->update(index, shape);
  };
  Result<tik::OperatorReport> report =
      tik::testOperator(std::filesystem::path(options.file), test);
  progress.reset();
  if (!report) {
    return report.status();
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
  context.print(tik::toText(*report), {{"operator", report->name},
                                       {"file", report->file},
                                       {"passed", report->passed()},
                                       {"device", device},
                                       {"machine", machine.name},
                                       {"machine_hash", machine.hash},
                                       {"compile_s", report->compileSeconds},
                                       {"shapes", shapes},
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
  verb->add_option("--machine", options->machine, "name or machine file");
  verb->add_option("--device", options->device,
                   "only npu:functional or npu:cycle (default: both)")
      ->check(CLI::IsMember({"npu:functional", "npu:cycle"}));
  verb->add_option("--cores", options->cores, "cores that take part")
      ->check(CLI::PositiveNumber);
  verb->add_option("--seed", options->seed, "of the random inputs");
  verb->callback([&context, options] {
    context.action = [&context, options] { return testOp(context, *options); };
  });
}

} // namespace kiln::tools
