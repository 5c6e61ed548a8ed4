// SPDX-License-Identifier: Apache-2.0
#include "hal/drivers/npu/launch_report.h"

#include "simulator/core/launch_report.h"

namespace kiln::hal {
namespace {

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

} // namespace

ProgramReport toProgramReport(const sim::LaunchReport &from, uint32_t blocks) {
  ProgramReport report;
  report.blocks = blocks;
  report.cores = from.cores;
  report.instructions = from.instructions;
  report.macs = from.macs;
  report.gmReadBytes = from.gmReadBytes;
  report.gmWriteBytes = from.gmWriteBytes;
  report.commands = byPipe(from.commands);
  if (from.cycles > 0) {
    report.cycle = cycleReport(from);
  }
  for (const sim::Finding &finding : from.findings) {
    report.findings.push_back(finding.text);
  }
  for (const sim::PrintedLine &line : from.printed) {
    report.printed.push_back("block " + std::to_string(line.block) + ": " +
                             line.text);
  }
  return report;
}

} // namespace kiln::hal
