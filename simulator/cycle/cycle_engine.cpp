// SPDX-License-Identifier: Apache-2.0
#include "simulator/cycle/cycle_engine.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <tuple>

namespace kiln::sim {

std::unique_ptr<Engine> createCycleEngine(const isa::ArchSpec &arch,
                                          HostGlobalMemory &gm) {
  return std::make_unique<CycleEngine>(arch, gm);
}

uint64_t CycleEngine::launchCycles(const LaunchRequest &request,
                                   uint32_t cores) const {
  const isa::LaunchTiming &t = arch_.timing.launch;
  return (request.doorbell ? t.doorbellCycles : 0) + t.dispatchCycles +
         uint64_t{t.perCoreCycles} * cores +
         ceilDiv(request.program->image().imageBytes(), t.imageBytesPerCycle);
}

Result<LaunchReport> CycleEngine::run(const LaunchRequest &request) {
  fault_.reset();
  report_ = {};
  KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> argumentBlock,
                        prepareLaunch(arch_, gm_, request));
  uint32_t cores = std::min(request.cores, request.blockDim);
  while (cores_.size() < cores) {
    cores_.push_back(std::make_unique<CycleCore>(
        arch_, gm_, static_cast<uint32_t>(cores_.size())));
  }
  if (request.debug && cores > 1) {
    return Status(
        StatusCode::kUnsupported,
        fmt::format("a debugger follows one core, {} run at once", cores));
  }
  TimingWheel wheel;
  wheel.setSkipping(!request.noSkip);
  std::unique_ptr<MemorySystem> memory =
      createMemorySystem(arch_, cores, wheel, launchCycles(request, cores));
  const Checks &checks = request.checks;
  std::vector<std::unique_ptr<Checker>> checkers; // of each core
  if (checks.race || checks.init || checks.flags) {
    checkers.push_back(
        std::make_unique<Checker>(checks, *request.program, arch_));
    while (checkers.size() < cores) {
      checkers.push_back(std::make_unique<Checker>(*checkers.front()));
    }
  }
  LaunchContext launch;
  launch.request = &request;
  launch.argumentBlock = &argumentBlock;
  launch.wheel = &wheel;
  launch.memory = memory.get();
  launch.report = &report_;
  for (const auto &checker : checkers) {
    launch.observers.push_back(checker.get());
  }
  launch.gm = &gm_;
  std::optional<DataWorkers> workers;
  if (request.threads > 1 && !request.dataOff && !request.debug &&
      checkers.empty()) {
    launch.workers = &workers.emplace(request.threads - 1, cores);
  }
  simulate(launch, cores);
  if (fault_ && request.debug) {
    request.debug->faulted(cores_[0]->debugView(wheel.now()), *fault_);
  }
  if (fault_) {
    return fault_->status();
  }
  finish(request, cores);
  report_.memory = memory->counters();
  if (!checkers.empty()) {
    report_.findings = checkers.front()->takeFindings();
  }
  return std::move(report_);
}

void CycleEngine::simulate(LaunchContext &launch, uint32_t cores) {
  const LaunchRequest &request = *launch.request;
  uint32_t nextBlock = 0;
  endCycle_ = launchCycles(request, cores);
  launch.blockEnded = [&](uint32_t core, uint64_t now) {
    endCycle_ = std::max(endCycle_, now);
    if (nextBlock < request.blockDim) {
      cores_[core]->startBlock(nextBlock++,
                               now + arch_.timing.launch.perCoreCycles);
    }
  };
  semaphores_.reset(request.blockDim);
  launch.semaphores = &semaphores_;
  // Blocks that meet run all at once: block n is on core n.
  launch.semaphoreGrew = [&](uint32_t block, uint64_t now) {
    cores_[block]->semaphoreGrew(now);
  };
  launch.barrierPassed = [&](uint64_t at) {
    for (uint32_t core = 0; core < cores; ++core) {
      cores_[core]->leaveDeviceBarrier(at);
    }
  };
  launch.faulted = [&](FaultReport report) {
    if (!fault_) {
      fault_ = dataFault(launch); // of a command that retired before
    }
    if (!fault_) {
      fault_ = std::move(report);
    }
    for (uint32_t core = 0; core < cores; ++core) {
      cores_[core]->freeze();
    }
  };
  for (uint32_t core = 0; core < cores; ++core) {
    cores_[core]->startLaunch(launch);
  }
  for (uint32_t core = 0; core < cores; ++core) {
    cores_[core]->startBlock(nextBlock++, endCycle_);
  }
  TimingWheel &wheel = *launch.wheel;
  while (!fault_ && wheel.runNext()) {
    if (wheel.now() > request.budget && !fault_) {
      cores_[0]->failControl(
          isa::kInstructionRamBase,
          {isa::FaultKind::kBudget, fmt::format("cycle {}, the budget is {}",
                                                wheel.now(), request.budget)});
    }
  }
  if (!fault_) {
    fault_ = dataFault(launch);
  }
  for (uint32_t core = 0; core < cores && !fault_; ++core) {
    if (cores_[core]->isRunning()) {
      fault_ = cores_[core]->deadlock();
    }
  }
  if (std::optional<isa::Fault> f = semaphores_.residue(); f && !fault_) {
    cores_[0]->failControl(isa::kInstructionRamBase, std::move(*f));
  }
}

std::optional<FaultReport> CycleEngine::dataFault(const LaunchContext &launch) {
  if (!launch.workers) {
    return std::nullopt;
  }
  launch.workers->drainAll();
  std::optional<DataWorkers::Failure> f = launch.workers->fault();
  if (!f) {
    return std::nullopt;
  }
  if (f->fault.kind == isa::FaultKind::kGmBounds) {
    addNearestBinding(f->command, gm_, f->fault);
  }
  const FaultSite site{launch.request->program.get(), f->core, f->block};
  return site.ofCommand(f->command, std::move(f->fault));
}

void CycleEngine::finish(const LaunchRequest &request, uint32_t cores) {
  report_.cycles = endCycle_;
  report_.cores = cores;
  uint64_t first = ~uint64_t{0}, last = 0;
  for (uint32_t core = 0; core < cores; ++core) {
    cores_[core]->finishLaunch(endCycle_);
    first = std::min(first, cores_[core]->firstStart());
    last = std::max(last, cores_[core]->lastRetire());
  }
  report_.kernelCycles = last > first ? last - first : 0;
  collectLines(*request.program, cores);
}

void CycleEngine::collectLines(const Program &program, uint32_t cores) {
  std::map<std::tuple<std::string, uint32_t>, LineCycles> lines;
  for (size_t word = 0; word < program.code().words.size(); ++word) {
    std::array<uint64_t, isa::kNumPipes> busy{};
    uint64_t sum = 0;
    for (uint32_t core = 0; core < cores; ++core) {
      for (unsigned p = 1; p < isa::kNumPipes; ++p) {
        uint64_t cycles =
            cores_[core]->pipe(static_cast<isa::Pipe>(p)).busyByWord[word];
        busy[p] += cycles;
        sum += cycles;
      }
    }
    std::optional<SourceLine> line;
    if (sum) {
      line = program.image().lines.find(program.code().base + 4 * word);
    }
    if (!line) {
      continue;
    }
    LineCycles &entry = lines[{line->file, line->line}];
    line->column = 0;
    entry.line = *line;
    for (unsigned p = 0; p < isa::kNumPipes; ++p) {
      entry.busy[p] += busy[p];
    }
  }
  for (auto &[key, entry] : lines) {
    report_.lines.push_back(std::move(entry));
  }
}

} // namespace kiln::sim
