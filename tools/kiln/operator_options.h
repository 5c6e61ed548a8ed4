// SPDX-License-Identifier: Apache-2.0
//
// What verbs that take a one-file operator share: where the DSL's headers are
// and how a shape is written.
#pragma once

#include "isa/support/status.h"
#include "tik_dsl/builder/operator_decl.h"

#include <filesystem>
#include <string>

namespace kiln::tools {

/// The folder that holds tik_dsl/api: PREFIX/include/kiln when installed, the
/// repository when run from its build folder.
Result<std::filesystem::path> includeFolder();

/// The folder of the numbered examples and their table of ceilings, installed
/// or in the repository.
Result<std::filesystem::path> examplesFolder();

/// "M=1024,N=512,out=f16".
Result<tik::ShapeCase> parseShapeCase(const std::string &text);

/// "tileM=64,slots=2", of --knobs.
Result<tik::KnobValues> parseKnobs(const std::string &text);

/// Whether the file is an operator: C++ source or a plugin.
bool isOperatorFile(const std::filesystem::path &file);

} // namespace kiln::tools
