// SPDX-License-Identifier: Apache-2.0
#include "tools/kiln/custom_operator_files.h"

#include "tik_dsl/library/operator_library.h"

namespace kiln::tools {

Result<std::filesystem::path> includeFolder() {
  std::error_code error;
  std::filesystem::path program =
      std::filesystem::read_symlink("/proc/self/exe", error);
  std::filesystem::path prefix = program.parent_path().parent_path();
  for (const auto &folder : {prefix / "include/kiln", prefix.parent_path()}) {
    if (std::filesystem::exists(folder / "tik_dsl/api/tik.h", error)) {
      return folder;
    }
  }
  return Status(StatusCode::kUnsupported,
                "the DSL's headers (tik_dsl/api) are neither in " +
                    (prefix / "include/kiln").string() + " nor in " +
                    prefix.parent_path().string() +
                    "; run the installed program or that of the build folder");
}

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

Result<CustomKernel> CustomOperatorFiles::build(const CustomCall &call) {
  return library_->build(call);
}

} // namespace kiln::tools
