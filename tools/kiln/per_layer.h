// SPDX-License-Identifier: Apache-2.0
//
// Compares every value that the dispatches of a model wrote with the reference
// operators' value of the same name. After each comparison the reference goes
// on from the device's value: an error shows where it is made, and rounding
// does not add up over the layers.
#pragma once

#include "tools/kiln/test_data.h"

#include <string>

namespace kiln::tools {

/// A table of values in the order of the model; kMismatch names the first one
/// that fails, with its node. `modelFile`: the ONNX file. Without a bound, each
/// value's relative L2 error must be within 1e-5 (fp32) or 3e-3 (fp16).
Result<std::string> compareLayers(LoadedModel &model,
                                  const std::filesystem::path &modelFile,
                                  const NamedTensors &inputs,
                                  const Bound &bound);

/// The bytes of a value as a dense tensor in its logical shape, whatever the
/// layout it is stored in; kUnsupported for layouts of weights.
Result<HostTensor> toDense(const hal::ValueModel &value,
                           std::span<const std::byte> bytes);

} // namespace kiln::tools
