// SPDX-License-Identifier: Apache-2.0
//
// Compiles one operator, runs it on a device and compares with the reference.
#pragma once

#include "tools/kiln/layer_table.h"
#include "tools/kiln/op_model.h"

namespace kiln::tools {

struct OperatorRun {
  OperatorModel op;
  LoadedModel model;
  NamedTensors outputs;
  std::unique_ptr<LayerTable> layers;
};

/// kInvalidArgument for a model that is not valid: the command line made it.
Result<std::vector<uint8_t>> compileOperator(const OperatorModel &op,
                                             const std::string &name,
                                             const CompileOptions &options);

/// `run` options of the caller are kept; the profile goes into `layers`.
Result<OperatorRun> runOperator(OperatorRequest &request,
                                const DeviceChoice &device,
                                CompileOptions compile,
                                hal::RunOptions options = {});

} // namespace kiln::tools
