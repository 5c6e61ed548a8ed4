// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/version.h"

#include "isa/arch/arch_spec.h"
#include "isa/gen/opcodes.h"
#include "tools/kiln/verbs.h"

#include <fmt/format.h>

namespace kiln::tools {

std::string versionText() {
  Result<isa::ArchSpec> k1 = isa::loadArchSpec("k1");
  std::string machine =
      k1 ? "k1 " + k1->hash : "unavailable: " + k1.status().message();
  return fmt::format("kiln {}\ncommit {}\nLLVM {}\nISA version {}\nmachine {}",
                     KILN_VERSION, KILN_COMMIT, KILN_LLVM_VERSION,
                     isa::kIsaVersion, machine);
}

} // namespace kiln::tools
