// SPDX-License-Identifier: Apache-2.0
#include "tools/io/host_tensor.h"

#include "tools/io/file.h"
#include "tools/io/media.h"
#include "tools/io/npy.h"
#include "tools/io/onnx_tensor.h"

namespace kiln::tools {
namespace {

Result<HostTensor> fromRaw(std::vector<uint8_t> bytes,
                           const std::optional<RawFormat> &raw) {
  if (!raw) {
    return Status(StatusCode::kInvalidArgument,
                  "a raw file has no type and shape; use .npy, .pb, .png or "
                  ".wav");
  }
  size_t wanted = ops::elementCount(raw->shape) * ops::sizeOf(raw->type);
  if (bytes.size() != wanted) {
    return Status(StatusCode::kInvalidArgument,
                  "raw file has " + std::to_string(bytes.size()) + " bytes, " +
                      ops::toString(raw->shape) + " " +
                      std::string(ops::name(raw->type)) + " needs " +
                      std::to_string(wanted));
  }
  return HostTensor{{}, raw->type, raw->shape, std::move(bytes)};
}

} // namespace

Result<HostTensor> loadTensor(const std::filesystem::path &path,
                              const std::optional<RawFormat> &raw) {
  if (isMedia(path.string())) {
    Result<HostTensor> tensor = loadMedia(path.string());
    return tensor ? std::move(tensor)
                  : tensor.status().withContext(path.string());
  }
  KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, readFile(path));
  std::string extension = path.extension().string();
  Result<HostTensor> tensor = extension == ".npy" ? parseNpy(bytes)
                              : extension == ".pb"
                                  ? parseTensorProto(bytes)
                                  : fromRaw(std::move(bytes), raw);
  return tensor ? std::move(tensor)
                : tensor.status().withContext(path.string());
}

Status saveTensor(const std::filesystem::path &path, const HostTensor &tensor) {
  if (isMedia(path.string())) {
    return {StatusCode::kUnsupported,
            path.string() + ": .png and .wav are for inputs; write .npy, .pb "
                            "or raw bytes"};
  }
  std::string extension = path.extension().string();
  if (extension == ".npy") {
    KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, formatNpy(tensor));
    return writeFile(path, bytes);
  }
  if (extension == ".pb") {
    return writeFile(path, formatTensorProto(tensor));
  }
  return writeFile(path, tensor.bytes);
}

std::string describe(const HostTensor &tensor) {
  return ops::toString(tensor.shape) + " " +
         std::string(ops::name(tensor.type));
}

Result<ops::Tensor> toReference(const HostTensor &tensor) {
  return ops::fromBytes(tensor.type, tensor.shape, tensor.bytes);
}

HostTensor fromReference(const ops::Tensor &tensor, std::string name) {
  return {std::move(name), tensor.type, tensor.shape, ops::toBytes(tensor)};
}

} // namespace kiln::tools
