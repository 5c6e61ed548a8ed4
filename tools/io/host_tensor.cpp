// SPDX-License-Identifier: Apache-2.0
#include "tools/io/host_tensor.h"

#include "tools/io/file.h"
#include "tools/io/media.h"
#include "tools/io/npy.h"
#include "tools/io/onnx_tensor.h"

#include <fmt/format.h>

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

bool isRaw(const std::filesystem::path &path) {
  const std::string extension = path.extension().string();
  return !isMedia(path.string()) && extension != ".npy" && extension != ".pb";
}

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

Result<std::vector<uint8_t>> formatTensor(const std::filesystem::path &path,
                                          const HostTensor &tensor) {
  const std::string extension = path.extension().string();
  Result<std::vector<uint8_t>> bytes =
      isMedia(path.string()) ? formatMedia(path.string(), tensor)
      : extension == ".npy"  ? formatNpy(tensor)
      : extension == ".pb"   ? formatTensorProto(tensor)
                             : tensor.bytes;
  if (bytes) {
    return bytes;
  }
  return bytes.status().withContext(fmt::format(
      "{}: {}{}", path.string(),
      tensor.name.empty() ? "" : "'" + tensor.name + "' ", describe(tensor)));
}

std::filesystem::path fileOf(const std::filesystem::path &path) {
  const std::string text = path.string();
  return text.substr(0, modifiersAt(text));
}

Status checkOutput(const std::filesystem::path &path) {
  if (isMedia(path.string())) {
    KILN_RETURN_IF_ERROR(
        checkMediaOutput(path.string()).withContext(path.string()));
  }
  return checkWritable(fileOf(path));
}

Status saveTensor(const std::filesystem::path &path, const HostTensor &tensor) {
  KILN_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, formatTensor(path, tensor));
  return writeFile(fileOf(path), bytes);
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
