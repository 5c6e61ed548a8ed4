// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/tik_dsl/inline_operator.h"

#include "tools/engine/engine_runner.h"

#include <gtest/gtest.h>

namespace kiln::tik {

namespace {

/// `what` is an operator or its file.
OperatorReport test(const auto &what, TestOptions options) {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  if (!k1) {
    ADD_FAILURE() << k1.status().message();
    return {};
  }
  tools::EngineRunner runner(*k1);
  options.arch = &*k1;
  options.runner = &runner;
  Result<OperatorReport> report = testOperator(what, options);
  if (!report) {
    ADD_FAILURE() << report.status().message();
    return {};
  }
  return *report;
}

} // namespace

OperatorReport testInline(const InlineFunctions &functions, uint32_t cores) {
  Result<Operator> op = inlineOperator(functions);
  if (!op) {
    ADD_FAILURE() << op.status().message();
    return {};
  }
  return test(*op, {.cores = cores});
}

OperatorReport testExample(const std::filesystem::path &file,
                           TestOptions options) {
  options.load.includeDir = ".";
  return test(file, std::move(options));
}

} // namespace kiln::tik
