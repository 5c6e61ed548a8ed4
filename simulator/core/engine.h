// SPDX-License-Identifier: Apache-2.0
//
// Engine: runs a program on the modelled machine. The functional and the
// cycle engine implement it; a driver or tool knows only this header.
//
//   auto gm = HostGlobalMemory::create(...);
//   auto engine = createFunctionalEngine(arch, **gm);
//   LaunchRequest r;
//   r.program = *Program::load(bytes, "add.elf");
//   r.bindings = {{a, 4096}, {b, 4096}, {c, 4096}};
//   Result<LaunchReport> report = engine->run(r);
//
// Errors: kDoesNotFit before anything runs; kInvalidArgument for a request
// that does not match the program's note; a modelled fault is kDeviceFault
// (budget: kBudgetExceeded) with FaultReport::text(), and lastFault() holds its
// parts. The engine and GM stay usable after a fault; GM holds what was
// written until then.
//
// Thread rule: one launch at a time per engine.
#pragma once

#include "isa/arch/arch_spec.h"
#include "simulator/core/command_listener.h"
#include "simulator/core/fault_report.h"
#include "simulator/core/host_global_memory.h"
#include "simulator/core/launch_report.h"
#include "simulator/core/program.h"

#include <memory>
#include <optional>
#include <vector>

namespace kiln::sim {

/// When the functional engine runs the commands of a pipe.
enum class Order : uint8_t {
  kEager,  // when they are issued, unless a flag blocks their pipe
  kLazy,   // only when something waits for the pipe
  kRandom, // interleaved by LaunchRequest::seed
};

/// Bounds of local memories and flag misuse are always faults; these cost
/// time only when they are on.
struct Checks {
  bool race = false;  // accesses that no flag or kbar orders
  bool init = false;  // reads of local bytes nobody wrote in this block
  bool bounds = true; // GM accesses outside the bound buffers
  bool flags = false; // flag use that is right only in this order
};

class DebugHook;

struct LaunchRequest {
  std::shared_ptr<const Program> program;
  uint32_t blockDim = 1; // blocks, at least 1; blocks that meet: at most cores
  uint32_t cores = 1;    // that take part, 1 to those of the machine
  std::vector<GmRange> bindings;  // as many as the note says, inside GM
  std::vector<int64_t> constants; // as many as the note says
  GmRange workspace;              // bytes 0: none
  Checks checks;
  Order order = Order::kEager; // functional engine
  uint64_t seed = 0;           // of kRandom
  /// Instructions per block (functional) or cycles of the launch (cycle).
  uint64_t budget = uint64_t{1} << 40;
  bool doorbell = true; // cycle: the first dispatch of a submission
  bool dataOff = false; // cycle: timing only; a load of S from UB faults
  bool noSkip = false;  // cycle: visit every cycle (proves skipping neutral)
  /// Cycle: of the host; beyond the first they execute data beside the timing.
  /// Same cycles; same bits and faults for race-free programs. One is used
  /// with checks, with a debugger and without data.
  unsigned threads = 1;
  CommandListener *listener = nullptr; // cycle: borrowed
  DebugHook *debug = nullptr;          // borrowed; one core only
};

class Engine {
public:
  virtual ~Engine() = default;
  /// Runs all blocks, or to the first fault. What the request points to is
  /// borrowed until it returns.
  virtual Result<LaunchReport> run(const LaunchRequest &request) = 0;
  /// The fault of the last run(), if that is how it ended.
  virtual const std::optional<FaultReport> &lastFault() const = 0;
};

/// Engines on one machine and one global memory, both borrowed.
std::unique_ptr<Engine> createFunctionalEngine(const isa::ArchSpec &arch,
                                               HostGlobalMemory &gm);
std::unique_ptr<Engine> createCycleEngine(const isa::ArchSpec &arch,
                                          HostGlobalMemory &gm);

} // namespace kiln::sim
