// SPDX-License-Identifier: Apache-2.0
//
// `kiln sim`: runs one kernel binary on an engine, without a model.
#include "hal/drivers/npu/launch_report.h"
#include "simulator/core/engine_options.h"
#include "simulator/debug/gdb_server.h"
#include "simulator/trace/perfetto_writer.h"
#include "simulator/trace/trace_recorder.h"
#include "tools/io/file.h"
#include "tools/kiln/cycle_report.h"
#include "tools/kiln/kernel_launch.h"
#include "tools/kiln/verbs.h"

#include <cstdio>
#include <optional>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

struct Options {
  KernelOptions kernel;
  std::string engine = "functional";
  std::string order = "eager";
  std::string trace;
  std::vector<std::string> checks;
  bool noSkip = false;
  unsigned threads = 1;
  std::optional<uint16_t> gdb; // port; 0: a free one
};

Status invalid(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

Status show(const Context &context, const Options &options,
            const KernelLaunch &launch, const sim::LaunchReport &report) {
  CycleSummary summary(*launch.machine, "npu:" + options.engine);
  summary.add(hal::toProgramReport(report, launch.request.blockDim));
  nlohmann::json json = summary.json();
  std::string text = summary.text();
  json["findings"] = nlohmann::json::array();
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    json["commands"][std::string(isa::kPipeNames[p])] = report.commands[p];
  }
  json["printed"] = nlohmann::json::array();
  for (const sim::PrintedLine &line : report.printed) {
    json["printed"].push_back({{"block", line.block}, {"text", line.text}});
    text += fmt::format("[block {}] {}\n", line.block, line.text);
  }
  for (const sim::Finding &finding : report.findings) {
    json["findings"].push_back(finding.text);
    text += finding.text + "\n";
  }
  if (!options.checks.empty() && report.findings.empty()) {
    text += fmt::format("checks {}: nothing found\n",
                        fmt::join(options.checks, ","));
  }
  context.print(text, json);
  if (!report.findings.empty()) {
    return {StatusCode::kDeviceFault,
            fmt::format("{} finding{} of the checks", report.findings.size(),
                        report.findings.size() == 1 ? "" : "s")};
  }
  return Status::ok();
}

/// Waits for gdb, then runs as it says.
Result<sim::LaunchReport> runDebugged(sim::Engine &engine,
                                      const Options &options,
                                      sim::LaunchRequest &request) {
  KILN_ASSIGN_OR_RETURN(sim::GdbServer server,
                        sim::GdbServer::listen(*options.gdb));
  std::string symbols =
      options.kernel.elf.empty() ? options.kernel.program : options.kernel.elf;
  fmt::print(stderr,
             "kiln: waiting for: gdb-multiarch {} -ex 'target remote :{}'\n",
             symbols, server.port());
  std::fflush(stderr);
  KILN_RETURN_IF_ERROR(server.accept());
  request.debug = &server;
  Result<sim::LaunchReport> report = engine.run(request);
  server.exited(report ? 0 : exitCode(report.status().code()));
  if (server.killed()) {
    return Status(StatusCode::kCancelled, "killed by the debugger");
  }
  return report;
}

Status simulate(const Context &context, Options options) {
  KILN_ASSIGN_OR_RETURN(KernelLaunch launch, prepareKernel(options.kernel));
  sim::LaunchRequest &request = launch.request;
  KILN_RETURN_IF_ERROR(sim::setOrder(options.order, request));
  KILN_RETURN_IF_ERROR(sim::setChecks(options.checks, request.checks));
  request.noSkip = options.noSkip;
  request.threads = options.threads;
  bool cycle = options.engine == "cycle";
  auto engine = cycle
                    ? sim::createCycleEngine(*launch.machine, *launch.gm)
                    : sim::createFunctionalEngine(*launch.machine, *launch.gm);
  std::optional<sim::TraceRecorder> recorder;
  if (!options.trace.empty()) {
    if (!cycle) {
      return invalid("--trace needs --engine cycle: only it has a timeline");
    }
    recorder.emplace(*launch.machine, *request.program);
    request.listener = &*recorder;
  }
  Result<sim::LaunchReport> report =
      options.gdb ? runDebugged(*engine, options, request)
                  : engine->run(request);
  if (!report) {
    return report.status();
  }
  if (recorder) {
    sim::PerfettoWriter writer;
    writer.add(recorder->finish(*report), launch.title);
    KILN_RETURN_IF_ERROR(writeFile(options.trace, writer.bytes()));
  }
  KILN_RETURN_IF_ERROR(writeOutputs(options.kernel, launch));
  return show(context, options, launch, *report);
}

} // namespace

void addSim(CLI::App &app, Context &context) {
  CLI::App *verb =
      addVerb(app, context, "sim", "run one kernel binary on an engine",
              "kiln sim vadd.elf --bind 0=a.npy --bind 1=random:f16:7:4096 \\\n"
              "    --bind 2=zeros:f16:4096 --out 2=c.npy --check race,init");
  auto options = std::make_shared<Options>();
  addKernelOptions(*verb, options->kernel);
  verb->add_option("--engine", options->engine, "functional or cycle")
      ->check(CLI::IsMember({"functional", "cycle"}));
  verb->add_option("--order", options->order, "eager, lazy or random:SEED");
  verb->add_option("--check", options->checks, "of race,init,bounds,flags")
      ->delimiter(',');
  verb->add_option("--trace", options->trace,
                   "cycle: write the timeline, for ui.perfetto.dev");
  verb->add_option("--gdb", options->gdb,
                   "wait for gdb-multiarch on this port (0: a free one)");
  verb->add_flag("--no-skip", options->noSkip, "cycle: visit every cycle");
  verb->add_option("--threads", options->threads,
                   "cycle: host threads; data is computed beside the timing")
      ->check(CLI::Range(1, 64));
  setAction(*verb, context, options, simulate);
}

} // namespace kiln::tools
