// SPDX-License-Identifier: Apache-2.0
//
// What the bytes of a raw input are: the model says, with --dim for symbolic
// dimensions.
//
//   Result<RawFormat> format = rawFormat("m.onnx", "x", {{"batch", 1}});
//
// Errors: those of the model's file; kInvalidArgument for an input that the
// model has not, and for a dimension without a value, which is named.
#pragma once

#include "tools/io/host_tensor.h"

#include <filesystem>
#include <map>

namespace kiln::tools {

Result<RawFormat> rawFormat(const std::filesystem::path &model,
                            const std::string &input,
                            const std::map<std::string, int64_t> &dims);

} // namespace kiln::tools
