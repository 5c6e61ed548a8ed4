// SPDX-License-Identifier: Apache-2.0
//
// A tensor as files and models hold it: type, shape, little-endian bytes.
//
//   Result<HostTensor> x = loadTensor("image.npy");
//   KILN_RETURN_IF_ERROR(saveTensor("scores.pb", y));
//
// The file format follows the extension: .npy (numpy, format 1.0 to 3.0,
// C order), .pb (a serialized onnx.TensorProto), .png and .wav with modifiers
// (media.h), anything else raw bytes, whose type and shape come from the
// caller. Errors: kCorrupt with the path for unreadable or inconsistent files
// and for folders that are not there, kUnsupported for element types Kiln has
// no name for, kInvalidArgument for a tensor that is no picture or sound.
#pragma once

#include "isa/support/status.h"
#include "ops/reference/tensor.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kiln::tools {

struct HostTensor {
  std::string name; // of a .pb; empty otherwise
  ops::DataType type = ops::DataType::F32;
  ops::Shape shape;
  std::vector<uint8_t> bytes;
};

/// What a raw file holds.
struct RawFormat {
  ops::DataType type = ops::DataType::F32;
  ops::Shape shape;
};
/// By its extension.
bool isRaw(const std::filesystem::path &path);

Result<HostTensor> loadTensor(const std::filesystem::path &path,
                              const std::optional<RawFormat> &raw = {});
Status saveTensor(const std::filesystem::path &path, const HostTensor &tensor);

/// saveTensor() in parts, for what happens before the first file is written:
/// can this be a name of an output; the bytes; the name without modifiers.
Status checkOutput(const std::filesystem::path &path);
Result<std::vector<uint8_t>> formatTensor(const std::filesystem::path &path,
                                          const HostTensor &tensor);
std::filesystem::path fileOf(const std::filesystem::path &path);

/// "1x3x224x224 f32".
std::string describe(const HostTensor &tensor);
/// The values as doubles and back.
Result<ops::Tensor> toReference(const HostTensor &tensor);
HostTensor fromReference(const ops::Tensor &tensor, std::string name);

} // namespace kiln::tools
