// SPDX-License-Identifier: Apache-2.0
#include "ops/reference/data_type.h"

namespace kiln::ops {
namespace {

struct TypeFacts {
  DataType type;
  std::string_view name;
  size_t size;
  int onnx; // onnx.proto3, enum TensorProto.DataType
};

constexpr TypeFacts kTypes[] = {
    {DataType::Bool, "bool", 1, 9},  {DataType::I8, "i8", 1, 3},
    {DataType::U8, "u8", 1, 2},      {DataType::I16, "i16", 2, 5},
    {DataType::U16, "u16", 2, 4},    {DataType::I32, "i32", 4, 6},
    {DataType::U32, "u32", 4, 12},   {DataType::I64, "i64", 8, 7},
    {DataType::U64, "u64", 8, 13},   {DataType::F16, "f16", 2, 10},
    {DataType::BF16, "bf16", 2, 16}, {DataType::F32, "f32", 4, 1},
    {DataType::F64, "f64", 8, 11},
};

struct Alias {
  std::string_view text;
  DataType type;
};
constexpr Alias kAliases[] = {
    {"fp16", DataType::F16},    {"half", DataType::F16},
    {"float16", DataType::F16}, {"fp32", DataType::F32},
    {"float", DataType::F32},   {"float32", DataType::F32},
    {"fp64", DataType::F64},    {"double", DataType::F64},
    {"float64", DataType::F64}, {"int8", DataType::I8},
    {"uint8", DataType::U8},    {"int16", DataType::I16},
    {"int32", DataType::I32},   {"int64", DataType::I64},
};

const TypeFacts &facts(DataType type) {
  return kTypes[static_cast<size_t>(type)];
}

} // namespace

size_t sizeOf(DataType type) { return facts(type).size; }
std::string_view name(DataType type) { return facts(type).name; }
int toOnnx(DataType type) { return facts(type).onnx; }

std::optional<DataType> parseDataType(std::string_view text) {
  for (const TypeFacts &t : kTypes) {
    if (t.name == text) {
      return t.type;
    }
  }
  for (const Alias &alias : kAliases) {
    if (alias.text == text) {
      return alias.type;
    }
  }
  return std::nullopt;
}

std::optional<DataType> fromOnnx(int onnxType) {
  for (const TypeFacts &t : kTypes) {
    if (t.onnx == onnxType) {
      return t.type;
    }
  }
  return std::nullopt;
}

} // namespace kiln::ops
