// SPDX-License-Identifier: Apache-2.0
//
// From bytes to a protobuf message whose structure is sound: a graph, an
// opset, names where names are needed. Says nothing about operators yet.
#pragma once

#include "isa/support/status.h"
#include "onnx/onnx_pb.h"

#include <filesystem>
#include <span>
#include <vector>

namespace kiln::frontend {

/// The whole file; kCorrupt (not found, unreadable, over 2 GiB).
Result<std::vector<uint8_t>> readFile(const std::filesystem::path &path);

/// Parses and checks the structure; kCorrupt with what was found.
Result<onnx::ModelProto> parseModel(std::span<const uint8_t> bytes);

} // namespace kiln::frontend
