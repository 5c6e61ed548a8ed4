// SPDX-License-Identifier: Apache-2.0
//
// The engines as the DSL's KernelRunner: tools and tests give it to
// testOperator().
//
//   EngineRunner runner(arch);
//   Result<RunReport> report = runner.run({.kernel = &k, .bindings = &b});
#pragma once

#include "tik_dsl/testing/kernel_runner.h"

namespace kiln::tools {

class EngineRunner final : public tik::KernelRunner {
public:
  /// `arch` is borrowed.
  explicit EngineRunner(const isa::ArchSpec &arch) : arch_(arch) {}
  Result<tik::RunReport> run(const tik::RunRequest &request) override;

private:
  const isa::ArchSpec &arch_;
};

} // namespace kiln::tools
