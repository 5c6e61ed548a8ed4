// SPDX-License-Identifier: Apache-2.0
#include "tools/engine/engine_runner.h"

#include "simulator/core/engine.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace kiln::tools {

namespace {

using Bindings = std::vector<std::vector<uint8_t>>;

/// Bytes between two tensors, so that what goes wrong by less is a fault and
/// no access to the next one: as many as there are, at most 256 MiB.
uint64_t gapBetween(const Bindings &bindings, uint64_t capacity) {
  uint64_t needed = 0;
  for (const auto &bytes : bindings) {
    needed += bytes.size() + sim::HostGlobalMemory::kAlignment;
  }
  const uint64_t gap =
      needed < capacity ? (capacity - needed) / (bindings.size() + 1) : 0;
  return std::min<uint64_t>(gap, uint64_t{256} << 20) /
         sim::HostGlobalMemory::kAlignment * sim::HostGlobalMemory::kAlignment;
}

Status place(const Bindings &bindings, sim::HostGlobalMemory &gm,
             sim::LaunchRequest &launch, uint64_t gap) {
  for (const auto &bytes : bindings) {
    const uint64_t size = std::max<uint64_t>(bytes.size(), 1);
    if (gap > 0) {
      KILN_RETURN_IF_ERROR(gm.allocate(Bytes(gap)).status());
    }
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
  report.dramBytes = launch.memory.dramReadBytes + launch.memory.dramWriteBytes;
  for (const sim::Finding &finding : launch.findings) {
    report.findings.push_back(finding.text);
  }
  for (const sim::PrintedLine &line : launch.printed) {
    report.printed.push_back("block " + std::to_string(line.block) + ": " +
                             line.text);
  }
  for (unsigned p = 0; p < isa::kNumPipes && launch.cycles > 0; ++p) {
    const sim::PipeCycles &from = launch.pipes[p];
    tik::PipeUse pipe{std::string(isa::kPipeNames[p]),
                      from.busy,
                      from.idle,
                      from.bankCycles,
                      0,
                      {}};
    for (unsigned s = 0; s < sim::kNumStalls; ++s) {
      pipe.stalls.emplace_back(sim::kStallNames[s], from.stall[s]);
    }
    report.pipes.push_back(std::move(pipe));
  }
  return report;
}

/// First start and last retirement of every pipe of every core.
class SpanListener final : public sim::CommandListener {
public:
  void retired(const sim::CommandStamp &stamp) override {
    const auto pipe = static_cast<unsigned>(stamp.command.pipe);
    if (stamp.core >= cores_.size()) {
      cores_.resize(stamp.core + 1);
    }
    Span &span = cores_[stamp.core][pipe];
    span.first = std::min(span.first, stamp.start);
    span.last = std::max(span.last, stamp.retire);
  }
  void addTo(std::vector<tik::PipeUse> &pipes) const {
    for (const auto &core : cores_) {
      for (unsigned p = 0; p < pipes.size(); ++p) {
        pipes[p].span += core[p].last > 0 ? core[p].last - core[p].first : 0;
      }
    }
  }

private:
  struct Span {
    uint64_t first = UINT64_MAX, last = 0;
  };
  std::vector<std::array<Span, isa::kNumPipes>> cores_;
};

/// Cycles of a launch whose kernel may take `budget`: with those before its
/// first command.
uint64_t launchBudget(const isa::ArchSpec &arch,
                      const tik::RunRequest &request) {
  if (request.budget == 0) {
    return uint64_t{1} << (request.order == tik::RunOrder::kCycle ? 32 : 27);
  }
  const isa::LaunchTiming &launch = arch.timing.launch;
  constexpr uint64_t kControlCode = 2000;
  return request.budget + launch.doorbellCycles + launch.dispatchCycles +
         uint64_t{request.cores} * launch.perCoreCycles + kControlCode;
}

} // namespace

Result<tik::RunReport> EngineRunner::run(const tik::RunRequest &request) {
  KILN_ASSIGN_OR_RETURN(
      auto gm, sim::HostGlobalMemory::create(
                   arch_.arch.gmBase, arch_.arch.capacity(isa::Space::GM)));
  sim::LaunchRequest launch;
  KILN_ASSIGN_OR_RETURN(
      launch.program,
      sim::Program::load(request.kernel->elf, request.kernel->name));
  // Cycles depend on addresses: there tensors lie as on a device.
  const bool isCycle = request.order == tik::RunOrder::kCycle;
  KILN_RETURN_IF_ERROR(
      place(*request.bindings, *gm, launch,
            isCycle ? 0 : gapBetween(*request.bindings, gm->size())));
  launch.constants = request.constants;
  launch.blockDim = request.kernel->blocks;
  launch.cores = request.cores;
  launch.order = orderOf(request.order);
  launch.seed = request.seed;
  // Floats that blocks add in the order they come race, and are meant to.
  launch.dataOff = request.dataOff;
  const bool all = !request.dataOff;
  launch.checks = {.race = all && !request.kernel->orderDependent,
                   .init = all,
                   .bounds = true,
                   .flags = all};
  launch.budget = launchBudget(arch_, request);
  auto engine = isCycle ? sim::createCycleEngine(arch_, *gm)
                        : sim::createFunctionalEngine(arch_, *gm);
  SpanListener spans;
  launch.listener = request.spans ? &spans : nullptr;
  KILN_ASSIGN_OR_RETURN(sim::LaunchReport launched, engine->run(launch));
  fetch(launch, *gm, *request.bindings);
  tik::RunReport report = reportOf(launched);
  spans.addTo(report.pipes);
  return report;
}

} // namespace kiln::tools
