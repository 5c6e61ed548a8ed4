// SPDX-License-Identifier: Apache-2.0
//
// TensorProto -> Constant. Every size is checked against the data that is
// really there before anything is allocated.
#pragma once

#include "compiler/constants/constant_store.h"
#include "isa/support/status.h"
#include "onnx/onnx_pb.h"

#include <optional>
#include <string>

namespace kiln::frontend {

/// The element type of TensorProto.DataType `type`, if we store it.
std::optional<ElementType> fromOnnxType(int32_t type);

/// "FLOAT16", or "type 99": for messages.
std::string onnxTypeName(int32_t type);

/// kCorrupt: sizes that do not fit the data; kUnsupported: strings, complex
/// numbers, 8-bit floats, external data.
Result<Constant> readTensor(const onnx::TensorProto &tensor);

} // namespace kiln::frontend
