// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/custom_operator_files.h"

#include "tik_dsl/library/operator_library.h"
#include "tools/kiln/operator_options.h"

namespace kiln::tools {

Status CustomOperatorFiles::load() {
  if (!library_) {
    tik::LoadOptions options;
    KILN_ASSIGN_OR_RETURN(options.includeDir, includeFolder());
    auto library = std::make_shared<tik::OperatorLibrary>(options);
    library->files = files;
    library_ = library;
  }
  return library_->load();
}

bool CustomOperatorFiles::has(const std::string &domain,
                              const std::string &op) const {
  return library_ && library_->has(domain, op);
}

Result<LibraryKernel> CustomOperatorFiles::build(const KernelCall &call) {
  return library_->build(call);
}

} // namespace kiln::tools
