// SPDX-License-Identifier: Apache-2.0
#include "tools/io/onnx_tensor.h"

#include <cstring>

#include <onnx/onnx_pb.h>

namespace kiln::tools {
namespace {

using ops::DataType;

template <typename To, typename Field>
void copyAs(const Field &field, std::vector<uint8_t> &bytes) {
  for (auto element : field) {
    To value = static_cast<To>(element);
    const auto *p = reinterpret_cast<const uint8_t *>(&value);
    bytes.insert(bytes.end(), p, p + sizeof(To));
  }
}

/// The typed field that holds each element type (comments of onnx.proto3).
void copyTyped(const onnx::TensorProto &proto, DataType type,
               std::vector<uint8_t> &bytes) {
  switch (type) {
  case DataType::Bool:
  case DataType::U8:
    return copyAs<uint8_t>(proto.int32_data(), bytes);
  case DataType::I8:
    return copyAs<int8_t>(proto.int32_data(), bytes);
  case DataType::I16:
    return copyAs<int16_t>(proto.int32_data(), bytes);
  case DataType::U16:
  case DataType::F16:
  case DataType::BF16:
    return copyAs<uint16_t>(proto.int32_data(), bytes);
  case DataType::I32:
    return copyAs<int32_t>(proto.int32_data(), bytes);
  case DataType::U32:
    return copyAs<uint32_t>(proto.uint64_data(), bytes);
  case DataType::I64:
    return copyAs<int64_t>(proto.int64_data(), bytes);
  case DataType::U64:
    return copyAs<uint64_t>(proto.uint64_data(), bytes);
  case DataType::F32:
    return copyAs<float>(proto.float_data(), bytes);
  case DataType::F64:
    return copyAs<double>(proto.double_data(), bytes);
  }
}

} // namespace

Result<HostTensor> parseTensorProto(std::span<const uint8_t> bytes) {
  onnx::TensorProto proto;
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Status(StatusCode::kCorrupt,
                  "not a serialized onnx.TensorProto (truncated or damaged)");
  }
  return fromTensorProto(proto);
}

Result<HostTensor> fromTensorProto(const onnx::TensorProto &proto) {
  std::optional<DataType> type = ops::fromOnnx(proto.data_type());
  if (!type) {
    return Status(proto.data_type() == 0 ? StatusCode::kCorrupt
                                         : StatusCode::kUnsupported,
                  "tensor '" + proto.name() + "' has element type " +
                      std::to_string(proto.data_type()) +
                      " of onnx.proto3, which Kiln does not read");
  }
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    return Status(StatusCode::kUnsupported,
                  "tensor '" + proto.name() + "' lies in an external file");
  }
  HostTensor tensor;
  tensor.name = proto.name();
  tensor.type = *type;
  double wanted = double(ops::sizeOf(*type));
  for (int64_t d : proto.dims()) {
    if (d < 0) {
      return Status(StatusCode::kCorrupt, "tensor '" + proto.name() +
                                              "' has dimension " +
                                              std::to_string(d));
    }
    wanted *= double(d);
    tensor.shape.push_back(d);
  }
  if (proto.has_raw_data()) {
    tensor.bytes.assign(proto.raw_data().begin(), proto.raw_data().end());
  } else {
    copyTyped(proto, *type, tensor.bytes);
  }
  if (double(tensor.bytes.size()) != wanted) {
    return Status(StatusCode::kCorrupt,
                  "tensor '" + proto.name() + "' of " + describe(tensor) +
                      " has " + std::to_string(tensor.bytes.size()) +
                      " bytes of data");
  }
  return tensor;
}

std::vector<uint8_t> formatTensorProto(const HostTensor &tensor) {
  onnx::TensorProto proto;
  proto.set_data_type(ops::toOnnx(tensor.type));
  for (int64_t d : tensor.shape) {
    proto.add_dims(d);
  }
  if (!tensor.name.empty()) {
    proto.set_name(tensor.name);
  }
  proto.set_raw_data(tensor.bytes.data(), tensor.bytes.size());
  std::vector<uint8_t> bytes(proto.ByteSizeLong());
  proto.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

} // namespace kiln::tools
