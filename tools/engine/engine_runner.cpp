// SPDX-License-Identifier: Apache-2.0
#include "tools/engine/engine_runner.h"

#include "simulator/core/engine.h"

#include <cstring>

namespace kiln::tools {

namespace {

using Bindings = std::vector<std::vector<uint8_t>>;

Status place(const Bindings &bindings, sim::HostGlobalMemory &gm,
             sim::LaunchRequest &launch) {
  for (const auto &bytes : bindings) {
    const uint64_t size = std::max<uint64_t>(bytes.size(), 1);
    KILN_ASSIGN_OR_RETURN(GmAddr at, gm.allocate(Bytes(size)));
    std::memcpy(gm.host(at, size), bytes.data(), bytes.size());
    launch.bindings.push_back({at.count(), size, true});
  }
  return Status::ok();
}

void fetch(const sim::LaunchRequest &launch, sim::HostGlobalMemory &gm,
           Bindings &bindings) {
  for (size_t i = 0; i < bindings.size(); ++i) {
    const sim::GmRange &range = launch.bindings[i];
    std::memcpy(bindings[i].data(), gm.host(GmAddr(range.address), range.bytes),
                bindings[i].size());
  }
}

sim::Order orderOf(tik::RunOrder order) {
  switch (order) {
  case tik::RunOrder::kLazy:
    return sim::Order::kLazy;
  case tik::RunOrder::kRandom:
    return sim::Order::kRandom;
  default:
    return sim::Order::kEager;
  }
}

tik::RunReport reportOf(const sim::LaunchReport &launch) {
  tik::RunReport report;
  report.instructions = launch.instructions;
  report.macs = launch.macs;
  report.gmReadBytes = launch.gmReadBytes;
  report.gmWriteBytes = launch.gmWriteBytes;
  report.cycles = launch.cycles;
  report.kernelCycles = launch.kernelCycles;
  report.cores = launch.cores;
  for (const sim::Finding &finding : launch.findings) {
    report.findings.push_back(finding.text);
  }
  for (const sim::PrintedLine &line : launch.printed) {
    report.printed.push_back("block " + std::to_string(line.block) + ": " +
                             line.text);
  }
  for (unsigned p = 0; p < isa::kNumPipes && launch.cycles > 0; ++p) {
    const sim::PipeCycles &from = launch.pipes[p];
    tik::PipeUse pipe{
        std::string(isa::kPipeNames[p]), from.busy, from.idle, {}};
    for (unsigned s = 0; s < sim::kNumStalls; ++s) {
      pipe.stalls.emplace_back(sim::kStallNames[s], from.stall[s]);
    }
    report.pipes.push_back(std::move(pipe));
  }
  return report;
}

/// Ranges for the tensors and workspaces; nobody touches their bytes.
Status reserve(const TimeRequest &request, sim::HostGlobalMemory &gm,
               sim::LaunchRequest &launch) {
  std::vector<uint64_t> sizes;
  for (const tik::BoundTensor &tensor : request.shape->tensors) {
    sizes.push_back(static_cast<uint64_t>(tensor.elements()) *
                    isa::sizeOf(tensor.type));
  }
  const auto &more = request.kernel->workspaceBytes;
  sizes.insert(sizes.end(), more.begin(), more.end());
  for (uint64_t bytes : sizes) {
    const uint64_t size = std::max<uint64_t>(bytes, 1);
    KILN_ASSIGN_OR_RETURN(GmAddr at, gm.allocate(Bytes(size)));
    launch.bindings.push_back({at.count(), size, true});
  }
  return Status::ok();
}

constexpr uint64_t kBudget = uint64_t{1} << 32;

/// Cycles of a launch whose kernel may take `kernelCycles`: with those before
/// its first command.
uint64_t budgetOf(const isa::ArchSpec &arch, uint32_t cores,
                  uint64_t kernelCycles) {
  const isa::LaunchTiming &launch = arch.timing.launch;
  constexpr uint64_t kControlCode = 2000;
  return kernelCycles + launch.doorbellCycles + launch.dispatchCycles +
         uint64_t{cores} * launch.perCoreCycles + kControlCode;
}

} // namespace

Result<tik::RunReport> EngineRunner::time(const TimeRequest &request) {
  KILN_ASSIGN_OR_RETURN(
      auto gm, sim::HostGlobalMemory::create(
                   arch_.arch.gmBase, arch_.arch.capacity(isa::Space::GM)));
  sim::LaunchRequest launch;
  KILN_ASSIGN_OR_RETURN(
      launch.program,
      sim::Program::load(request.kernel->elf, request.kernel->name));
  KILN_RETURN_IF_ERROR(reserve(request, *gm, launch));
  launch.constants = request.shape->constants;
  launch.blockDim = request.kernel->blocks;
  launch.cores = request.cores;
  launch.dataOff = true;
  launch.budget = request.budget == 0
                      ? kBudget
                      : budgetOf(arch_, request.cores, request.budget);
  auto engine = sim::createCycleEngine(arch_, *gm);
  KILN_ASSIGN_OR_RETURN(sim::LaunchReport report, engine->run(launch));
  return reportOf(report);
}

Result<tik::RunReport> EngineRunner::run(const tik::RunRequest &request) {
  KILN_ASSIGN_OR_RETURN(
      auto gm, sim::HostGlobalMemory::create(
                   arch_.arch.gmBase, arch_.arch.capacity(isa::Space::GM)));
  sim::LaunchRequest launch;
  KILN_ASSIGN_OR_RETURN(
      launch.program,
      sim::Program::load(request.kernel->elf, request.kernel->name));
  KILN_RETURN_IF_ERROR(place(*request.bindings, *gm, launch));
  launch.constants = request.constants;
  launch.blockDim = request.kernel->blocks;
  launch.cores = request.cores;
  launch.order = orderOf(request.order);
  launch.seed = request.seed;
  // Floats that blocks add in the order they come race, and are meant to.
  launch.checks = {.race = !request.kernel->orderDependent,
                   .init = true,
                   .bounds = true,
                   .flags = true};
  launch.budget = kBudget;
  auto engine = request.order == tik::RunOrder::kCycle
                    ? sim::createCycleEngine(arch_, *gm)
                    : sim::createFunctionalEngine(arch_, *gm);
  KILN_ASSIGN_OR_RETURN(sim::LaunchReport report, engine->run(launch));
  fetch(launch, *gm, *request.bindings);
  return reportOf(report);
}

} // namespace kiln::tools
