// SPDX-License-Identifier: Apache-2.0
//
// onnx.TensorProto in and out (onnx.proto3). Reads raw_data and every typed
// field that the format allows; checks that data and dimensions agree.
#pragma once

#include "tools/io/host_tensor.h"

namespace onnx {
class TensorProto;
}

namespace kiln::tools {

Result<HostTensor> parseTensorProto(std::span<const uint8_t> bytes);
Result<HostTensor> fromTensorProto(const onnx::TensorProto &proto);
std::vector<uint8_t> formatTensorProto(const HostTensor &tensor);

} // namespace kiln::tools
