// SPDX-License-Identifier: Apache-2.0
//
// The engines as the DSL's KernelRunner: tools and tests give it to
// testOperator().
//
//   EngineRunner runner(arch);
//   Result<RunReport> report = runner.run({.kernel = &k, .bindings = &b});
//   Result<RunReport> cycles = runner.time({.kernel = &k, .shape = &s});
#pragma once

#include "tik_dsl/testing/kernel_runner.h"

namespace kiln::tools {

struct TimeRequest {
  const tik::CompiledKernel *kernel = nullptr;
  const tik::BoundShape *shape = nullptr;
  uint32_t cores = 1;
  uint64_t budget = 0; // kernel cycles; 0: as run()
};

class EngineRunner final : public tik::KernelRunner {
public:
  /// `arch` is borrowed.
  explicit EngineRunner(const isa::ArchSpec &arch) : arch_(arch) {}
  Result<tik::RunReport> run(const tik::RunRequest &request) override;
  /// The cycles that run() would give, without data and checks: many times
  /// faster. kBudgetExceeded: the kernel took more than the budget. A kernel
  /// whose control depends on its data faults.
  Result<tik::RunReport> time(const TimeRequest &request);

private:
  const isa::ArchSpec &arch_;
};

} // namespace kiln::tools
