// SPDX-License-Identifier: Apache-2.0
//
// Steps of random programs: what they touch, how two of them depend on each
// other, and what they do when they run one after the other.
//
//   StepTrace a = traceOf(first, config), b = traceOf(second, config);
//   if (dependence(a, b) & kReadAfterWrite) { ... }    // byte by byte
#pragma once

#include "tests/engines/support/random_program.h"

#include <memory>

namespace kiln::test {

/// Bits of dependence().
enum Dependence : unsigned {
  kReadAfterWrite = 1,
  kWriteAfterRead = 2,
  kWriteAfterWrite = 4,
};

/// The bytes a step touches, in cells of 32 bytes; the configuration of a pipe
/// counts as a memory.
struct StepTrace {
  struct Cell {
    uint64_t key = 0; // space and address / 32, ascending
    uint32_t read = 0, write = 0;
    uint8_t commutes = 0; // see isa::StridedRange
  };
  isa::Pipe pipe{};
  isa::TimingClass timing{}; // of a command
  std::vector<Cell> cells;
};

/// The address of a cell in a memory; none when it is in another one.
std::optional<uint64_t> addressIn(isa::Space space,
                                  const StepTrace::Cell &cell);

StepTrace traceOf(const Step &step, const isa::PipeConfig &config);

/// How `later` depends on `earlier`: bits of Dependence. `gmOnly`: local
/// memories are not common to the two.
unsigned dependence(const StepTrace &earlier, const StepTrace &later,
                    bool gmOnly = false);

isa::Pipe pipeOfStep(const Step &step);

/// Applies a kcfg step; other steps and faults change nothing.
void applyConfiguration(const Step &step, isa::PipeConfig &config);

/// Executes steps one at a time, each block on zeroed memories of its own.
class Interpreter {
public:
  Interpreter(const isa::ArchSpec &arch, uint64_t gm,
              std::vector<std::byte> memory);
  ~Interpreter();
  /// False when the step faults; then nothing has changed.
  bool run(const Step &step);
  std::vector<std::byte> takeGm();
  const isa::PipeConfig &config(uint32_t block);

private:
  struct Core;
  class Memory;
  Core &core(uint32_t block);

  const isa::ArchSpec &arch_;
  std::unique_ptr<Memory> gm_;
  std::vector<std::unique_ptr<Core>> cores_;
};

} // namespace kiln::test
