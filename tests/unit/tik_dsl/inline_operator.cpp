// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/tik_dsl/inline_operator.h"

#include "tools/engine/engine_runner.h"

#include <gtest/gtest.h>

namespace kiln::tik {

OperatorReport testInline(const InlineFunctions &functions, uint32_t cores) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  Result<Operator> op = inlineOperator(functions);
  if (!k1 || !op) {
    ADD_FAILURE() << k1.status().message() << op.status().message();
    return {};
  }
  tools::EngineRunner runner(*k1);
  TestOptions options;
  options.arch = &*k1;
  options.runner = &runner;
  options.cores = cores;
  Result<OperatorReport> report = testOperator(*op, options);
  if (!report) {
    ADD_FAILURE() << report.status().message();
    return {};
  }
  return *report;
}

} // namespace kiln::tik
