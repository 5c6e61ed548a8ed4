// SPDX-License-Identifier: Apache-2.0
//
// Options that every verb with a model shares.
#pragma once

#include "tools/kiln/compile_model.h"
#include "tools/kiln/context.h"
#include "tools/kiln/loaded_model.h"

namespace kiln::tools {

/// --precision, --sync, --stop-after, --dump-dir.
void addCompileOptions(CLI::App &verb, CompileOptions &options);

/// Splits "NAME=VALUE" at the last '=' before the modifiers of a file: names of
/// ONNX values may hold one. kInvalidArgument says which `form` is expected.
Result<std::pair<std::string, std::string>>
splitNamed(const std::string &text, const char *option, const char *form);

/// "NAME=N" texts; kInvalidArgument names the bad one.
Result<std::map<std::string, int64_t>>
parseDims(const std::vector<std::string> &texts);

/// "NAME=FILE" texts to tensors called NAME. Raw files hold what `model` takes.
Result<NamedTensors> loadInputs(const std::vector<std::string> &texts,
                                const std::filesystem::path &model,
                                const std::map<std::string, int64_t> &dims);

/// Loads test_data_set folder's input_0.pb ... or output_0.pb ...
Result<NamedTensors> loadNumbered(const std::filesystem::path &folder,
                                  const std::string &stem);

} // namespace kiln::tools
