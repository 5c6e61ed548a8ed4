// SPDX-License-Identifier: Apache-2.0
//
// Program: loaded code, and what a run of it reports.
//
//   ProgramImage image{ProgramKind::kCpuSo, "conv_1", {"k"}, {"avx2"}, {}, so};
//   auto program = device.loadProgram(image);
//
// Contract: loading refuses (kUnsupported) what this device cannot run (kind,
// CPU features, ISA version), kDoesNotFit what needs more than it has, and
// kCorrupt what is not a program.
#pragma once

#include "hal/format/package_model.h"
#include "isa/support/status.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kiln::hal {

class DriverProgram;

/// Code to load: the fields of a package's program.
using ProgramImage = ProgramModel;

/// What is known about an entry of a loaded program; counts are absent where
/// the code does not say.
struct EntryReflection {
  std::string name;
  std::optional<uint32_t> bindingCount{};
  std::optional<uint32_t> constantCount{};
  /// All blocks must run at the same time: blocks <= cores.
  bool deviceBarrier = false;
};

struct ProgramReflection {
  ProgramKind kind = ProgramKind::kNull;
  std::string name;
  uint64_t codeBytes = 0;                 // of the image
  std::vector<EntryReflection> entries{}; // as ProgramImage::entries
};

class Program {
public:
  explicit Program(std::unique_ptr<DriverProgram> program);
  ~Program();

  const ProgramReflection &reflection() const;
  DriverProgram &driverProgram() const { return *program_; }

private:
  std::unique_ptr<DriverProgram> program_;
};

/// One pipe of a modelled device during a dispatch, summed over its cores.
/// busy + stalls + idle = cycles x cores.
struct PipeReport {
  std::string pipe; // "S", "MTE2", ...
  uint64_t busyCycles = 0;
  uint64_t idleCycles = 0;
  std::vector<std::pair<std::string, uint64_t>> stalls{}; // reason, cycles
};

/// Occupancy of the pipes by the commands of one source line.
struct LineReport {
  std::string file;
  uint32_t line = 0;
  std::vector<std::pair<std::string, uint64_t>> busyCycles{}; // by pipe
};

/// Cycles of a dispatch on an engine that models time.
struct CycleReport {
  uint64_t cycles = 0;       // with launch
  uint64_t kernelCycles = 0; // first command start to last retire
  std::vector<PipeReport> pipes{};
  std::vector<LineReport> lines{}; // by file and line
};

/// What a dispatch reports. Counters that a device does not have are 0.
struct ProgramReport {
  uint32_t blocks = 0;
  uint32_t cores = 1;        // that took part; threads of a CPU
  double hostSeconds = 0;    // wall time of the dispatch on the host, s
  uint64_t instructions = 0; // of the control cores
  uint64_t macs = 0;         // multiply-accumulates, padding not counted
  uint64_t gmReadBytes = 0;
  uint64_t gmWriteBytes = 0;
  /// Commands issued, by pipe.
  std::vector<std::pair<std::string, uint64_t>> commands{};
  std::optional<CycleReport> cycle{};
  /// Findings of checks that do not stop a program (races, initialisation).
  std::vector<std::string> findings{};
  /// Lines that the program printed: "block 3: i = 5". At most 1000.
  std::vector<std::string> printed{};
};

} // namespace kiln::hal
