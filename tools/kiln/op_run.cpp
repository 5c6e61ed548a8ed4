// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/op_run.h"

namespace kiln::tools {

Result<std::vector<uint8_t>> compileOperator(const OperatorModel &op,
                                             const std::string &name,
                                             const CompileOptions &options) {
  Result<std::vector<uint8_t>> package =
      packageOfBytes(op.model, "op:" + name, options);
  if (!package && package.status().code() == StatusCode::kCorrupt) {
    return Status(StatusCode::kInvalidArgument, package.status().message());
  }
  return package;
}

Result<OperatorRun> runOperator(OperatorRequest &request,
                                const DeviceChoice &device,
                                CompileOptions compile,
                                hal::RunOptions options) {
  OperatorRun run;
  KILN_ASSIGN_OR_RETURN(run.op, buildOperator(request));
  compile.target = targetOf(device.device);
  compile.cores = device.cores;
  if (!device.machine.empty()) {
    compile.machine = device.machine;
  }
  KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> package,
                        compileOperator(run.op, request.name, compile));
  KILN_ASSIGN_OR_RETURN(run.model, loadPackage(std::move(package), device));
  run.layers = std::make_unique<LayerTable>(run.model);
  options.profile = [&](const hal::DispatchProfile &p) { run.layers->add(p); };
  KILN_ASSIGN_OR_RETURN(run.outputs, run.model.run(run.op.inputs, options));
  return run;
}

} // namespace kiln::tools
