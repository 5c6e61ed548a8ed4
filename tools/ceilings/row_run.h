// SPDX-License-Identifier: Apache-2.0
//
// Runs a row of the table of ceilings that names an example: builds the kernel
// for the row's machine and cores and counts its cycles. Without data, which
// cycles do not depend on, unless the row says that its kernel reads values.
//
//   RowRunner runner({.examples = "tik_dsl/examples", .include = "."});
//   Result<RowResult> result = runner.run(row, machine);
//
// An example is compiled by the system's C++ compiler once per runner.
#pragma once

#include "tik_dsl/loader/operator_file.h"
#include "tools/ceilings/ceiling_table.h"

#include <map>

namespace kiln::tools {

struct RowResult {
  uint64_t cycles = 0;
  double percent = 0; // of what the row's share is of
};

class RowRunner {
public:
  struct Folders {
    std::filesystem::path examples; // the rows' files
    std::filesystem::path include;  // holds tik_dsl/api
  };
  explicit RowRunner(Folders folders) : folders_(std::move(folders)) {}

  /// On `machine`, which is the row's or one with keys changed.
  Result<RowResult> run(const CeilingRow &row, const isa::ArchSpec &machine);

private:
  Result<const tik::Operator *> load(const std::string &example);

  Folders folders_;
  tik::OperatorCompiler compiler_;
  std::map<std::string, tik::OperatorFile> files_;
};

/// The row's machine with the keys of its second run.
Result<isa::ArchSpec> machineWithout(const CeilingRow &row);

/// The geometric mean of the members' shares in percent; nothing where a
/// member has none.
std::optional<double>
geometricMean(const CeilingGroup &group,
              const std::vector<std::optional<double>> &percents);

} // namespace kiln::tools
