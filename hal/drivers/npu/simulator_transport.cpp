// SPDX-License-Identifier: Apache-2.0
#include "hal/drivers/npu/transport.h"

#include "simulator/core/engine.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <mutex>

namespace kiln::hal {
namespace {

Status bad(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

/// What the options say to an engine.
struct EngineOptions {
  sim::Order order = sim::Order::kEager;
  uint64_t seed = 0;
  sim::Checks checks;
};

Status parseOrder(std::string_view text, EngineOptions &result) {
  constexpr std::string_view kRandom = "random:";
  if (text == "eager" || text == "lazy") {
    result.order = text == "eager" ? sim::Order::kEager : sim::Order::kLazy;
    return Status::ok();
  }
  if (text.starts_with(kRandom)) {
    std::string_view seed = text.substr(kRandom.size());
    auto [end, error] =
        std::from_chars(seed.data(), seed.data() + seed.size(), result.seed);
    if (error == std::errc() && end == seed.data() + seed.size()) {
      result.order = sim::Order::kRandom;
      return Status::ok();
    }
  }
  return bad("order '" + std::string(text) +
             "'; expected eager, lazy or random:SEED");
}

Result<EngineOptions> parseOptions(const DeviceOptions &options) {
  EngineOptions result;
  KILN_RETURN_IF_ERROR(parseOrder(options.order, result));
  for (const std::string &check : options.checks) {
    if (check == "race") {
      result.checks.race = true;
    } else if (check == "init") {
      result.checks.init = true;
    } else if (check == "bounds") {
      result.checks.bounds = true;
    } else if (check == "flags") {
      result.checks.flags = true;
    } else {
      return bad("check '" + check + "'; expected race, init, bounds or flags");
    }
  }
  return result;
}

template <typename Counts>
std::vector<std::pair<std::string, uint64_t>> byPipe(const Counts &counts) {
  std::vector<std::pair<std::string, uint64_t>> result;
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    result.emplace_back(isa::kPipeNames[p], counts[p]);
  }
  return result;
}

PipeReport pipeReport(unsigned pipe, const sim::PipeCycles &cycles) {
  PipeReport result{std::string(isa::kPipeNames[pipe]), cycles.busy,
                    cycles.idle};
  for (unsigned s = 0; s < sim::kNumStalls; ++s) {
    result.stalls.emplace_back(sim::kStallNames[s], cycles.stall[s]);
  }
  return result;
}

CycleReport cycleReport(const sim::LaunchReport &report) {
  CycleReport result{report.cycles, report.kernelCycles};
  for (unsigned p = 0; p < isa::kNumPipes; ++p) {
    result.pipes.push_back(pipeReport(p, report.pipes[p]));
  }
  for (const sim::LineCycles &line : report.lines) {
    result.lines.push_back({line.line.file, line.line.line, byPipe(line.busy)});
  }
  return result;
}

struct SimulatedCode : NpuCode {
  explicit SimulatedCode(std::shared_ptr<const sim::Program> program)
      : program(std::move(program)) {}
  std::shared_ptr<const sim::Program> program;
};

class SimulatorTransport : public Transport {
public:
  SimulatorTransport(std::shared_ptr<const isa::ArchSpec> machine,
                     std::unique_ptr<sim::HostGlobalMemory> gm, bool timed,
                     const DeviceOptions &options, EngineOptions engineOptions,
                     LaunchTracer *tracer)
      : machine_(std::move(machine)), gm_(std::move(gm)), timed_(timed),
        cores_(options.cores), budget_(options.budgetCycles),
        options_(engineOptions), tracer_(timed ? tracer : nullptr),
        engine_(timed ? sim::createCycleEngine(*machine_, *gm_)
                      : sim::createFunctionalEngine(*machine_, *gm_)) {}

  Result<uint64_t> allocate(uint64_t bytes) override {
    std::lock_guard lock(allocation_);
    KILN_ASSIGN_OR_RETURN(GmAddr address, gm_->allocate(Bytes(bytes)));
    return address.count();
  }

  void free(uint64_t address) override {
    std::lock_guard lock(allocation_);
    Status status = gm_->free(GmAddr(address));
    assert(status && "frees what allocate() returned");
    (void)status;
  }

