// SPDX-License-Identifier: Apache-2.0
//
// `kiln sim`: runs one kernel binary on an engine, without a model.
#include "simulator/core/engine.h"
#include "tools/io/file.h"
#include "tools/io/host_tensor.h"
#include "tools/kiln/cycle_report.h"
#include "tools/kiln/sim_data.h"
#include "tools/kiln/sim_trace.h"
#include "tools/kiln/verbs.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace kiln::tools {
namespace {

struct Options {
  std::string program;
  std::string machine = "k1";
  std::string engine = "functional";
  std::string order = "eager";
  std::string trace;
  std::vector<std::string> binds, constants, outs, checks;
  uint32_t blocks = 1, cores = 1;
  uint64_t workspace = 0, budget = 0;
  bool noSkip = false, dataOff = false;
};

Status invalid(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

Status setOrder(const std::string &text, sim::LaunchRequest &request) {
  if (text == "eager") {
    request.order = sim::Order::kEager;
  } else if (text == "lazy") {
    request.order = sim::Order::kLazy;
  } else if (text.starts_with("random:")) {
    KILN_ASSIGN_OR_RETURN(request.seed, parseNumber(text.substr(7), "--order"));
    request.order = sim::Order::kRandom;
  } else {
    return invalid("--order " + text + "; one of eager, lazy, random:SEED");
  }
  return Status::ok();
}

Status setChecks(const std::vector<std::string> &names, sim::Checks &checks) {
  for (const std::string &name : names) {
    if (name == "race") {
      checks.race = true;
    } else if (name == "init") {
      checks.init = true;
    } else if (name == "bounds") {
      checks.bounds = true;
    } else if (name == "flags") {
      checks.flags = true;
    } else {
      return invalid("--check " + name + "; of race, init, bounds, flags");
    }
  }
  return Status::ok();
}

/// The run: global memory with the bound tensors, and the launch.
struct Launch {
  isa::ArchSpec machine;
  std::unique_ptr<sim::HostGlobalMemory> gm;
  std::vector<HostTensor> tensors;
  sim::LaunchRequest request;
};

Status place(Launch &launch, uint64_t workspace) {
  for (const HostTensor &tensor : launch.tensors) {
    uint64_t size = std::max<uint64_t>(tensor.bytes.size(), 1);
    KILN_ASSIGN_OR_RETURN(GmAddr address, launch.gm->allocate(Bytes(size)));
    std::memcpy(launch.gm->host(address, size), tensor.bytes.data(),
                tensor.bytes.size());
    launch.request.bindings.push_back({address.count(), size, true});
  }
  if (workspace > 0) {
    KILN_ASSIGN_OR_RETURN(GmAddr address,
                          launch.gm->allocate(Bytes(workspace)));
    launch.request.workspace = {address.count(), workspace, true};
  }
  return Status::ok();
}

Status fillRequest(const Options &options, Launch &launch) {
  sim::LaunchRequest &request = launch.request;
  KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, readFile(options.program));
  KILN_ASSIGN_OR_RETURN(request.program,
                        sim::Program::load(bytes, options.program));
  KILN_RETURN_IF_ERROR(setOrder(options.order, request));
  KILN_RETURN_IF_ERROR(setChecks(options.checks, request.checks));
  KILN_ASSIGN_OR_RETURN(launch.tensors, loadBindings(options.binds));
  KILN_ASSIGN_OR_RETURN(request.constants, parseConstants(options.constants));
  request.blockDim = options.blocks;
  request.cores = options.cores;
  request.noSkip = options.noSkip;
  request.dataOff = options.dataOff;
  if (options.budget > 0) {
    request.budget = options.budget;
  }
  return Status::ok();
}

Status writeOutputs(const Options &options, Launch &launch) {
  for (const std::string &text : options.outs) {
    KILN_ASSIGN_OR_RETURN(IndexedValue out, parseIndexed(text, "--out"));
    if (out.index >= launch.tensors.size()) {
      return invalid(fmt::format("--out {}: there are {} bindings", text,
                                 launch.tensors.size()));
    }
    HostTensor tensor = launch.tensors[out.index];
    const sim::GmRange &range = launch.request.bindings[out.index];
    std::memcpy(tensor.bytes.data(),
                launch.gm->host(GmAddr(range.address), range.bytes),
                tensor.bytes.size());
    KILN_RETURN_IF_ERROR(saveTensor(out.value, tensor));
  }
  return Status::ok();
}

hal::ProgramReport toProgramReport(const sim::LaunchReport &report,
                                   const sim::LaunchRequest &request) {
  hal::ProgramReport result;
  result.blocks = request.blockDim;
  result.cores = report.cores;
  result.macs = report.macs;
  result.instructions = report.instructions;
  if (report.cycles == 0) {
    return result;
  }
  hal::CycleReport &cycle = result.cycle.emplace();
  cycle.cycles = report.cycles;
  cycle.kernelCycles = report.kernelCycles;
  result.gmReadBytes = report.gmReadBytes;
  result.gmWriteBytes = report.gmWriteBytes;
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    const sim::PipeCycles &from = report.pipes[p];
    hal::PipeReport pipe{std::string(isa::kPipeNames[p]), from.busy, from.idle};
    for (unsigned s = 0; s < sim::kNumStalls; ++s) {
      pipe.stalls.emplace_back(sim::kStallNames[s], from.stall[s]);
    }
    cycle.pipes.push_back(std::move(pipe));
  }
  return result;
}

