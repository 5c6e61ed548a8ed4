// SPDX-License-Identifier: Apache-2.0
//
// Element types of tensors as models and files know them: wider than what the
// machine computes with (isa::ElementType).
//
//   std::optional<DataType> t = parseDataType("fp16");
//   size_t bytes = count * sizeOf(*t);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace kiln::ops {

enum class DataType : uint8_t {
  Bool,
  I8,
  U8,
  I16,
  U16,
  I32,
  U32,
  I64,
  U64,
  F16,
  BF16,
  F32,
  F64
};

/// Bytes of one element.
size_t sizeOf(DataType type);
/// "f16", "i64", "bool", ...
std::string_view name(DataType type);
/// Accepts name(), and the aliases fp16, fp32, fp64, float, half, double.
std::optional<DataType> parseDataType(std::string_view text);

constexpr bool isFloat(DataType type) { return type >= DataType::F16; }

/// The value of `onnx::TensorProto::DataType`, and back; nothing for types
/// that Kiln has no name for (strings, complex, float8, 4-bit).
int toOnnx(DataType type);
std::optional<DataType> fromOnnx(int onnxType);

} // namespace kiln::ops
