// SPDX-License-Identifier: Apache-2.0
//
// `kiln bench --table`: what kernels reach of what the machine allows.
#pragma once

#include "tools/kiln/context.h"
#include "tools/kiln/loaded_model.h"

#include <string>

namespace kiln::tools {

struct TableOptions {
  std::string rows;         // a file; empty: that of the examples
  std::string filter;       // part of a row's name
  std::string set = "full"; // full, long or all
};

/// Prints a line per row. kMismatch names the first row below its bar, also
/// without the effect that it names; a kernel that fails ends the table.
Status benchTable(const Context &context, const TableOptions &options,
                  const CompileOptions &compile);

} // namespace kiln::tools