  void write(uint64_t address, std::span<const std::byte> data) override {
    if (!data.empty()) {
      std::memcpy(gm_->host(GmAddr(address), data.size()), data.data(),
                  data.size());
    }
  }

  void read(uint64_t address, std::span<std::byte> data) override {
    if (!data.empty()) {
      std::memcpy(data.data(), gm_->host(GmAddr(address), data.size()),
                  data.size());
    }
  }

  Result<LoadedCode> load(const ProgramImage &image) override {
    KILN_ASSIGN_OR_RETURN(std::shared_ptr<const sim::Program> program,
                          sim::Program::load(image.bytes.view(), image.name));
    const isa::KernelNote &note = program->image().note;
    uint64_t words = uint64_t{note.bindingCount} + note.constantCount;
    KILN_RETURN_IF_ERROR(
        program->checkFits(*machine_, sizeof(isa::ArgumentBlockHeader) +
                                          words * sizeof(uint64_t)));
    EntryReflection entry{note.kernel, note.bindingCount, note.constantCount,
                          note.deviceBarrier};
    return LoadedCode{std::make_shared<SimulatedCode>(std::move(program)),
                      std::move(entry)};
  }

  Result<ProgramReport> launch(const NpuLaunch &launch) override {
    sim::LaunchRequest request;
    request.program = static_cast<const SimulatedCode &>(*launch.code).program;
    request.blockDim = launch.blocks;
    request.cores = cores_;
    for (const GmBinding &binding : launch.bindings) {
      request.bindings.push_back(
          {binding.address, binding.size, binding.writable});
    }
    if (launch.workspace) {
      request.workspace = {launch.workspace->address, launch.workspace->size,
                           true};
    }
    request.constants = launch.constants;
    request.checks = options_.checks;
    request.order = options_.order;
    request.seed = options_.seed;
    request.doorbell = launch.doorbell;
    if (budget_ != 0) {
      request.budget = budget_;
    }
    std::lock_guard lock(launch_);
    if (tracer_) {
      request.listener = tracer_->begin(*machine_, *request.program);
    }
    Result<sim::LaunchReport> report = engine_->run(request);
    if (tracer_) {
      tracer_->ended(report ? &*report : nullptr);
    }
    if (!report) {
      return report.status();
    }
    return convert(*report, launch.blocks);
  }

private:
  ProgramReport convert(const sim::LaunchReport &from, uint32_t blocks) const {
    ProgramReport report;
    report.blocks = blocks;
    report.cores = from.cores;
    report.instructions = from.instructions;
    report.macs = from.macs;
    report.gmReadBytes = from.gmReadBytes;
    report.gmWriteBytes = from.gmWriteBytes;
    report.commands = byPipe(from.commands);
    if (timed_) {
      report.cycle = cycleReport(from);
    }
    for (const sim::Finding &finding : from.findings) {
      report.findings.push_back(finding.text);
    }
    return report;
  }

  std::shared_ptr<const isa::ArchSpec> machine_;
  std::unique_ptr<sim::HostGlobalMemory> gm_;
  bool timed_;
  uint32_t cores_;
  uint64_t budget_;
  EngineOptions options_;
  LaunchTracer *tracer_;
  std::unique_ptr<sim::Engine> engine_;
  std::mutex allocation_; // of gm_
  std::mutex launch_;     // of engine_
};

} // namespace

Result<std::shared_ptr<Transport>>
makeSimulatorTransport(std::string_view engine,
                       std::shared_ptr<const isa::ArchSpec> machine,
                       const DeviceOptions &options, LaunchTracer *tracer) {
  KILN_ASSIGN_OR_RETURN(EngineOptions engineOptions, parseOptions(options));
  KILN_ASSIGN_OR_RETURN(
      std::unique_ptr<sim::HostGlobalMemory> gm,
      sim::HostGlobalMemory::create(machine->arch.gmBase,
                                    machine->arch.capacity(isa::Space::GM)));
  return std::shared_ptr<Transport>(std::make_shared<SimulatorTransport>(
      std::move(machine), std::move(gm), engine == "cycle", options,
      engineOptions, tracer));
}

} // namespace kiln::hal
