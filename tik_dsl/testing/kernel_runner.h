// SPDX-License-Identifier: Apache-2.0
//
// KernelRunner and BodyRunner: where test_operator() runs kernels and bodies.
// The DSL knows no engine and no device; tools inject them
// (tools/engine/engine_runner.h, tools/engine/device_body_runner.h).
#pragma once

#include "isa/arch/arch_spec.h"
#include "isa/support/status.h"
#include "tik_dsl/builder/body.h"
#include "tik_dsl/builder/operator.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace kiln::tik {

enum class RunOrder : uint8_t { kEager, kLazy, kRandom, kCycle };

struct RunRequest {
  const CompiledKernel *kernel = nullptr;
  /// Bytes of each binding; outputs are overwritten by the run.
  std::vector<std::vector<uint8_t>> *bindings = nullptr;
  std::vector<int64_t> constants{}; // sizes that the launch gives
  uint32_t cores = 1;
  RunOrder order = RunOrder::kEager;
  uint64_t seed = 0;    // of kRandom
  bool dataOff = false; // of kCycle: timing only, no checks but bounds
  bool spans = false;   // of kCycle: fill PipeUse::span
  /// Of kCycle: kBudgetExceeded when the kernel takes more cycles; 0: no limit
  /// but the engine's.
  uint64_t budget = 0;
};

/// busy + stalls + idle of a pipe = cycles x cores.
struct PipeUse {
  std::string pipe;
  uint64_t busy = 0, idle = 0;
  uint64_t bankCycles = 0; // lost in banks, see sim::CommandStamp
  /// From the start of its first command to the retirement of its last, summed
  /// over cores.
  uint64_t span = 0;
  std::vector<std::pair<std::string, uint64_t>> stalls;
};

struct RunReport {
  uint64_t instructions = 0;
  uint64_t macs = 0; // of every mmad
  uint64_t gmReadBytes = 0, gmWriteBytes = 0;
  uint64_t cycles = 0, kernelCycles = 0; // kCycle only, as the next
  uint64_t dramBytes = 0;                // read and written, kCycle only
  uint32_t cores = 1;
  std::vector<PipeUse> pipes;
  std::vector<std::string> findings; // of the checks
  std::vector<std::string> printed;  // "block 0: text", by print()
};

class KernelRunner {
public:
  virtual ~KernelRunner() = default;
  /// Runs with every check (race, init, bounds, flags) on, but for kCycle on
  /// several cores, where only bounds are checked. A modelled fault is the
  /// Status.
  virtual Result<RunReport> run(const RunRequest &request) = 0;
};

struct BodyRequest {
  std::string name; // of the operator
  std::string body; // of BodyCompiler
  BodySignature signature{};
  /// Bytes of each binding; outputs are overwritten by the run.
  std::vector<std::vector<uint8_t>> *bindings = nullptr;
};

class BodyRunner {
public:
  virtual ~BodyRunner() = default;
  /// The device as reports name it.
  virtual std::string device() const = 0;
  /// kUnsupported: the device does not do what the body asks for.
  virtual Status run(const BodyRequest &request) = 0;
};

} // namespace kiln::tik