Status show(const Context &context, const Options &options,
            const Launch &launch, const sim::LaunchReport &report) {
  CycleSummary summary(launch.machine, "npu:" + options.engine);
  summary.add(toProgramReport(report, launch.request));
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

Status simulate(const Context &context, Options options) {
  KILN_RETURN_IF_ERROR(
      applyJobFile(options.program, options.machine, options.blocks,
                   {options.binds, options.constants, options.outs}));
  Launch launch;
  KILN_ASSIGN_OR_RETURN(launch.machine, isa::loadArchSpec(options.machine));
  KILN_RETURN_IF_ERROR(fillRequest(options, launch));
  KILN_ASSIGN_OR_RETURN(launch.gm,
                        sim::HostGlobalMemory::create(
                            launch.machine.arch.gmBase,
                            launch.machine.arch.capacity(isa::Space::GM)));
  KILN_RETURN_IF_ERROR(place(launch, options.workspace));
  bool cycle = options.engine == "cycle";
  auto engine = cycle ? sim::createCycleEngine(launch.machine, *launch.gm)
                      : sim::createFunctionalEngine(launch.machine, *launch.gm);
  TraceWriter trace(launch.machine);
  if (!options.trace.empty()) {
    if (!cycle) {
      return invalid("--trace needs --engine cycle: only it has a timeline");
    }
    launch.request.listener = &trace;
  }
  KILN_ASSIGN_OR_RETURN(sim::LaunchReport report, engine->run(launch.request));
  if (!options.trace.empty()) {
    KILN_RETURN_IF_ERROR(writeFile(options.trace, trace.perfettoJson()));
  }
  KILN_RETURN_IF_ERROR(writeOutputs(options, launch));
  return show(context, options, launch, report);
}

} // namespace

void addSim(CLI::App &app, Context &context) {
  CLI::App *verb =
      addVerb(app, context, "sim", "run one kernel binary on an engine",
              "kiln sim vadd.elf --bind 0=a.npy --bind 1=random:f16:7:4096 \\\n"
              "    --bind 2=zeros:f16:4096 --out 2=c.npy --check race,init");
  auto options = std::make_shared<Options>();
  verb->add_option("program", options->program, "ELF, or a .yaml job beside it")
      ->required();
  verb->add_option("--machine", options->machine, "name or machine file");
  verb->add_option("--engine", options->engine, "functional or cycle")
      ->check(CLI::IsMember({"functional", "cycle"}));
  verb->add_option("--order", options->order, "eager, lazy or random:SEED");
  verb->add_option("--bind", options->binds,
                   "N=FILE | N=zeros:BYTES | N=zeros:TYPE:SHAPE | "
                   "N=random:TYPE:SEED:COUNT (also relu:, wide:)");
  verb->add_option("--const", options->constants, "N=VALUE");
  verb->add_option("--out", options->outs, "N=FILE (.npy, .pb or raw)");
  verb->add_option("--blocks", options->blocks, "blocks to run");
  verb->add_option("--cores", options->cores, "cores that take part");
  verb->add_option("--workspace", options->workspace, "bytes of workspace");
  verb->add_option("--budget", options->budget, "instructions or cycles");
  verb->add_option("--check", options->checks, "of race,init,bounds,flags")
      ->delimiter(',');
  verb->add_option("--trace", options->trace, "Perfetto timeline (JSON)");
  verb->add_flag("--no-skip", options->noSkip, "cycle: visit every cycle");
  verb->add_flag("--data-off", options->dataOff, "cycle: timing only");
  verb->callback([&context, options] {
    context.action = [&context, options] {
      return simulate(context, *options);
    };
  });
}

} // namespace kiln::tools
