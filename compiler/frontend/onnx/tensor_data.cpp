// SPDX-License-Identifier: Apache-2.0
#include "compiler/frontend/onnx/tensor_data.h"

#include "compiler/constants/byte_ops.h"

#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kiln::frontend {

using Proto = onnx::TensorProto;

std::optional<ElementType> fromOnnxType(int32_t type) {
  switch (type) {
  case Proto::FLOAT:
    return ElementType::kF32;
  case Proto::FLOAT16:
    return ElementType::kF16;
  case Proto::BFLOAT16:
    return ElementType::kBf16;
  case Proto::DOUBLE:
    return ElementType::kF64;
  case Proto::INT8:
    return ElementType::kI8;
  case Proto::UINT8:
    return ElementType::kU8;
  case Proto::INT16:
    return ElementType::kI16;
  case Proto::UINT16:
    return ElementType::kU16;
  case Proto::INT32:
    return ElementType::kI32;
  case Proto::UINT32:
    return ElementType::kU32;
  case Proto::INT64:
    return ElementType::kI64;
  case Proto::UINT64:
    return ElementType::kU64;
  case Proto::BOOL:
    return ElementType::kBool;
  default:
    return std::nullopt;
  }
}

std::string onnxTypeName(int32_t type) {
  if (Proto::DataType_IsValid(type)) {
    return Proto::DataType_Name(static_cast<Proto::DataType>(type));
  }
  return fmt::format("type {}", type);
}

// Product of the dimensions, refused when it cannot be a real tensor.
static Result<int64_t> checkedCount(const Proto &tensor) {
  int64_t count = 1;
  for (int64_t dim : tensor.dims()) {
    if (dim < 0 || (dim != 0 && count > (int64_t(1) << 40) / dim)) {
      return Status(StatusCode::kCorrupt,
                    fmt::format("dimensions [{}] are not a tensor's",
                                fmt::join(tensor.dims(), ", ")));
    }
    count *= dim;
  }
  return count;
}

static Status sizeError(const char *field, int64_t found, int64_t expected) {
  return {StatusCode::kCorrupt, fmt::format("{} has {} entries, expected {}",
                                            field, found, expected)};
}

template <typename T, typename Field>
static Status fill(Constant &constant, const Field &field, const char *name,
                   int64_t count) {
  if (field.size() != count) {
    return sizeError(name, field.size(), count);
  }
  constant.bytes.resize(count * sizeof(T));
  for (int64_t i = 0; i < count; ++i) {
    T value = static_cast<T>(field.Get(static_cast<int>(i)));
    std::memcpy(constant.bytes.data() + i * sizeof(T), &value, sizeof(T));
  }
  return Status::ok();
}

static Status fillTyped(Constant &constant, const Proto &tensor,
                        int64_t count) {
  switch (constant.type) {
  case ElementType::kF32:
    return fill<float>(constant, tensor.float_data(), "float_data", count);
  case ElementType::kF64:
    return fill<double>(constant, tensor.double_data(), "double_data", count);
  case ElementType::kI64:
    return fill<int64_t>(constant, tensor.int64_data(), "int64_data", count);
  case ElementType::kU32:
    return fill<uint32_t>(constant, tensor.uint64_data(), "uint64_data", count);
  case ElementType::kU64:
    return fill<uint64_t>(constant, tensor.uint64_data(), "uint64_data", count);
  case ElementType::kI32:
    return fill<int32_t>(constant, tensor.int32_data(), "int32_data", count);
  case ElementType::kI16:
    return fill<int16_t>(constant, tensor.int32_data(), "int32_data", count);
  // 16-bit floats travel as bit patterns in int32_data.
  case ElementType::kU16:
  case ElementType::kF16:
  case ElementType::kBf16:
    return fill<uint16_t>(constant, tensor.int32_data(), "int32_data", count);
  case ElementType::kI8:
    return fill<int8_t>(constant, tensor.int32_data(), "int32_data", count);
  case ElementType::kU8:
  case ElementType::kBool:
    return fill<uint8_t>(constant, tensor.int32_data(), "int32_data", count);
  }
  return Status::ok();
}

static Result<Constant> readChecked(const Proto &tensor) {
  if (tensor.has_data_location() && tensor.data_location() == Proto::EXTERNAL) {
    return Status(StatusCode::kUnsupported,
                  "data in another file (external data); supported: data "
                  "inside the model file");
  }
  std::optional<ElementType> type = fromOnnxType(tensor.data_type());
  if (!type) {
    bool known =
        Proto::DataType_IsValid(tensor.data_type()) || tensor.data_type() <= 26;
    return Status(known && tensor.data_type() > 0 ? StatusCode::kUnsupported
                                                  : StatusCode::kCorrupt,
                  "element type " + onnxTypeName(tensor.data_type()) +
                      "; supported: floating-point, integer and bool types");
  }
  KILN_ASSIGN_OR_RETURN(int64_t count, checkedCount(tensor));
  Constant constant{*type, {tensor.dims().begin(), tensor.dims().end()}, {}};
  if (!tensor.has_raw_data()) {
    KILN_RETURN_IF_ERROR(fillTyped(constant, tensor, count));
    return constant;
  }
  const std::string &raw = tensor.raw_data();
  if (raw.size() != static_cast<size_t>(count) * elementBytes(*type)) {
    return Status(StatusCode::kCorrupt,
                  fmt::format("raw_data has {} bytes, expected {} for [{}] {}",
                              raw.size(), count * elementBytes(*type),
                              fmt::join(tensor.dims(), ", "),
                              elementName(*type)));
  }
  constant.bytes.assign(raw.begin(), raw.end());
  return constant;
}

Result<Constant> readTensor(const Proto &tensor) {
  Result<Constant> constant = readChecked(tensor);
  if (!constant && !tensor.name().empty()) {
    return constant.status().withContext("tensor '" + tensor.name() + "'");
  }
  return constant;
}

} // namespace kiln::frontend
