// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/version.h"

#include "isa/gen/opcodes.h"
#include "tools/kiln/verbs.h"

#include <fmt/format.h>

namespace kiln::tools {

std::string versionText() {
  return fmt::format("kiln {}\ncommit {}\nLLVM {}\nISA version {}",
                     KILN_VERSION, KILN_COMMIT, KILN_LLVM_VERSION,
                     isa::kIsaVersion);
}

} // namespace kiln::tools
