// SPDX-License-Identifier: Apache-2.0
#include "tools/ceilings/row_run.h"

#include "tik_dsl/testing/element_data.h"
#include "tools/ceilings/row_share.h"
#include "tools/engine/engine_runner.h"

#include <cmath>

namespace kiln::tools {
namespace {

std::vector<std::vector<uint8_t>> bindingsOf(const tik::BoundShape &shape,
                                             const tik::CompiledKernel &kernel,
                                             bool data) {
  auto bindings = tik::zeroBindings(shape, kernel);
  uint64_t seed = 1000; // as `kiln test-op`
  for (size_t i = 0; data && i < shape.tensors.size(); ++i) {
    const tik::BoundTensor &tensor = shape.tensors[i];
    if (!tensor.isOutput) {
      const auto count = static_cast<size_t>(tensor.elements());
      bindings[i] = tik::toBytes(
          tik::testValues(count, tensor.type, tensor.low, tensor.high, ++seed),
          tensor.type);
    }
  }
  return bindings;
}

} // namespace

Result<const tik::Operator *> RowRunner::load(const std::string &example) {
  auto known = files_.find(example);
  if (known == files_.end()) {
    KILN_ASSIGN_OR_RETURN(
        tik::OperatorFile file,
        tik::OperatorFile::load(folders_.examples / (example + ".cpp"),
                                {.includeDir = folders_.include}));
    known = files_.emplace(example, std::move(file)).first;
  }
  return &known->second.op();
}

Result<RowResult> RowRunner::run(const CeilingRow &row,
                                 const isa::ArchSpec &machine) {
  KILN_ASSIGN_OR_RETURN(const tik::Operator *op, load(row.example));
  KILN_ASSIGN_OR_RETURN(tik::BoundShape shape, op->bind(row.settings));
  KILN_ASSIGN_OR_RETURN(
      tik::CompiledKernel kernel,
      compiler_.compile(*op, shape, {.arch = &machine, .cores = row.cores}));
  auto bindings = bindingsOf(shape, kernel, row.data);
  EngineRunner runner(machine);
  KILN_ASSIGN_OR_RETURN(tik::RunReport run,
                        runner.run({.kernel = &kernel,
                                    .bindings = &bindings,
                                    .constants = shape.constants,
                                    .cores = row.cores,
                                    .order = tik::RunOrder::kCycle,
                                    .dataOff = !row.data,
                                    .spans = true}));
  if (!run.findings.empty()) {
    return Status(StatusCode::kDeviceFault, run.findings.front());
  }
  run.cores = row.cores; // those that had nothing to do count
  return RowResult{run.kernelCycles,
                   100 * shareOf(row.share, shape, run, machine)};
}

Result<isa::ArchSpec> machineWithout(const CeilingRow &row) {
  KILN_ASSIGN_OR_RETURN(isa::ArchSpec machine, isa::loadArchSpec(row.machine));
  return isa::withKeys(std::move(machine),
                       row.without ? row.without->keys : isa::MachineKeys{});
}

std::optional<double>
geometricMean(const CeilingGroup &group,
              const std::vector<std::optional<double>> &percents) {
  double sum = 0, count = 0;
  for (const CeilingGroup::Member &member : group.members) {
    const std::optional<double> &percent = percents[member.row];
    if (!percent || *percent <= 0) {
      return std::nullopt;
    }
    sum += member.times * std::log(*percent);
    count += member.times;
  }
  return std::exp(sum / count);
}

} // namespace kiln::tools
